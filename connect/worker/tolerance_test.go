package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kconnect/connect"
)

// attempt runs op as often as is tolerated.
func attempt(ctx context.Context, t *tolerance, op func() error) error { return t.again(ctx, op(), op) }

func TestRetriableErrorsAreRetriedForTheTimeThatIsAllowed(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		err     error
		calls   int
	}{
		{"no time", 0, connect.NewRetriable("r", nil), 1},
		{"not retriable", time.Minute, errors.New("f"), 1},
		{"a second", time.Second, connect.NewRetriable("r", nil), 3}, // after 0.3 and 0.9 s; the next would be at 2.1 s
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tol := &tolerance{retryTimeout: c.timeout, retryMax: time.Minute}
				calls := 0
				if err := attempt(t.Context(), tol, func() error { calls++; return c.err }); err == nil {
					t.Error("the error is lost")
				}
				if calls != c.calls {
					t.Errorf("%d calls, want %d", calls, c.calls)
				}
			})
		})
	}
}

func TestARetryEndsWithSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tol := &tolerance{retryTimeout: -1, retryMax: time.Second}
		calls := 0
		err := attempt(t.Context(), tol, func() error {
			if calls++; calls < 20 {
				return connect.NewRetriable("r", nil)
			}
			return nil
		})
		if err != nil || calls != 20 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
}

func TestRetriesComeLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tol := &tolerance{retryTimeout: 10 * time.Second, retryMax: time.Minute}
		begin := time.Now()
		var at []time.Duration
		_ = attempt(t.Context(), tol, func() error { at = append(at, time.Since(begin)); return connect.NewRetriable("r", nil) })
		// 300 ms, doubled each time; the next attempt would come after the timeout.
		want := []time.Duration{0, 300 * time.Millisecond, 900 * time.Millisecond, 2100 * time.Millisecond, 4500 * time.Millisecond, 9300 * time.Millisecond}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

func TestRetryDelaysHaveALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tol := &tolerance{retryTimeout: time.Minute, retryMax: time.Second}
		last := time.Now()
		_ = attempt(t.Context(), tol, func() error {
			if d := time.Since(last); d > time.Second {
				t.Errorf("a delay of %s", d)
			}
			last = time.Now()
			return connect.NewRetriable("r", nil)
		})
	})
}

func TestARetryEndsWithItsTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		tol := &tolerance{retryTimeout: -1, retryMax: time.Hour}
		if err := attempt(ctx, tol, func() error { return connect.NewRetriable("r", nil) }); !wasInterrupted(err) || time.Since(begin) != time.Second {
			t.Errorf("%v after %s of the clock", err, time.Since(begin))
		}
	})
}

func TestARetryEndsWithAnErrorThatNoTimeCures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		bad := connect.NewDataError("bad", nil)
		err := attempt(t.Context(), &tolerance{retryTimeout: -1, retryMax: time.Second}, func() error {
			if calls++; calls < 3 {
				return connect.NewRetriable("r", nil)
			}
			return bad
		})
		if !errors.Is(err, bad) || calls != 3 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

func TestTheErrorLogSaysAsMuchAsIsAllowed(t *testing.T) {
	for _, c := range []struct {
		name string
		tol  tolerance
		want []string
	}{
		{"nothing", tolerance{all: true}, nil},
		{"no records", tolerance{all: true, log: true}, []string{"class", "error", "stage"}},
		{"records of a sink", tolerance{all: true, log: true, logRecords: true}, []string{"class", "error", "offset", "partition", "stage", "timestamp", "topic"}},
		{"records of a source", tolerance{all: true, log: true, logRecords: true, source: true}, []string{"class", "error", "partition", "stage", "topic"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			core, logs := observer.New(zap.DebugLevel)
			c.tol.logger = zap.New(core)
			if err := c.tol.handle(t.Context(), &failure{stage: StageKeyConverter, class: "a.B", err: errors.New("no"), topic: "t"}); err != nil {
				t.Error(err)
			}
			var got []string
			for _, e := range logs.All() {
				got = append(got, slices.Sorted(maps.Keys(e.ContextMap()))...)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestToleranceDecidesWhetherARecordIsSkipped(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	bad := &failure{stage: StageValueConverter, class: "a.B", err: errors.New("no JSON"), topic: "t", offset: 7}
	none := &tolerance{log: true, logRecords: true, logger: zap.New(core), task: "c-0"}
	err := none.handle(t.Context(), bad)
	if err == nil || connect.MessageOf(err) != "Tolerance exceeded in error handler" || !errors.Is(err, bad.err) {
		t.Errorf("tolerance none: %v", err)
	}
	if logs.Len() != 1 || logs.All()[0].Message != "Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'a.B'." || logs.All()[0].ContextMap()["offset"] != int64(7) {
		t.Errorf("the log is %v", logs.All())
	}
	if err := (&tolerance{all: true}).handle(t.Context(), bad); err != nil {
		t.Errorf("tolerance all: %v", err)
	}
	if (&tolerance{all: true}).reports() || !none.reports() {
		t.Error("a reporter exists only with a dead letter queue or error logging")
	}
}
