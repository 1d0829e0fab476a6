// Command bench measures the worker beside raw loops of the same run: reading
// rows and producing bytes, and inserting rows with prepared multi-row
// statements. The share of the raw loop is the figure; absolute numbers move
// with the machine. It needs the services of `make bench`.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
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
	plot := flag.String("svg", "", "write a plot into this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *rows, *plot); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func measure(ctx context.Context, rows int, plot string) (err error) {
	b := &bench{rows: rows, brokers: os.Getenv("KCONNECT_TEST_BROKERS"), binary: os.Getenv("KCONNECT_TEST_BINARY"), run: fmt.Sprintf("bench%d", os.Getpid())}
	if b.brokers == "" || b.binary == "" || os.Getenv("KCONNECT_TEST_MARIADB") == "" {
		return fmt.Errorf("KCONNECT_TEST_BROKERS, KCONNECT_TEST_MARIADB and KCONNECT_TEST_BINARY are not set; run `make bench`")
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
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%s/%s, %d cores, load average %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), strings.TrimSpace(string(load)))
	for _, step := range []func(context.Context) error{b.rawSource, b.source, b.rawSinks, b.sinks} {
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

// prepare makes the database with the table users1.
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
	if b.db, err = sql.Open("mysql", b.dsn.FormatDSN()); err != nil {
		return err
	}
	if _, err := b.db.ExecContext(ctx, "CREATE TABLE users1 ("+columns+")"); err != nil {
		return err
	}
	_, err = b.db.ExecContext(ctx, "INSERT INTO users1(user_id, pwd, name, created_at) SELECT CONCAT('user', seq), CONCAT('pwd', seq), CONCAT('User number ', seq), "+
		fmt.Sprintf("FROM_UNIXTIME(1680000000 + seq) FROM seq_1_to_%d", b.rows))
	return err
}

func (b *bench) clean() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, _ = b.db.ExecContext(ctx, "DROP DATABASE `"+b.run+"`")
	_ = b.db.Close()
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
