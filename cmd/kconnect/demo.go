package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sync/errgroup"

	"kconnect/connect/config"
	"kconnect/connect/logging"
)

// The story of the demonstration, as in the README.
const (
	demoTable = "users1"
	demoTopic = "my_topic_users1"
)

// demo is one demonstration.
type demo struct {
	rows int
	dir  string
	port int
	once bool
	out  io.Writer

	broker *broker
	db     *sql.DB
	admin  *kadm.Client
	began  time.Time
}

func newDemoCommand() *cobra.Command {
	d := &demo{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Move rows from a table through a topic into a table, with everything in this one process",
		Long: "demo starts an embedded broker (loopback only) and an embedded SQLite database, runs a worker, posts a source and a sink\n" +
			"connector, and shows rows as they move. It stays up for curl until it is interrupted.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out = cmd.OutOrStdout()
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&d.rows, "rows", 1000, "rows to create in the table "+demoTable)
	cmd.Flags().StringVar(&d.dir, "dir", "", "folder for broker, database and log, kept for the next time (default: a temporary one, removed at the end)")
	cmd.Flags().IntVar(&d.port, "port", 8083, "port of the REST API")
	cmd.Flags().BoolVar(&d.once, "once", false, "leave when all rows have arrived")
	return cmd
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.rows < 0 {
		return fmt.Errorf("--rows %d: must not be negative", d.rows)
	}
	d.began = time.Now()
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "kconnect-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	} else if err := os.MkdirAll(d.dir, 0o750); err != nil {
		return err
	}
	if d.broker, err = startBroker(d.dir); err != nil {
		return err
	}
	defer d.broker.close()
	file := filepath.Join(d.dir, "demo.db")
	if d.db, err = openDemoDatabase(ctx, file); err != nil {
		return err
	}
	defer d.db.Close() //nolint:errcheck // nothing is left to be written
	log, err := os.OpenFile(filepath.Join(d.dir, "worker.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // written line by line
	client, err := kgo.NewClient(kgo.SeedBrokers(d.broker.address()))
	if err != nil {
		return err
	}
	d.admin = kadm.NewClient(client)
	defer d.admin.Close()

	d.say("broker    %s (embedded, loopback only)", d.broker.address())
	d.say("database  %s (SQLite)", file)
	d.say("worker    %s, log in %s", d.url(""), log.Name())

	running, stop := context.WithCancel(ctx)
	defer stop()
	g, gctx := errgroup.WithContext(running)
	g.Go(func() error {
		defer stop()
		levels := logging.NewLevels(time.Now)
		return runWorker(gctx, distributed, d.properties(), levels, logging.New(levels, zapcore.Lock(log)))
	})
	g.Go(func() error {
		if err := d.tell(gctx); err != nil && ctx.Err() == nil && gctx.Err() == nil {
			return err
		}
		if d.once {
			stop()
		}
		return nil
	})
	return g.Wait()
}

// properties is the configuration of the demonstration's worker.
func (d *demo) properties() config.Map {
	const json = "org.apache.kafka.connect.json.JsonConverter"
	return config.Map{
		"bootstrap.servers": d.broker.address(), "group.id": "kconnect-demo",
		"key.converter": json, "value.converter": json,
		"offset.storage.topic": "connect-offsets", "offset.storage.replication.factor": "1", "offset.storage.partitions": "1",
		"config.storage.topic": "connect-configs", "config.storage.replication.factor": "1",
		"status.storage.topic": "connect-status", "status.storage.replication.factor": "1", "status.storage.partitions": "1",
		"offset.flush.interval.ms": "1000",
		"listeners":                "http://127.0.0.1:" + strconv.Itoa(d.port),
	}
}

// openDemoDatabase makes the table users1.
func openDemoDatabase(ctx context.Context, file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)")
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS `+demoTable+` (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id VARCHAR(20), pwd VARCHAR(20),
		name VARCHAR(20), created_at TIMESTAMP DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')))`)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the table %s cannot be made in %s: %w", demoTable, file, err), db.Close())
	}
	return db, nil
}

// tell creates rows and connectors and shows what happens.
func (d *demo) tell(ctx context.Context) error {
	before, err := d.counts(ctx)
	if err != nil {
		return err
	}
	if err := d.insert(ctx, before.table); err != nil {
		return err
	}
	if err := d.awaitWorker(ctx); err != nil {
		return err
	}
	url := "jdbc:sqlite:" + filepath.Join(d.dir, "demo.db")
	connectors := []struct {
		name   string
		config map[string]string
	}{
		{"my-source-connect", map[string]string{
			"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "connection.url": url, "mode": "incrementing",
			"incrementing.column.name": "id", "table.whitelist": demoTable, "topic.prefix": "my_topic_", "poll.interval.ms": "500", "tasks.max": "1"}},
		{"my-sink-connect", map[string]string{
			"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "connection.url": url, "auto.create": "true", "auto.evolve": "true",
			"delete.enabled": "false", "topics": demoTopic, "tasks.max": "1"}},
	}
	for _, c := range connectors {
		status, err := d.post(ctx, c.name, c.config)
		if err != nil {
			return err
		}
		d.say("POST /connectors %s -> %d", c.name, status)
	}
	total, err := d.follow(ctx, before.table+d.rows)
	if err != nil {
		return err
	}
	d.say("%d rows went from table %s through topic %s into table %s, %.2f s after the start", total-before.copied, demoTable, demoTopic, demoTopic, time.Since(d.began).Seconds())
	if d.once {
		return nil
	}
	d.say("\nTry in another terminal:\n  curl -s %s | jq\n  curl -s %s | jq\n  curl -s %s | jq\nStop with Ctrl-C.",
		d.url("/connectors"), d.url("/connectors/my-source-connect/status"), "'"+d.url("/connectors?expand=info&expand=status")+"'")
	<-ctx.Done()
	return nil
}

// insert adds the rows of this run.
func (d *demo) insert(ctx context.Context, from int) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // a no-op after the commit
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+demoTable+"(user_id, pwd, name) VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // of a transaction that is over
	for i := from + 1; i <= from+d.rows; i++ {
		if _, err := insert.ExecContext(ctx, fmt.Sprintf("user%d", i), fmt.Sprintf("pwd%d", i), fmt.Sprintf("User %d", i)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// counts is how far the rows are.
type counts struct{ table, topic, copied int }

func (d *demo) counts(ctx context.Context) (c counts, err error) {
	if err := d.db.QueryRowContext(ctx, "SELECT count(*) FROM "+demoTable).Scan(&c.table); err != nil {
		return c, err
	}
	if ends, err := d.admin.ListEndOffsets(ctx, demoTopic); err == nil {
		ends.Each(func(o kadm.ListedOffset) { c.topic += int(max(o.Offset, 0)) })
	}
	var there int
	if err := d.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", demoTopic).Scan(&there); err != nil {
		return c, err
	}
	if there > 0 {
		err = d.db.QueryRowContext(ctx, "SELECT count(*) FROM "+demoTopic).Scan(&c.copied)
	}
	return c, err
}

// follow shows the counts until all rows have arrived.
func (d *demo) follow(ctx context.Context, want int) (int, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last counts
	for first := true; ; first = false {
		c, err := d.counts(ctx)
		if err != nil {
			return 0, err
		}
		if first || c != last {
			d.say("table %s %d -> topic %s %d -> table %s %d %s", demoTable, c.table, demoTopic, c.topic, demoTopic, c.copied, bar(c.copied, want))
		}
		if last = c; c.copied >= want {
			return c.copied, nil
		}
		if err := d.checkTasks(ctx); err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// bar draws how much of a whole is done.
func bar(done, of int) string {
	const width = 24
	n := width
	if of > 0 {
		n = min(width, done*width/of)
	}
	return "[" + string(bytes.Repeat([]byte{'#'}, n)) + string(bytes.Repeat([]byte{'.'}, width-n)) + "]"
}

// checkTasks reports a task that has failed: nobody should wait for its rows.
func (d *demo) checkTasks(ctx context.Context) error {
	var all map[string]struct {
		Status struct {
			Tasks []struct{ State, Trace string }
		}
	}
	if err := d.get(ctx, "/connectors?expand=status", &all); err != nil {
		return err
	}
	for name, c := range all {
		for _, t := range c.Status.Tasks {
			if t.State == "FAILED" {
				return fmt.Errorf("the task of %s failed: %s", name, t.Trace)
			}
		}
	}
	return nil
}

func (d *demo) awaitWorker(ctx context.Context) error {
	for {
		var names []string
		err := d.get(ctx, "/connectors", &names)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (d *demo) url(path string) string {
	return "http://" + net.JoinHostPort("localhost", strconv.Itoa(d.port)) + path
}

func (d *demo) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url(path), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read from
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// post creates a connector; one that is there from the last time is fine.
func (d *demo) post(ctx context.Context, name string, cfg map[string]string) (int, error) {
	body, err := json.Marshal(map[string]any{"name": name, "config": cfg})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url("/connectors"), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read from
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusConflict {
		return 0, fmt.Errorf("POST /connectors %s: %s: %s", name, resp.Status, text)
	}
	return resp.StatusCode, nil
}

func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format+"\n", args...) }
