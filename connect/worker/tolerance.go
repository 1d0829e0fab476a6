package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/metrics"
)

// Stage is the step at which a record failed, in the words of the dead letter headers.
type Stage string

// The stages.
const (
	StageKeyConverter    Stage = "KEY_CONVERTER"
	StageValueConverter  Stage = "VALUE_CONVERTER"
	StageHeaderConverter Stage = "HEADER_CONVERTER"
	StageTransformation  Stage = "TRANSFORMATION"
	StageTaskPut         Stage = "TASK_PUT"
	StageKafkaProduce    Stage = "KAFKA_PRODUCE"
)

// failure is one failed record on its way to the reporters.
type failure struct {
	stage Stage
	class string // Java class of the converter, transformation or task
	err   error
	// where of the record, for the log; payloads are never logged
	topic     string
	partition int32
	offset    int64
	timestamp int64
	raw       *consumed // the consumed bytes; nil for source records
}

// tolerance is what a connector's errors.* keys ask for.
type tolerance struct {
	all          bool
	retryTimeout time.Duration // negative: for ever
	retryMax     time.Duration
	failFast     bool // retryTimeout counts for converters, too
	log          bool
	logRecords   bool
	logger       *zap.Logger
	task         string // name-number, for the log
	source       bool
	dlq          *deadLetters // nil: none
	errors       *metrics.Errors
}

// connectionFailure is the switch of D11, which counts for the schema registry
// as for the database.
const connectionFailure = "kconnect.connection.failure"

// newTolerance reads the errors.* keys, which were validated, and the switch
// of D11 in the configuration m that they are from.
func newTolerance(v *config.Values, m config.Map, task string, source bool, logger *zap.Logger) *tolerance {
	failFast := m[connectionFailure] == "fail"
	if _, set := m[connectionFailure]; !set {
		failFast = m[compatibility] == "java"
	}
	t := &tolerance{
		all:          strings.EqualFold(v.String("errors.tolerance"), "all"),
		retryTimeout: time.Duration(v.Long("errors.retry.timeout")) * time.Millisecond,
		retryMax:     time.Duration(v.Long("errors.retry.delay.max.ms")) * time.Millisecond,
		failFast:     failFast,
		log:          v.Bool("errors.log.enable"),
		logRecords:   v.Bool("errors.log.include.messages"),
		logger:       logger,
		task:         task,
		source:       source,
	}
	return t
}

// reports reports whether a reporter exists, as Java decides it: a dead letter
// queue or error logging (spec jdbc-sink.md, section 7).
func (t *tolerance) reports() bool { return t.dlq != nil || t.log }

// report logs and sends a failure where the configuration wants it.
func (t *tolerance) report(ctx context.Context, f *failure) error {
	if t.log {
		t.errors.Logged()
		t.write(f)
	}
	if t.dlq != nil && f.raw != nil {
		return t.dlq.send(ctx, f)
	}
	return nil
}

// handle reports a failure and returns nil when the record is to be skipped,
// or the error that fails the task. What was interrupted is neither reported
// nor skipped.
func (t *tolerance) handle(ctx context.Context, f *failure) error {
	if wasInterrupted(f.err) {
		return f.err
	}
	t.errors.Failed(time.Now(), t.all)
	if err := t.report(ctx, f); err != nil {
		return err
	}
	if t.all {
		return nil
	}
	return connect.NewError("Tolerance exceeded in error handler", f.err)
}

// again goes on after a first attempt that ended with err, while the error is
// retriable and errors.retry.timeout allows: 300 ms later, then at twice the
// distance each time, above errors.retry.delay.max.ms after a random part of
// it. When ctx ends it gives up with an *interrupted.
func (t *tolerance) again(ctx context.Context, err error, op func() error) error {
	start := time.Now()
	for attempt := 0; err != nil && t.retryTimeout != 0 && connect.KindOf(err) == connect.Retriable; attempt++ {
		delay := 300 * time.Millisecond << min(attempt, 30)
		if delay > t.retryMax {
			delay = time.Duration(rand.Int64N(int64(t.retryMax) + 1))
		}
		if left := t.retryTimeout - time.Since(start); t.retryTimeout > 0 && delay > left {
			return err
		}
		if !sleep(ctx, delay) {
			return &interrupted{err}
		}
		t.errors.Retried()
		err = op()
	}
	return err
}

// retries returns again for a chain of transformations; nil when nothing is to
// be tried again.
func (t *tolerance) retries(ctx context.Context) func(err error, op func() error) error {
	if t.retryTimeout == 0 {
		return nil
	}
	return func(err error, op func() error) error { return t.again(ctx, err, op) }
}

// interrupted says that a record was being tried again when the task had to
// stop: it has not failed, and comes again with the next start.
type interrupted struct{ cause error }

func (e *interrupted) Error() string {
	return "the task was stopped while a record was tried again: " + e.cause.Error()
}
func (e *interrupted) Unwrap() error { return e.cause }

// wasInterrupted reports whether an error is no failure but the end of a retry.
func wasInterrupted(err error) bool {
	var i *interrupted
	return errors.As(err, &i)
}

func (t *tolerance) write(f *failure) {
	fields := []zap.Field{zap.String("stage", string(f.stage)), zap.String("class", f.class), zap.Error(f.err)}
	if t.logRecords {
		fields = append(fields, zap.String("topic", f.topic), zap.Int32("partition", f.partition))
		if !t.source {
			fields = append(fields, zap.Int64("offset", f.offset), zap.Int64("timestamp", f.timestamp))
		}
	}
	t.logger.Error("Error encountered in task "+t.task+". Executing stage '"+string(f.stage)+"' with class '"+f.class+"'.", fields...)
}

// sleep waits and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
