package dialect

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// Holders lists the transactions that have a virtual id: every one does from
// before its first statement until its rows are visible, or it is prepared for
// a commit in two phases. Prepared ones have no virtual id, and who is prepared
// loses it only when that is visible, so they are looked for afterwards. Those
// of other databases cannot write here; that a session is of another one is true of
// all of its life, and who took an id was there before this looks.
func (d *postgreSQL) Holders(ctx context.Context, c *Conn, id TableID, column string) (Holders, error) {
	if h, err := d.countsAlone(ctx, c, id, column); err != nil || h.Unknown != "" {
		return h, err
	}
	open, err := c.Texts(ctx, fmt.Sprintf("SELECT l.virtualxid, l.pid = pg_catalog.pg_backend_pid() FROM pg_catalog.pg_locks l"+
		" WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity a"+
		" WHERE a.pid = l.pid AND a.datname <> pg_catalog.current_database()) LIMIT %d", maxHolders+1))
	if err != nil {
		return Holders{}, fmt.Errorf("listing transactions: %w", err)
	}
	if len(open) > maxHolders {
		return notNow("there are too many transactions"), nil
	}
	var h Holders
	own := false
	for _, r := range open {
		if r[1] == "t" {
			own = true
			continue
		}
		h.Transactions = append(h.Transactions, r[0])
	}
	if !own { // servers that only speak the protocol may show an empty view
		return not("pg_locks does not show transactions"), nil
	}
	prepared, err := c.Texts(ctx, "SELECT 1 FROM pg_catalog.pg_prepared_xacts LIMIT 1")
	if err != nil {
		return Holders{}, fmt.Errorf("listing prepared transactions: %w", err)
	}
	if len(prepared) > 0 {
		return notNow("there are prepared transactions"), nil
	}
	return h, nil
}

// countsAlone reports why ids of a column may come from elsewhere than a
// sequence in the order of its numbers, or nothing. A sequence with a cache
// gives sessions numbers for later, and one with an increment is how
// applications do so on their own. Rows of a subscription have ids of the publisher.
func (d *postgreSQL) countsAlone(ctx context.Context, c *Conn, id TableID, column string) (Holders, error) {
	id = d.Resolve(id)
	where, args := " AND pg_catalog.pg_table_is_visible(c.oid)", []driver.Value{column, id.Name}
	if id.Schema != "" {
		where, args = " AND n.nspname = ?", append(args, id.Schema)
	}
	rows, err := c.Texts(ctx, "SELECT pg_catalog.pg_is_in_recovery() OR EXISTS (SELECT 1 FROM pg_catalog.pg_subscription p JOIN pg_catalog.pg_database b ON b.oid = p.subdbid WHERE b.datname = current_database())"+
		" OR pg_catalog.version() LIKE '%-YB-%',"+ // whose nodes list their own transactions alone
		" s.seqcache = 1 AND s.seqincrement = 1 AND NOT s.seqcycle"+
		" AND (a.attidentity <> '' OR pg_catalog.pg_get_expr(e.adbin, e.adrelid) = pg_catalog.format('nextval(%L::regclass)', s.seqrelid::regclass::text))"+
		" AND c.relkind = 'r' AND NOT c.relispartition AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid OR i.inhrelid = c.oid)"+
		" FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"+
		" JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = ?"+
		" LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum"+
		" JOIN pg_catalog.pg_sequence s ON s.seqrelid = pg_catalog.pg_get_serial_sequence(pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname)::regclass"+
		" WHERE c.relname = ?"+where, args...)
	switch {
	case err != nil:
		return Holders{}, fmt.Errorf("looking at column %s of %s: %w", column, id.Text(), err)
	case len(rows) != 1 || rows[0][1] != "t":
		return not("its ids are not those of a serial or identity column of a table without partitions, whose sequence has CACHE 1 and INCREMENT 1"), nil
	case rows[0][0] != "f":
		return not("the server is a replica, has subscriptions in this database, or is one of a cluster"), nil
	}
	return Holders{}, nil
}
