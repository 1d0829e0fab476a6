package source

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connectors/jdbc/dialect"
)

// A hundred connectors that start at any time of a round ask the database once
// a round.
func TestManyConnectorsAskTheCatalogueOnceARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const members, interval, rounds = 100, time.Minute, 10
		s, err := readSettings(smallest)
		if err != nil {
			t.Fatal(err)
		}
		shared := new(catalogs)
		ctx, cancel := context.WithCancel(t.Context())
		var asks atomic.Int64
		ask := func(context.Context) ([]dialect.TableID, error) {
			asks.Add(1)
			time.Sleep(time.Second)
			return []dialect.TableID{{Name: "t"}}, nil
		}
		var all sync.WaitGroup
		for i := range members {
			all.Go(func() {
				c := shared.join(s)
				defer shared.leave(c)
				time.Sleep(time.Duration(i) * interval / members)
				for seen := 0; ; {
					list, _ := c.tables(ctx, time.Now, seen, ask)
					if ctx.Err() != nil {
						return
					}
					if age := time.Since(list.began); age > interval {
						t.Errorf("connector %d has a list of %v ago", i, age)
					}
					seen = list.number
					if !sleep(ctx, interval-time.Since(list.began)) {
						return
					}
				}
			})
		}
		time.Sleep(2*interval + interval/2) // each has had its first list, and they look together
		before := asks.Load()
		time.Sleep(rounds * interval)
		if n := asks.Load() - before; n != rounds {
			t.Errorf("%d looks in %d rounds", n, rounds)
		}
		cancel()
		all.Wait()
		if len(shared.shared) != 0 {
			t.Errorf("%d catalogues are left", len(shared.shared))
		}
	})
}

// Connectors that start while the catalogue is read do not take that list,
// which may lack a table, but share the next.
func TestAFirstListIsNeverOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := readSettings(smallest)
		if err != nil {
			t.Fatal(err)
		}
		c := new(catalogs).join(s)
		asks := 0
		ask := func(context.Context) ([]dialect.TableID, error) {
			asks++
			time.Sleep(time.Second)
			return nil, errors.New("refused")
		}
		numbers := make([]int, 5)
		var all sync.WaitGroup
		for i := range numbers {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				list, _ := c.tables(t.Context(), time.Now, 0, ask)
				if list.err == nil {
					t.Error("the error is lost")
				}
				numbers[i] = list.number
			})
		}
		all.Wait()
		if !slices.Equal(numbers, []int{1, 2, 2, 2, 2}) || asks != 2 {
			t.Errorf("%d looks: %v", asks, numbers)
		}
	})
}

func TestAStoppedConnectorGivesNoAnswerToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := readSettings(smallest)
		if err != nil {
			t.Fatal(err)
		}
		c := new(catalogs).join(s)
		stopped, stop := context.WithCancel(t.Context())
		go c.tables(stopped, time.Now, 0, func(ctx context.Context) ([]dialect.TableID, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		synctest.Wait()
		time.AfterFunc(time.Second, stop)
		list, mine := c.tables(t.Context(), time.Now, 0, func(context.Context) ([]dialect.TableID, error) {
			return []dialect.TableID{{Name: "t"}}, nil
		})
		if !mine || list.err != nil || len(list.tables) != 1 {
			t.Errorf("got %+v", list)
		}
	})
}

func TestOnlyConnectorsThatAskTheSameShareACatalogue(t *testing.T) {
	keys := map[catalogKey]string{}
	for name, pairs := range map[string][]string{
		"as it is":   {},
		"URL":        {"connection.url", "jdbc:sqlite:y.db"},
		"user":       {"connection.user", "u"},
		"password":   {"connection.password", "p"},
		"property":   {"connection.busy_timeout", "1"},
		"catalogue":  {"catalog.pattern", "c"},
		"no schema":  {"schema.pattern", ""},
		"schema":     {"schema.pattern", "c"},
		"more kinds": {"table.types", "TABLE,VIEW"},
	} {
		s, err := readSettings(with(smallest, pairs...))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := keys[keyOf(s)]; ok {
			t.Errorf("%s and %s share", name, other)
		}
		keys[keyOf(s)] = name
	}
	s, err := readSettings(with(smallest, "table.whitelist", "other", "topic.prefix", "p"))
	if err != nil {
		t.Fatal(err)
	}
	if keys[keyOf(s)] != "as it is" {
		t.Error("connectors that differ in what they select do not share")
	}
}

// Connectors of one worker share by way of their plugin, and each selects its own table.
func TestConnectorsOfAWorkerShareACatalogue(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE a (id INT)", "CREATE TABLE b (id INT)")
	p := Plugins()[0]
	var connectors []*Connector
	for i := range 20 {
		c := p.New().(*Connector)
		env := &connect.ConnectorEnv{Env: connect.Env{
			Config: config.Map{"connection.url": db.url, "mode": "bulk", "table.whitelist": []string{"a", "b"}[i%2]},
			Logger: zap.NewNop(), Now: time.Now, Health: new(recordedHealth),
		}, Fail: func(err error) { t.Error(err) }}
		if err := c.Start(t.Context(), env); err != nil {
			t.Fatal(err)
		}
		connectors = append(connectors, c)
	}
	for i, c := range connectors {
		tasks, err := c.TaskConfigs(t.Context(), 5)
		if err != nil || len(tasks) != 1 || tasks[0][keyTables] != []string{`"a"`, `"b"`}[i%2] {
			t.Errorf("connector %d: %v %v", i, tasks, err)
		}
	}
	cs := connectors[0].catalogs
	cs.mu.Lock()
	if len(cs.shared) != 1 {
		t.Errorf("%d catalogues", len(cs.shared))
	}
	cs.mu.Unlock()
	for _, c := range connectors {
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(cs.shared) != 0 {
		t.Errorf("%d catalogues are left", len(cs.shared))
	}
}
