package fault

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"kconnect/test/harness"
)

// disorder is writers whose transactions commit in any order, are rolled back,
// or die, in one table for each mode of a source that watches for new rows.
type disorder struct {
	server  server
	db      *harness.Database
	broker  *harness.Kafka
	worker  *harness.Connect
	name    string
	longest time.Duration // of a transaction
	stop    context.CancelFunc
	writers sync.WaitGroup
}

// gapTimeout is twice the longest transaction.
const gapTimeout = 5 * time.Second

var watchedModes = map[string]map[string]string{
	"incrementing":           {"incrementing.column.name": "id"},
	"timestamp+incrementing": {"incrementing.column.name": "id", "timestamp.column.name": "ts"},
	"timestamp":              {"timestamp.column.name": "ts", "timestamp.delay.interval.ms": strconv.FormatInt((gapTimeout/2 + time.Second).Milliseconds(), 10)},
}

func tableOf(mode string) string {
	return map[string]string{"incrementing": "counted", "timestamp+incrementing": "stamped", "timestamp": "timed"}[mode]
}

func newDisorder(t *testing.T, server server) *disorder {
	t.Helper()
	d := &disorder{server: server, db: server.open(t), broker: harness.Broker(t), worker: harness.Worker(t, quick), name: harness.Name("order"), longest: gapTimeout / 2}
	for mode, columns := range watchedModes {
		table := tableOf(mode)
		d.db.Exec(t, "CREATE TABLE "+table+" ("+d.server.columns+", writer INT NOT NULL)")
		config := map[string]string{
			"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "mode": mode,
			"connection.url": d.db.JDBC(), "connection.user": d.db.User, "connection.password": d.db.Password,
			"table.whitelist": table, "topic.prefix": d.name + "_", "poll.interval.ms": "20", "connection.backoff.ms": "100",
			"kconnect.gap.timeout.ms": strconv.FormatInt(gapTimeout.Milliseconds(), 10),
			"value.converter":         "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
		}
		for k, v := range columns {
			config[k] = v
		}
		d.broker.Topic(t, d.name+"_"+table, 1)
		d.worker.Create(t, d.name+"-"+table, config)
	}
	d.running(t)
	// What lies before the first id that is read is no gap (D14), so that is 1.
	for mode := range watchedModes {
		d.db.Exec(t, "INSERT INTO "+tableOf(mode)+" (writer) VALUES (8)")
	}
	d.arrived(t)
	return d
}

func (d *disorder) running(t *testing.T) {
	t.Helper()
	for mode := range watchedModes {
		d.worker.WaitStatus(t, d.name+"-"+tableOf(mode), "RUNNING", 1)
	}
}

// write starts eight writers, and somebody who kills connections: theirs and
// the tasks'.
func (d *disorder) write(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	d.stop = stop
	for writer := range 8 {
		d.writers.Go(func() {
			for ctx.Err() == nil {
				d.transaction(ctx, writer)
			}
		})
	}
	d.writers.Go(func() {
		for pause(ctx, 300*time.Millisecond) {
			var id int64
			err := d.db.Pool().QueryRowContext(ctx, d.server.random).Scan(&id)
			if err == nil {
				_, _ = d.db.Pool().ExecContext(ctx, fmt.Sprintf(d.server.kill, id)) // it may be gone
			}
		}
	})
}

func (d *disorder) finish() {
	d.stop()
	d.writers.Wait()
}

// transaction inserts rows into every table. Whether it committed is known by
// what the tables hold in the end.
func (d *disorder) transaction(ctx context.Context, writer int) {
	tx, err := d.db.Pool().BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return
	}
	tables := []string{"counted", "stamped", "timed"}
	rand.Shuffle(len(tables), func(i, j int) { tables[i], tables[j] = tables[j], tables[i] })
	for range rand.IntN(3) + 1 {
		for _, table := range tables {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (writer) VALUES (%d)", table, writer)); err != nil {
				_ = tx.Rollback()
				return
			}
		}
	}
	length := rand.N(20 * time.Millisecond)
	if rand.IntN(10) == 0 {
		length = rand.N(d.longest)
	}
	pause(ctx, length)
	if rand.IntN(4) == 0 {
		err = tx.Rollback()
	} else {
		err = tx.Commit()
	}
	if errors.Is(err, sql.ErrTxDone) {
		panic("a transaction ended twice")
	}
}

// pause waits and reports whether it was to the end.
func pause(ctx context.Context, length time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(length):
		return true
	}
}

// arrived waits until every committed row is in its topic and returns how many
// records are there twice.
func (d *disorder) arrived(t *testing.T) (rows, repeated int) {
	t.Helper()
	for mode := range watchedModes {
		table := tableOf(mode)
		want := map[string]bool{}
		for _, row := range d.db.Query(t, "SELECT id FROM "+table) {
			want[row[0]] = true
		}
		if rows += len(want); len(want) == 0 {
			continue // and perhaps no topic
		}
		var got map[string]int
		harness.Eventually(t, "every row of "+table+" has arrived", func() (bool, string) {
			got = map[string]int{}
			for _, r := range d.broker.ReadAll(t, d.name+"_"+table) {
				var row struct {
					ID json.Number `json:"id"`
				}
				if err := json.Unmarshal(r.Value, &row); err != nil {
					t.Fatalf("%s: %v", r.Value, err)
				}
				got[row.ID.String()]++
			}
			var missing []string
			for id := range want {
				if got[id] == 0 {
					missing = append(missing, id)
				}
			}
			return len(missing) == 0, fmt.Sprintf("%d of %d rows are missing: %v", len(missing), len(want), missing[:min(len(missing), 20)])
		})
		for id, n := range got {
			if !want[id] {
				t.Errorf("%s: row %s was never committed", table, id)
			}
			repeated += n - 1
		}
	}
	return rows, repeated
}

// TestCommitsInAnyOrderLoseNoRow: first nothing is killed but connections, and
// every row comes once; then the worker is.
func TestCommitsInAnyOrderLoseNoRow(t *testing.T) {
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisorder(t, server)
			d.write(t)
			pause(t.Context(), 5*time.Second)
			d.finish()
			rows, repeated := d.arrived(t)
			t.Logf("%d rows", rows)
			if repeated > 0 {
				t.Errorf("%d records are repeated, and no worker was killed", repeated)
			}
			d.kills(t, 2, 8*time.Second)
		})
	}
}

// TestSoakCommitsInAnyOrderLoseNoRow is the same for SOAK with a kill every 15 s.
func TestSoakCommitsInAnyOrderLoseNoRow(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv("SOAK"), "0s"))
	if err != nil {
		t.Fatal(err)
	}
	if length == 0 {
		t.Skip("SOAK=5m, which make soak sets, is not set")
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) { newDisorder(t, server).kills(t, int(length/(15*time.Second)), 15*time.Second) })
	}
}

// kills writes on while the worker is killed again and again.
func (d *disorder) kills(t *testing.T, times int, every time.Duration) {
	t.Helper()
	_, before := d.arrived(t)
	d.write(t)
	for range times {
		pause(t.Context(), every)
		d.worker.Kill9(t)
		d.worker.Start(t)
	}
	pause(t.Context(), time.Second)
	d.finish()
	d.running(t)
	rows, repeated := d.arrived(t)
	t.Logf("%d rows, %d records repeated by %d kills", rows, repeated-before, times)
}
