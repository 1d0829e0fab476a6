package rest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kconnect/connect/herder"
)

func TestNothingIsServedBeforeTheWorkerIsReady(t *testing.T) {
	fake := newFake()
	fake.starting = true
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "m 1") })
	server := serve(t, fake, Config{Metrics: metrics})
	for _, path := range []string{"/", "/connectors", "/connectors/x", "/nope", "/admin/loggers"} {
		res, body := send(t, "GET", server.URL+path, nil, nil)
		if res.StatusCode != 404 || body != "" || res.Header["Content-Type"] != nil {
			t.Errorf("GET %s: %d %q %v", path, res.StatusCode, body, res.Header)
		}
	}
	if res, body := send(t, "GET", server.URL+"/health", nil, nil); res.StatusCode != 503 || !strings.Contains(body, `"status":"starting"`) {
		t.Errorf("GET /health: %d %s", res.StatusCode, body)
	}
	if res, body := send(t, "GET", server.URL+"/metrics", nil, nil); res.StatusCode != 200 || body != "m 1" {
		t.Errorf("GET /metrics: %d %s", res.StatusCode, body)
	}
	fake.starting = false
	if res, _ := send(t, "GET", server.URL+"/health", nil, nil); res.StatusCode != 200 {
		t.Errorf("GET /health of a ready worker: %d", res.StatusCode)
	}
}

// run starts a server on ports of its own; stop ends it.
func run(t *testing.T, h Herder, cfg Config) (s *Server, stop func() error) {
	t.Helper()
	s, err := New(h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return s, stop
}

func TestAdminListenersTakeAdminAway(t *testing.T) {
	local := []string{"http://127.0.0.1:0"}
	rules := []HeaderRule{{Name: "X-One", Value: "1", Replace: true}}
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "m 1") })
	for name, c := range map[string]struct {
		admin            []string
		onMain, onItself int
	}{
		"null": {nil, 200, 0}, "empty": {[]string{}, 404, 0}, "a list": {local, 404, 200},
	} {
		s, stop := run(t, newFake(), Config{Listeners: local, AdminListeners: c.admin, Headers: rules, Metrics: metrics})
		if res, body := send(t, "GET", "http://"+s.Addr().String()+"/admin/loggers", nil, nil); res.StatusCode != c.onMain {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
		if (s.AdminAddr() != nil) != (c.onItself != 0) {
			t.Errorf("%s: the admin address is %v", name, s.AdminAddr())
		}
		if c.onItself != 0 {
			base := "http://" + s.AdminAddr().String()
			if res, body := send(t, "GET", base+"/admin/loggers", nil, nil); res.StatusCode != c.onItself || res.Header.Get("X-One") != "" {
				t.Errorf("%s: %d %s %v", name, res.StatusCode, body, res.Header)
			}
			if res, body := send(t, "GET", base+"/metrics", nil, nil); res.StatusCode != 200 || body != "m 1" {
				t.Errorf("%s: GET /metrics of the admin listener: %d %s", name, res.StatusCode, body)
			}
			if res, body := send(t, "GET", base+"/connectors", nil, nil); res.StatusCode != 404 || body != `{"error_code":404,"message":"HTTP 404 Not Found"}` {
				t.Errorf("%s: %d %s", name, res.StatusCode, body)
			}
		}
		if err := stop(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFaultsOfListenersNameKeyAndRemedy(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, c := range []struct {
		cfg  Config
		says string
	}{
		{Config{}, "listeners"},
		{Config{Listeners: []string{"https://:0"}}, "certificate"},
		{Config{Listeners: []string{"http://:0"}, AdminListeners: []string{"x"}}, "admin.listeners"},
		{Config{Listeners: []string{"http://127.0.0.1:0", "http://" + taken.Addr().String()}}, taken.Addr().String()},
	} {
		s, err := New(newFake(), c.cfg)
		if err == nil {
			err = s.Listen()
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v does not say %s", c.cfg, err, c.says)
		}
	}
}

// pipes is a listener in memory, so that time can be the test's own.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// inMemory runs test with a server whose connections are pipes, in fake time.
func inMemory(t *testing.T, fake *fakeHerder, test func(t *testing.T, p *pipes, stop context.CancelFunc)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(fake, Config{Listeners: []string{"http://:0"}})
		if err != nil {
			t.Fatal(err)
		}
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		s.ports[0].open = p
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		test(t, p, cancel)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// exchange sends text and returns the answer; fake time passes while it waits.
func exchange(t *testing.T, c net.Conn, text string) (status int, body string, err error) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		return 0, "", err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func TestHalfOpenClientsAreCutOff(t *testing.T) {
	inMemory(t, newFake(), func(t *testing.T, p *pipes, _ context.CancelFunc) {
		silent := p.dial()
		if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("silence: %v", err)
		}
		slowHeader := p.dial()
		status, body, err := exchange(t, slowHeader, "GET / HTTP/1.1\r\nHost: h\r\nX-")
		if err == nil && status != http.StatusBadRequest {
			t.Errorf("half a header: %d %s", status, body)
		}
		slowBody := p.dial()
		status, body, err = exchange(t, slowBody, "PUT /connectors/x/pause HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{")
		if status != http.StatusRequestTimeout || err != nil {
			t.Errorf("half a body: %d %s %v", status, body, err)
		}
		nobodys := p.dial()
		status, body, err = exchange(t, nobodys, "POST /nope HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{")
		if status != http.StatusNotFound || err != nil {
			t.Errorf("half a body to no resource: %d %s %v", status, body, err)
		}
		for name, c := range map[string]net.Conn{"header": slowHeader, "body": slowBody, "body to no resource": nobodys} {
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("the connection after half a %s: %v", name, err)
			}
		}
	})
}

func TestConnectionsAreBounded(t *testing.T) {
	s, err := New(newFake(), Config{Listeners: []string{"http://127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	s.connections = 2
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() { cancel(); <-done }()
	var open []net.Conn
	for i := range 3 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		open = append(open, c)
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // an answer would come at once
		}
		_, err = c.Read(make([]byte, 1))
		if got := errors.Is(err, os.ErrDeadlineExceeded); got != (i == 2) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	_ = open[0].Close()
	_ = open[2].SetReadDeadline(time.Time{})
	if _, err := open[2].Read(make([]byte, 1)); err != nil {
		t.Errorf("the connection that waited: %v", err)
	}
}

func TestRequestsEndAfterTheirTime(t *testing.T) {
	fake := newFake()
	fake.connectors["c"] = &fakeConnector{state: herder.Started}
	fake.hang = true
	inMemory(t, fake, func(t *testing.T, p *pipes, _ context.CancelFunc) {
		writer, reader := p.dial(), p.dial()
		answered := make(chan string, 1)
		go func() {
			status, body, err := exchange(t, writer, "DELETE /connectors/c HTTP/1.1\r\nHost: h\r\n\r\n")
			answered <- fmt.Sprint(status, body, err)
		}()
		synctest.Wait()
		if status, body, err := exchange(t, reader, "GET /connectors/c HTTP/1.1\r\nHost: h\r\n\r\n"); status != 200 || err != nil {
			t.Errorf("a read beside a hanging write: %d %s %v", status, body, err)
		}
		if got := <-answered; !strings.HasPrefix(got, "500") || !strings.Contains(got, "Request timed out") {
			t.Errorf("a write that hangs: %s", got)
		}
		_ = writer.Close()
		_ = reader.Close()
	})
}

func TestStoppingEndsRunningRequests(t *testing.T) {
	fake := newFake()
	fake.hang = true
	inMemory(t, fake, func(t *testing.T, p *pipes, stop context.CancelFunc) {
		c := p.dial()
		answered := make(chan string, 1)
		go func() {
			status, body, err := exchange(t, c, "DELETE /connectors/c HTTP/1.1\r\nHost: h\r\n\r\n")
			answered <- fmt.Sprint(status, body, err)
		}()
		synctest.Wait()
		stop()
		if got := <-answered; !strings.HasPrefix(got, "503") || !strings.Contains(got, "shutting down") {
			t.Errorf("%s", got)
		}
	})
}
