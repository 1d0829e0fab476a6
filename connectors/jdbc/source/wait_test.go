package source

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// No id is given up that someone holds, whatever sessions do between the looks:
// each runs statements that take an id or none, first outside of a transaction
// that lists show, then within it.
func TestGapsAreNotClosedWhileSomeoneHoldsTheirIDs(t *testing.T) {
	closed := 0
	rapid.Check(t, func(t *rapid.T) {
		type session struct {
			statement, transaction int // 0: none
			ids                    []int64
		}
		sessions := make([]session, 4)
		var w wait
		now, high, number := int64(0), int64(0), 0
		any := func(t *rapid.T) *session { return &sessions[rapid.IntRange(0, len(sessions)-1).Draw(t, "session")] }
		next := func() int { number++; return number }
		t.Repeat(map[string]func(*rapid.T){
			"statement": func(t *rapid.T) {
				s := any(t)
				if s.statement = next(); s.transaction == 0 {
					s.ids = nil // the statement before it failed
				}
				if rapid.Bool().Draw(t, "takes an id") {
					high++
					s.ids = append(s.ids, high)
				}
			},
			"transaction": func(t *rapid.T) {
				if s := any(t); s.statement > 0 && s.transaction == 0 {
					s.transaction = next()
				}
			},
			"statement ends": func(t *rapid.T) {
				s := any(t)
				if s.statement = 0; s.transaction == 0 {
					s.ids = nil // it failed
				}
			},
			"transaction ends": func(t *rapid.T) {
				if s := any(t); s.transaction > 0 {
					*s = session{}
				}
			},
			"look": func(*rapid.T) {
				now += listEvery.Milliseconds()
				var h dialect.Holders
				for i, s := range sessions {
					switch {
					case s.transaction > 0:
						h.Transactions = append(h.Transactions, fmt.Sprint("transaction ", i, s.transaction))
					case s.statement > 0:
						h.Statements = append(h.Statements, fmt.Sprint("statement ", i, s.statement))
					}
				}
				w.look(h, high, now)
			},
			"pass": func(t *rapid.T) {
				last, ok := w.over(now)
				if !ok {
					return
				}
				closed++
				w.reset()
				for i, s := range sessions {
					for _, id := range s.ids {
						if id <= last {
							t.Fatalf("ids through %d are closed, and session %d holds %d", last, i, id)
						}
					}
				}
			},
		})
	})
	if closed == 0 {
		t.Error("nothing was ever closed")
	}
}

func TestAPassThatBeganBeforeTheEndOfTransactionsProvesNothing(t *testing.T) {
	var w wait
	w.look(dialect.Holders{Transactions: []string{"a"}}, 9, 1000)
	w.look(dialect.Holders{Transactions: []string{"b"}}, 12, 2000)
	for began, want := range map[int64]bool{1500: false, 2000: false, 2999: false, 3000: true} {
		if last, ok := w.over(began); ok != want || ok && last != 9 {
			t.Errorf("a pass from %d on: %d, %t", began, last, ok)
		}
	}
}

// counted makes a table t whose ids the server counts.
func counted(t *testing.T, db *database) {
	db.exec(t, map[string]string{
		"sqlite":   "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, v TEXT)",
		"mariadb":  "CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v TEXT) ENGINE = InnoDB",
		"postgres": "CREATE TABLE t (id SERIAL PRIMARY KEY, v TEXT)",
	}[db.kind])
}

const insertCounted = "INSERT INTO t (v) VALUES ('')"

func begun(t *testing.T, db *database) *sql.Tx {
	t.Helper()
	tx, err := db.db.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = tx.ExecContext(t.Context(), insertCounted)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// hourly is a task that would watch its gaps for an hour.
func hourly(db *database, pairs ...string) config.Map {
	return with(taskConfig(db, "incrementing", "t", "incrementing.column.name", "id", keyGapTimeoutMS, "3600000", "poll.interval.ms", "20"), pairs...)
}

func TestAGapIsClosedWhenNobodyIsLeftToFillIt(t *testing.T) {
	for _, kind := range []string{"sqlite", "mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_closed")
			counted(t, db)
			db.exec(t, insertCounted)
			if kind == "sqlite" { // it gives the ids of a rollback again
				db.exec(t, insertCounted, "DELETE FROM t WHERE id = 2")
			} else if err := begun(t, db).Rollback(); err != nil {
				t.Fatal(err)
			}
			db.exec(t, insertCounted)
			cfg := hourly(db)
			r := newRun(t, cfg)
			task := startTask(t, r, cfg)
			if got := ids(t, r, task, 2); got != "1 3 " {
				t.Errorf("rows %s", got)
			}
			waitFor(t, "the gap to be closed", func() bool {
				r.take(pollOnce(t, task, 100))
				return task.watched.closed.Load() == 1
			})
			if open, lost := task.watched.gaps.Load(), task.watched.givenUp.Load(); open != 0 || lost != 0 {
				t.Errorf("%d gaps are open, %d ids were given up", open, lost)
			}
			if again := startTask(t, r, cfg); again.watched.gaps.Load() != 0 { // the notes in the offsets say so too
				t.Error("the gap is open again")
			}
		})
	}
}

// looks polls until the database was asked so many times who could fill gaps.
func looks(t *testing.T, r *run, task *Task, n int) {
	t.Helper()
	q := task.tables[0]
	last := q.wait.lookAt
	waitFor(t, "looks at the database", func() bool {
		r.take(pollOnce(t, task, 100))
		if task.opening == nil && q.wait.lookAt != last { // while it opens, the table is another goroutine's
			last = q.wait.lookAt
			n--
		}
		return n <= 0
	})
}

func TestAGapStaysOpenForAsLongAsItsTransaction(t *testing.T) {
	for _, kind := range []string{"mariadb", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_held")
			counted(t, db)
			db.exec(t, insertCounted)
			tx := begun(t, db)
			if err := begun(t, db).Rollback(); err != nil {
				t.Fatal(err)
			}
			db.exec(t, insertCounted)
			cfg := hourly(db)
			r := newRun(t, cfg)
			task := startTask(t, r, cfg)
			got := ids(t, r, task, 2)
			looks(t, r, task, 4)
			if n := task.watched.closed.Load(); n != 0 {
				t.Errorf("%d ids are closed, and a transaction is open", n)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if got += ids(t, r, task, 1); got != "1 4 2 " {
				t.Errorf("rows %s", got)
			}
			waitFor(t, "the id of the rollback to be closed", func() bool {
				r.take(pollOnce(t, task, 100))
				return task.watched.closed.Load() == 1
			})
		})
	}
}

func TestWhereTheDatabaseDoesNotTellGapsStayOpen(t *testing.T) {
	for name, c := range map[string]struct {
		kind  string
		alter []string
		user  string
		off   bool
		told  string
	}{
		"without the privilege":     {kind: "mariadb", alter: []string{"CREATE OR REPLACE USER kc_unprivileged IDENTIFIED BY 'password'", "GRANT SELECT ON kcsource_untold.* TO kc_unprivileged"}, user: "kc_unprivileged", told: "PROCESS"},
		"of another engine":         {kind: "mariadb", alter: []string{"ALTER TABLE t ENGINE = Aria"}, told: "InnoDB"},
		"with a cache of ids":       {kind: "postgres", alter: []string{"ALTER SEQUENCE t_id_seq CACHE 5"}, told: "CACHE 1"},
		"with another default":      {kind: "postgres", alter: []string{"ALTER TABLE t ALTER id SET DEFAULT 1 + nextval('t_id_seq')"}, told: "serial or identity"},
		"with ids of their writers": {kind: "sqlite", alter: []string{"DROP TABLE t", "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v TEXT)"}, told: "AUTOINCREMENT"},
		"and where that is off":     {kind: "sqlite", off: true},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t, c.kind, "kcsource_untold")
			counted(t, db)
			db.exec(t, c.alter...)
			db.exec(t, "INSERT INTO t (id, v) VALUES (1, ''), (3, '')")
			cfg := hourly(db)
			if c.user != "" {
				cfg = with(cfg, "connection.user", c.user, "connection.password", "password")
			}
			if c.off {
				cfg = with(cfg, keyGapEarly, "false")
			}
			r := newRun(t, cfg)
			task := startTask(t, r, cfg)
			ids(t, r, task, 2)
			q := task.tables[0]
			waitFor(t, "a round with gaps", func() bool {
				r.take(pollOnce(t, task, 100))
				return task.opening == nil && !q.askAt.IsZero() && (c.off || !q.wait.lookAt.IsZero()) // while it opens, the table is another goroutine's
			})
			if task.watched.gaps.Load() != 1 || q.wait.begun {
				t.Error("the gap is closed, or someone is waited for")
			}
			told := 0
			for what := range q.told {
				if strings.Contains(what, "ids that were skipped") && strings.Contains(what, c.told) {
					told++
				}
			}
			if want := map[bool]int{true: 0, false: 1}[c.off]; told != want {
				t.Errorf("it is told %d times: %v", told, q.told)
			}
		})
	}
}

// A list of one connection says nothing about the server of another.
func TestANewConnectionListsAnew(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	counted(t, db)
	d, err := dialect.Open(dialect.Config{URL: db.url})
	if err != nil {
		t.Fatal(err)
	}
	cfg := hourly(db)
	task := startTask(t, newRun(t, cfg), cfg)
	q := task.tables[0]
	q.criteria.id = "id"
	q.watch.see(1, 0)
	q.watch.see(3, 0)
	for range 2 {
		c, err := d.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		q.wait.names, q.wait.begun, q.wait.last = map[string]bool{"a": true}, true, 1
		q.lookForHolders(context.Background(), c, task.env.Now)
		if q.wait.last != 3 || q.wait.ended == 0 {
			t.Errorf("%+v", q.wait)
		}
		q.wait.ended = 0
	}
}
