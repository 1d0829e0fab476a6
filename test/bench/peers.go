package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/test/harness/service"
)

// peerBatch is batch.size and max.poll.records of all sinks that are compared.
const peerBatch = "3000"

// peer is a sink beside which ours is measured, or ours.
type peer struct {
	name     string
	start    func(ctx context.Context, name string) (*process, error)
	settings func(d *peerDatabase, mode, table string) map[string]string
}

// peerDatabase is a server that the sinks write to.
type peerDatabase struct {
	name           string
	db             *sql.DB
	url, tuned     string // connection.url, plain and with the batch rewriting of the Java driver
	user, password string
	count          func(ctx context.Context, table string) func() (int, error) // for timed; it counts from the first call on
}

// peers measures our sink beside those of Java in one run: the same records, one task each, the same batches.
func (b *bench) peers(ctx context.Context) error {
	d, err := service.FindDistribution()
	if err != nil {
		return err
	}
	all, err := b.sinksOfAll(d)
	if err != nil {
		return err
	}
	databases, err := b.peerDatabases(ctx)
	if err != nil {
		return err
	}
	defer func() {
		for _, d := range databases {
			_ = d.db.Close()
		}
	}()
	topic := b.run + "-envelopes"
	if err := b.produceEnvelopes(ctx, topic); err != nil {
		return err
	}
	for _, d := range databases {
		for _, mode := range []string{"insert", "upsert"} {
			var ours result
			for i, p := range all {
				name := d.name + " " + mode + ", " + p.name
				if err := b.beside(ctx, name, p, d, mode, topic); err != nil {
					return err
				}
				last := &b.results[len(b.results)-1]
				if i == 0 {
					ours = *last
				}
				last.raw = ours.name
			}
		}
	}
	b.printPeers()
	return nil
}

// sinksOfAll returns ours first.
func (b *bench) sinksOfAll(d service.Distribution) ([]peer, error) {
	cache, err := service.Cache()
	if err != nil {
		return nil, err
	}
	debezium := filepath.Join(cache, "peers", "lib")
	if drivers, err := filepath.Glob(filepath.Join(debezium, "debezium-connector-jdbc-*.jar")); err != nil || len(drivers) == 0 {
		return nil, fmt.Errorf("the Debezium JDBC sink is not in %s: run `make bench-peers`", debezium)
	}
	confluent := func(url func(*peerDatabase) string) func(*peerDatabase, string, string) map[string]string {
		return func(d *peerDatabase, mode, table string) map[string]string {
			m := map[string]string{
				"connector.class": jdbcSink, "connection.url": url(d), "connection.user": d.user, "connection.password": d.password,
				"insert.mode": mode, "auto.create": "true", "table.name.format": table,
			}
			if mode == "upsert" {
				m["pk.mode"], m["pk.fields"] = "record_value", "id"
			}
			return m
		}
	}
	all := []peer{
		{"kconnect", func(ctx context.Context, name string) (*process, error) { return b.start(ctx, name, nil) }, confluent(func(d *peerDatabase) string { return d.url })},
		{"Debezium", b.java(d, filepath.Dir(debezium)), func(d *peerDatabase, mode, table string) map[string]string {
			m := map[string]string{
				"connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "connection.url": d.tuned, "connection.username": d.user, "connection.password": d.password,
				"insert.mode": mode, "schema.evolution": "basic", "collection.name.format": table, "primary.key.mode": "none",
			}
			if mode == "upsert" {
				m["primary.key.mode"], m["primary.key.fields"] = "record_value", "id"
			}
			return m
		}},
	}
	if dir := os.Getenv("KCONNECT_PEER_JDBC"); dir != "" {
		plugins, err := b.peerPlugins(dir, debezium)
		if err != nil {
			return nil, err
		}
		all = append(all, peer{"Java JDBC", b.java(d, plugins), confluent(func(d *peerDatabase) string { return d.tuned })})
	}
	return all, nil
}

// peerPlugins makes a plugin path of the jars of a connector, with the drivers that came with the other.
func (b *bench) peerPlugins(dir, drivers string) (string, error) {
	plugins := filepath.Join(b.dir, "plugins")
	folder := filepath.Join(plugins, "jdbc")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for _, pattern := range []string{filepath.Join(dir, "*.jar"), filepath.Join(drivers, "mysql-connector-j-*.jar"), filepath.Join(drivers, "postgresql-*.jar")} {
		jars, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, jar := range jars {
			if jar, err = filepath.Abs(jar); err != nil {
				return "", err
			}
			if err := os.Symlink(jar, filepath.Join(folder, filepath.Base(jar))); err != nil && !os.IsExist(err) {
				return "", err
			}
		}
	}
	return plugins, nil
}

// java starts a Java worker with the heap that its own script gives it, and a group of its own.
func (b *bench) java(d service.Distribution, plugins string) func(context.Context, string) (*process, error) {
	return func(ctx context.Context, name string) (*process, error) {
		group := b.run + "-java"
		settings := map[string]string{"group.id": group, "plugin.path": plugins, "plugin.discovery": "service_load"}
		for _, topic := range []string{"offset", "config", "status"} {
			settings[topic+".storage.topic"] = group + "-" + topic
		}
		log := filepath.Join(b.dir, "log4j2.yaml")
		if err := os.WriteFile(log, []byte(javaLog), 0o644); err != nil { //nolint:gosec // no secret
			return nil, err
		}
		return b.startCommand(ctx, name, settings, func(file string) *exec.Cmd {
			return d.Command([]string{"-Xms256M", "-Xmx2G", "-Dlog4j2.configurationFile=" + log}, "org.apache.kafka.connect.cli.ConnectDistributed", file)
		})
	}
}

const javaLog = `Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout: {pattern: "%d{HH:mm:ss.SSS} %p %m (%c{1})%n%ex{short}"}
  Loggers:
    Root:
      level: WARN
      AppenderRef: {ref: out}
`

// peerDatabases returns those whose servers are up.
func (b *bench) peerDatabases(ctx context.Context) ([]*peerDatabase, error) {
	place := b.dsn.Addr + "/" + b.run
	// The counter of written rows is cheap, where counting a million rows again and again would be a load of its own.
	counter := func(ctx context.Context, table string) func() (int, error) {
		before := -1
		return func() (n int, err error) {
			now, err := b.written(ctx)
			if before < 0 {
				before = now
			}
			if n = now - before; err != nil || n < b.rows {
				return n, err
			}
			return n, b.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n)
		}
	}
	mariaDB, err := sql.Open("mysql", b.dsn.FormatDSN())
	if err != nil {
		return nil, err
	}
	all := []*peerDatabase{{name: "MariaDB", db: mariaDB, url: "jdbc:mariadb://" + place, tuned: "jdbc:mysql://" + place + "?rewriteBatchedStatements=true",
		user: b.dsn.User, password: b.dsn.Passwd, count: counter}}
	address := os.Getenv(service.EnvPostgres)
	if address == "" {
		return all, nil
	}
	name := b.run + "_sinks"
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	server, err := sql.Open("pgx", address)
	if err != nil {
		return nil, err
	}
	defer server.Close() //nolint:errcheck // only used for the database
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	u.Path = "/" + name
	postgres, err := sql.Open("pgx", u.String())
	if err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	plain := "jdbc:postgresql://" + u.Host + u.Path
	return append(all, &peerDatabase{name: "PostgreSQL", db: postgres, url: plain, tuned: plain + "?reWriteBatchedInserts=true",
		user: u.User.Username(), password: password, count: func(ctx context.Context, table string) func() (int, error) {
			return b.growth(ctx, postgres, table)
		}}), nil
}

// growth counts the rows of a table of PostgreSQL by its size, and really once that stands still: the server's counters are a second late.
func (b *bench) growth(ctx context.Context, db *sql.DB, table string) func() (int, error) {
	size, since := 0, time.Now()
	return func() (n int, err error) {
		var now int
		err = db.QueryRowContext(ctx, "SELECT COALESCE(pg_relation_size(to_regclass($1)), 0)", table).Scan(&now)
		switch {
		case err != nil || now == 0:
			return 0, err
		case now != size:
			size, since = now, time.Now()
			return 1, nil
		case time.Since(since) < 50*time.Millisecond:
			return 1, nil
		}
		return n, db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n)
	}
}

func (b *bench) produceEnvelopes(ctx context.Context, topic string) error {
	if _, err := b.admin.CreateTopic(ctx, 1, 1, nil, topic); err != nil {
		return err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer cl.Close()
	first := kgo.AbortingFirstErrPromise(cl)
	for n := range b.rows {
		cl.Produce(ctx, &kgo.Record{Value: appendEnvelope(make([]byte, 0, 640), n)}, first.Promise())
	}
	return cmp.Or(cl.Flush(ctx), first.Err())
}

// beside measures one sink into a new table.
func (b *bench) beside(ctx context.Context, name string, p peer, d *peerDatabase, mode, topic string) error {
	table := strings.ToLower(strings.ReplaceAll(p.name, " ", "_")) + "_" + mode
	cfg := p.settings(d, mode, table)
	maps.Copy(cfg, map[string]string{"tasks.max": "1", "topics": topic, "batch.size": peerBatch, "consumer.override.max.poll.records": peerBatch})
	w, err := p.start(ctx, "peer")
	if err != nil {
		return err
	}
	defer w.Stop(20 * time.Second) //nolint:errcheck // its work is done
	count := d.count(ctx, table)
	if _, err := count(); err != nil {
		return err
	}
	if err := b.timed(ctx, w, name, "", cfg, count); err != nil {
		return err
	}
	_, err = d.db.ExecContext(ctx, "DROP TABLE "+table)
	return err
}

func (b *bench) printPeers() {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "sink\trows/s\tkconnect is\tCPU us/row\tpeak MB")
	for _, r := range b.results {
		times := "-"
		if share, ok := b.share(r); ok && r.raw != r.name {
			times = fmt.Sprintf("%.1f times", 1/share)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%.2f\t%d\n", r.name, r.rate, times, float64(r.cpu.Nanoseconds())/1000, r.rss)
	}
	_ = w.Flush()
}
