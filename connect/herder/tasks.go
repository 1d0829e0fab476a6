package herder

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/storage"
)

// planTasks asks a connector that runs here for its tasks and publishes them
// when they changed. It goes on until that worked or the connector is gone.
func (h *Herder) planTasks(ctx context.Context, name string) {
	// A plan must not be published once the connector has moved on: its new
	// owner may have published another.
	ctx, cancel := h.worker.UntilStopped(ctx, name)
	defer cancel()
	begun := time.Now()
	for attempt := 0; ; attempt++ {
		c := h.configs.Snapshot().Connectors[name]
		if c == nil || c.Target != Started {
			return
		}
		tasks, err := h.worker.TaskConfigs(ctx, name, c.Config)
		if err == nil {
			if !tasksChanged(c, tasks) {
				return
			}
			if err = h.publish(ctx, name, tasks); err == nil || ctx.Err() != nil {
				return
			}
		} else if connect.KindOf(err) != connect.Retriable {
			return // it does not run here any more, or its status tells the user
		}
		delay := min(250*time.Millisecond<<min(attempt, 8), time.Minute)
		level := zap.WarnLevel
		var forbidden *ForbiddenError
		if errors.As(err, &forbidden) && time.Since(begun) < keyGrace {
			level = zap.DebugLevel
		}
		h.log.Log(level, "The tasks of a connector could not be planned and published; trying again", zap.String("connector", name), zap.Duration("after", delay), zap.Error(err))
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
		case <-h.stopping:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// keyGrace is how long a refused signature is nothing to tell of: the session
// key was replaced, and this worker or the leader has not read the new one.
const keyGrace = time.Minute

// tasksChanged reports whether planned tasks have to be written: another
// number, another configuration, or a connector configuration that is not the
// one of the last commit (spec internal-topics, "Write sequences").
func tasksChanged(c *storage.Connector, tasks []config.Map) bool {
	return c.Inconsistent || len(c.Tasks) != len(tasks) ||
		!slices.EqualFunc(c.Tasks, tasks, func(a, b config.Map) bool { return maps.Equal(a, b) }) ||
		!maps.EqualFunc(c.Applied, c.Config, func(a, b *string) bool {
			return a == nil && b == nil || a != nil && b != nil && *a == *b
		})
}

// publish writes task configurations, or sends them to the leader.
func (h *Herder) publish(ctx context.Context, name string, tasks []config.Map) error {
	err := h.ask(ctx, &request{kind: putTasks, name: name, tasks: tasks})
	var elsewhere *ElsewhereError
	if errors.As(err, &elsewhere) && elsewhere.URL != "" {
		return h.postTasks(ctx, elsewhere.URL, name, tasks)
	}
	return err
}

// postTasks sends task configurations to the leader, signed.
func (h *Herder) postTasks(ctx context.Context, leader, name string, tasks []config.Map) error {
	body, err := json.Marshal(tasks)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, leader+"connectors/"+url.PathEscape(name)+"/tasks", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "kafka-connect")
	if key := h.configs.Snapshot().SessionKey; key != nil {
		a, _ := findAlgorithm(h.cfg.Signing.Algorithm)
		req.Header.Set("X-Connect-Authorization", base64.StdEncoding.EncodeToString(sign(a, key.Key, body)))
		req.Header.Set("X-Connect-Request-Signature-Algorithm", a.name)
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return fmt.Errorf("the leader at %s cannot be reached: %w", leader, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read from
	if resp.StatusCode/100 == 2 {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<12))
	if resp.StatusCode == http.StatusForbidden {
		return &ForbiddenError{Message: fmt.Sprintf("the leader at %s answered %s: %s", leader, resp.Status, text)}
	}
	return fmt.Errorf("the leader at %s answered %s: %s", leader, resp.Status, text)
}

// PutTaskConfigs takes the tasks that the owner of a connector planned.
func (h *Herder) PutTaskConfigs(ctx context.Context, name string, tasks []config.Map, signature Signature) error {
	if h.cfg.Standalone {
		return errors.New("Kafka Connect in standalone mode does not support externally setting task configurations.") //nolint:staticcheck // Java's words
	}
	if err := h.verify(signature); err != nil {
		return err
	}
	return h.ask(ctx, &request{kind: putTasks, name: name, tasks: tasks})
}

// Fence is the fencing round of exactly-once source tasks, which no worker of
// this cluster can have asked for: exactly.once.source.support=enabled ends
// the start of ours (Promise 9).
func (h *Herder) Fence(_ context.Context, name string, signature Signature) error {
	if h.cfg.Standalone {
		return errors.New("Kafka Connect in standalone mode does not support exactly-once source connectors.") //nolint:staticcheck // Java's words
	}
	if err := h.verify(signature); err != nil {
		return err
	}
	return fmt.Errorf("connector %s cannot be fenced: this worker runs without exactly-once source support; make exactly.once.source.support the same on all workers", name)
}

// newLeaderClient makes the client of requests to the leader.
func newLeaderClient(t *tls.Config) *http.Client {
	return &http.Client{
		Timeout: 90 * time.Second,
		Transport: &http.Transport{
			// Workers reach each other directly, whatever proxy this process has.
			Proxy: nil, TLSClientConfig: t, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 30 * time.Second,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
