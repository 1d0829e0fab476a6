package dialect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// Holders lists the transactions of InnoDB, and the statements that run outside
// of them, on MariaDB. It takes the privilege PROCESS.
//
// InnoDB takes the id of a row just before it starts the transaction of an
// INSERT that is the first of its transaction. So who took an id is in the list
// of running statements, which is read first, or in that of transactions.
//
// The ids must be of this server alone: a replica, or a node of a Galera cluster,
// gets rows whose ids others took.
func (d *mySQL) Holders(ctx context.Context, c *Conn, id TableID, column string) (Holders, error) {
	if h, err := d.countsAlone(ctx, c, id, column); err != nil || h.Unknown != "" {
		return h, err
	}
	// A transaction of ours proves below that the list is fresh.
	_, err := c.Exec(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
	var h Holders
	if err == nil {
		h, err = readHolders(ctx, c)
	}
	if _, end := c.Exec(ctx, "COMMIT"); end != nil {
		// It must not be read on in this snapshot.
		return Holders{}, errors.Join(err, end, c.Close())
	}
	return h, err
}

// countsAlone reports why ids of a column may come from elsewhere, or nothing.
func (d *mySQL) countsAlone(ctx context.Context, c *Conn, id TableID, column string) (Holders, error) {
	id = d.Resolve(id)
	rows, err := c.Texts(ctx, "SELECT t.ENGINE, c.EXTRA, VERSION() FROM information_schema.TABLES t JOIN information_schema.COLUMNS c"+
		" ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME WHERE t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ? AND c.COLUMN_NAME = ?", id.Catalog, id.Name, column)
	switch {
	case err != nil:
		return Holders{}, fmt.Errorf("looking at column %s of %s: %w", column, id.Text(), err)
	case len(rows) != 1 || rows[0][0] != "InnoDB" || !strings.Contains(rows[0][1], "auto_increment"):
		return not("its ids are not those of an AUTO_INCREMENT column of an InnoDB table"), nil
	case !strings.Contains(rows[0][2], "MariaDB"):
		return not("the server is not MariaDB"), nil
	}
	rows, err = c.Texts(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'innodb_read_only', 'wsrep_on', 'gtid_slave_pos')")
	if err != nil {
		return Holders{}, fmt.Errorf("looking for replication: %w", err)
	}
	for _, r := range rows { // those that this server has
		if v := strings.ToUpper(r[1]); v != "OFF" && v != "" {
			return not(fmt.Sprintf("the server is or was a replica, or one of a cluster (%s is %s)", r[0], r[1])), nil
		}
	}
	return Holders{}, nil
}

func readHolders(ctx context.Context, c *Conn) (Holders, error) {
	running, err := c.Texts(ctx, fmt.Sprintf("SELECT ID, QUERY_ID, COMMAND FROM information_schema.PROCESSLIST"+
		" WHERE COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump') AND ID <> CONNECTION_ID() LIMIT %d", maxHolders+1))
	if err != nil {
		return Holders{}, fmt.Errorf("listing statements: %w", err)
	}
	mark := rand.Text()
	open, err := c.Texts(ctx, fmt.Sprintf("SELECT trx_mysql_thread_id, trx_started, trx_state, trx_mysql_thread_id = CONNECTION_ID(), COALESCE(trx_query LIKE '%%%s%%', 0)"+
		" FROM information_schema.INNODB_TRX LIMIT %d", mark, maxHolders+1))
	if err != nil {
		return Holders{}, fmt.Errorf("listing transactions: %w", err)
	}
	if len(open) == 0 { // without the privilege some releases show nothing, others an error
		return not("information_schema.INNODB_TRX cannot be read: grant PROCESS to the user"), nil
	}
	return mySQLHolders(running, open), nil
}

// mySQLHolders makes lists of the rows of PROCESSLIST and INNODB_TRX. A
// transaction has the name of its thread and its start in seconds: its number
// changes with its first write. One without a thread was prepared by XA, and had
// another name before.
func mySQLHolders(running, open [][]string) Holders {
	var h Holders
	inside := map[string]bool{}
	fresh, waiting := false, 0
	for _, r := range open {
		thread, started, state, own, marked := r[0], r[1], r[2], r[3] == "1", r[4] == "1"
		inside[thread] = true
		if state == "LOCK WAIT" {
			waiting++
		}
		switch {
		case own:
			fresh = marked
		case thread == "0":
			return notNow("there are transactions without a session")
		default:
			h.Transactions = append(h.Transactions, "transaction "+thread+" "+started)
		}
	}
	// The server reads its transactions anew only when nobody looked for 0.1 s, and
	// leaves out what exceeds 16 MB, which many waits for locks may.
	const manyWaits = 100
	switch {
	case !fresh:
		return notNow("the list of transactions is an old one")
	case len(open) > maxHolders || len(running) > maxHolders || waiting > manyWaits:
		return notNow("there are too many transactions")
	}
	for _, r := range running {
		thread, query, command := r[0], r[1], r[2]
		if strings.HasPrefix(command, "Slave") {
			return not("the server is a replica")
		}
		if !inside[thread] {
			h.Statements = append(h.Statements, "statement "+thread+" "+query)
		}
	}
	return h
}
