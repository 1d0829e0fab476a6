package worker

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kconnect/connect"
)

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
				if err := tol.retry(t.Context(), func() error { calls++; return c.err }); err == nil {
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
		err := tol.retry(t.Context(), func() error {
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
