// Command bench measures the worker beside raw loops of the same run: reading
// rows and producing bytes, and inserting rows with prepared multi-row
// statements. The share of the raw loop is the figure; absolute numbers move
// with the machine. Then it measures groups of workers with many connectors. It
// needs the services of `make bench`.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// bench is one run.
type bench struct {
	rows    int
	brokers string
	dsn     *mysql.Config
	binary  string
	dir     string // of logs and the properties file
	db      *sql.DB
	admin   *kadm.Client
	run     string // unique part of topics and tables
	results []result
}

// result is one measured figure.
type result struct {
	name string
	raw  string // the raw loop that it is compared with; empty for the raw loops themselves
	rate float64
	cpu  time.Duration // a row
	rss  int           // peak, MB
}

func main() {
	rows := flag.Int("rows", 1_000_000, "rows of the table users1")
	plot := flag.String("svg", "", "write a plot of the rows into this file")
	only := flag.String("only", "", "rows, latency or cluster: only that part; peers: rows beside Java connectors")
	connectors := flag.String("connectors", "200,1000", "sizes of the clusters")
	records := flag.Int("latency", 120, "records, one a second, whose latency is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, *only, *rows, *records, *plot, *connectors)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, rows, records int, plot, connectors string) error {
	var sizes []int
	for text := range strings.SplitSeq(connectors, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-connectors %s: %w", connectors, err)
		}
		sizes = append(sizes, n)
	}
	brokers, binary := os.Getenv("KCONNECT_TEST_BROKERS"), os.Getenv("KCONNECT_TEST_BINARY")
	if brokers == "" || binary == "" {
		return errors.New("KCONNECT_TEST_BROKERS and KCONNECT_TEST_BINARY are not set; run `make bench`")
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%s/%s, %d cores, load average %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), strings.TrimSpace(string(load)))
	b := &bench{rows: rows, brokers: brokers, binary: binary, run: fmt.Sprintf("bench%d", os.Getpid())}
	parts := []part{
		{"rows", func(ctx context.Context) error { return b.shares(ctx, plot) }},
		{"latency", func(ctx context.Context) error { return b.latency(ctx, records, time.Second) }},
	}
	if only == "peers" { // they need jars that nothing else does
		parts = []part{{"peers", b.peers}}
	}
	if only != "cluster" {
		if err := b.each(ctx, only, parts); err != nil {
			return err
		}
	}
	if only == "" || only == "cluster" {
		return clusters(ctx, brokers, binary, sizes)
	}
	return nil
}

// part is what -only chooses from.
type part struct {
	name string
	run  func(context.Context) error
}

// each runs the parts that are asked for, with a database at hand.
func (b *bench) each(ctx context.Context, only string, parts []part) (err error) {
	if os.Getenv("KCONNECT_TEST_MARIADB") == "" {
		return errors.New("KCONNECT_TEST_MARIADB is not set; run `make bench`")
	}
	if b.dsn, err = mysql.ParseDSN(os.Getenv("KCONNECT_TEST_MARIADB")); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "kconnect-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir) //nolint:errcheck // a temporary folder
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...))
	if err != nil {
		return err
	}
	b.admin = kadm.NewClient(client)
	defer b.admin.Close()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer b.clean() //nolint:contextcheck // also after an interrupt
	for _, p := range parts {
		if only != "" && only != p.name {
			continue
		}
		if err := p.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// shares measures the worker beside raw loops, one task each.
func (b *bench) shares(ctx context.Context, plot string) error {
	if err := b.fill(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{b.sources, b.sinks} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	b.print()
	if plot != "" {
		return os.WriteFile(filepath.Clean(plot), []byte(b.svg()), 0o644) //nolint:gosec // a picture for the documentation
	}
	return nil
}

// prepare makes the database.
func (b *bench) prepare(ctx context.Context) error {
	server, err := sql.Open("mysql", b.dsn.FormatDSN())
	if err != nil {
		return err
	}
	defer server.Close() //nolint:errcheck // only used for the database
	if _, err := server.ExecContext(ctx, "CREATE DATABASE `"+b.run+"`"); err != nil {
		return err
	}
	b.dsn.DBName = b.run
	b.db, err = sql.Open("mysql", b.dsn.FormatDSN())
	return err
}

// fill makes the table users1 with its rows.
func (b *bench) fill(ctx context.Context) error {
	if _, err := b.db.ExecContext(ctx, "CREATE TABLE users1 ("+columns+")"); err != nil {
		return err
	}
	_, err := b.db.ExecContext(ctx, "INSERT INTO users1(user_id, pwd, name, created_at) SELECT CONCAT('user', seq), CONCAT('pwd', seq), CONCAT('User number ', seq), "+
		fmt.Sprintf("FROM_UNIXTIME(1680000000 + seq) FROM seq_1_to_%d", b.rows))
	return err
}

func (b *bench) clean() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, _ = b.db.ExecContext(ctx, "DROP DATABASE `"+b.run+"`")
	_ = b.db.Close()
	b.deleteTopics(ctx)
}

// deleteTopics deletes the topics of this run.
func (b *bench) deleteTopics(ctx context.Context) {
	if topics, err := b.admin.ListTopics(ctx); err == nil {
		var mine []string
		for _, t := range topics.Names() {
			if strings.HasPrefix(t, b.run) {
				mine = append(mine, t)
			}
		}
		_, _ = b.admin.DeleteTopics(ctx, mine...)
	}
}

// share returns a result's part of its raw loop.
func (b *bench) share(r result) (float64, bool) {
	for _, raw := range b.results {
		if raw.name == r.raw {
			return r.rate / raw.rate, true
		}
	}
	return 0, false
}

func (b *bench) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "figure\trows/s\tshare of raw\tCPU us/row\tpeak MB")
	for _, r := range b.results {
		share := "-"
		if s, ok := b.share(r); ok {
			share = fmt.Sprintf("%.2f", s)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%.2f\t%d\n", r.name, r.rate, share, float64(r.cpu.Nanoseconds())/1000, r.rss)
	}
	_ = w.Flush()
}
