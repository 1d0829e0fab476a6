package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kconnect/test/harness/service"
)

// process is a worker of the binary under test.
type process struct {
	*service.Process
	url   string
	began time.Time     // when its process was started
	ready time.Duration // from then to the first 200
}

// start starts a worker with settings of its own beside the common ones.
func (b *bench) start(ctx context.Context, name string, settings map[string]string) (*process, error) {
	return b.startCommand(ctx, name, settings, func(file string) *exec.Cmd {
		return exec.Command(b.binary, "distributed", file) //nolint:gosec,noctx // the binary under test; it is stopped by Stop
	})
}

// startCommand starts the worker that command runs with a properties file, and waits until it answers.
func (b *bench) startCommand(ctx context.Context, name string, settings map[string]string, command func(file string) *exec.Cmd) (*process, error) {
	port, err := service.FreePort()
	if err != nil {
		return nil, err
	}
	const converter = "org.apache.kafka.connect.json.JsonConverter"
	properties := map[string]string{
		"bootstrap.servers": b.brokers, "group.id": b.run, "listeners": fmt.Sprintf("http://127.0.0.1:%d", port),
		"key.converter": converter, "value.converter": converter, "offset.flush.interval.ms": "10000",
		"offset.storage.topic": b.run + "-offsets", "offset.storage.replication.factor": "1",
		"config.storage.topic": b.run + "-configs", "config.storage.replication.factor": "1",
		"status.storage.topic": b.run + "-status", "status.storage.replication.factor": "1",
	}
	maps.Copy(properties, settings)
	var text strings.Builder
	for k, v := range properties {
		fmt.Fprintf(&text, "%s=%s\n", k, v)
	}
	file := filepath.Join(b.dir, name+".properties")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	begin := time.Now()
	p, err := service.StartProcess("the worker", command(file), filepath.Join(b.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	w := &process{Process: p, url: properties["listeners"], began: begin}
	for {
		if status, _, err := w.call(ctx, http.MethodGet, "/connectors", nil); err == nil && status == http.StatusOK {
			w.ready = time.Since(begin)
			return w, nil
		}
		select {
		case <-p.Exited():
			return nil, fmt.Errorf("the worker ended while it was starting:\n%s", p.Tail(20))
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (w *process) call(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read from
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func (w *process) create(ctx context.Context, name string, cfg map[string]string) error {
	body, err := json.Marshal(map[string]any{"name": name, "config": cfg})
	if err != nil {
		return err
	}
	status, answer, err := w.call(ctx, http.MethodPost, "/connectors", body)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("POST /connectors: %d %s", status, answer)
	}
	return err
}

const jdbcSink = "io.confluent.connect.jdbc.JdbcSinkConnector"

// account are the settings of a connector for the database of this run.
func (b *bench) account() map[string]string {
	return map[string]string{
		"connection.url":  "jdbc:mariadb://" + b.dsn.Addr + "/" + b.run,
		"connection.user": b.dsn.User, "connection.password": b.dsn.Passwd,
	}
}

// measure runs one connector in a worker of its own until count says that all
// rows are there. The time runs from the first row to the last.
func (b *bench) measure(ctx context.Context, name, raw string, cfg map[string]string, count func() (int, error)) error {
	w, err := b.start(ctx, "worker", nil)
	if err != nil {
		return err
	}
	defer w.Stop(10 * time.Second) //nolint:errcheck // its work is done
	full := b.account()
	full["tasks.max"] = "1"
	maps.Copy(full, cfg)
	return b.timed(ctx, w, name, raw, full, count)
}

// timed is measure in a worker that runs, with all settings of the connector.
func (b *bench) timed(ctx context.Context, w *process, name, raw string, cfg map[string]string, count func() (int, error)) error {
	idle := usage(w.PID())
	connector := b.run + "-" + strings.NewReplacer(" ", "-", ",", "").Replace(name)
	if err := w.create(ctx, connector, cfg); err != nil {
		return err
	}
	var first time.Time
	started := 0
	for {
		n, err := count()
		if err != nil {
			return err
		}
		if n > 0 && first.IsZero() {
			first, started = time.Now(), n
		}
		if n >= b.rows {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.Exited():
			return fmt.Errorf("%s: the worker ended:\n%s", name, w.Tail(20))
		case <-time.After(10 * time.Millisecond):
		}
		if status, body, err := w.call(ctx, http.MethodGet, "/connectors/"+connector+"/status", nil); err == nil && status == 200 && bytes.Contains(body, []byte(`"FAILED"`)) {
			return fmt.Errorf("%s: %s", name, body)
		}
	}
	took := time.Since(first)
	used := usage(w.PID())
	b.results = append(b.results, result{name: name, raw: raw, rate: float64(b.rows-started) / took.Seconds(),
		cpu: (used.cpu - idle.cpu) / time.Duration(b.rows), rss: peak(strconv.Itoa(w.PID()))})
	fmt.Printf("%s: %d rows in %.2f s; ready after %.0f ms, idle %d MB\n", name, b.rows-started, took.Seconds(), float64(w.ready.Microseconds())/1000, idle.rss)
	_, _, err := w.call(ctx, http.MethodDelete, "/connectors/"+connector, nil)
	return err
}
