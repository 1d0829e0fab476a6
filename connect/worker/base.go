package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/group"
	"kconnect/connect/metrics"
)

// base is what source and sink tasks have in common.
type base struct {
	id        group.ID
	log       *zap.Logger
	now       func() time.Time
	health    *health
	tolerance *tolerance
	pause     *pause
	report    func(t Transition, trace string) // of the task's status
	meter     *metrics.Task
	begun     bool // the task's Start was called; of the goroutine that calls the task
}

// converterClasses are the Java class names of a task's converters, for reports.
type converterClasses struct{ key, value, header string }

// start calls a task's Start until it works, fails for good, or ctx ends. A
// paused task is not started before it is resumed, as in Java.
func (b *base) start(ctx context.Context, start func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		if !b.awaitResumed(ctx) {
			return nil
		}
		err := guard(func() error { return start(ctx) })
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			b.health.Moving()
			return nil
		}
		if connect.KindOf(err) != connect.Retriable {
			return err
		}
		b.health.Waiting(err)
		b.showHealth()
		if !b.rest(ctx, backoff(attempt)) {
			return nil
		}
	}
}

// stop calls a task's Stop, unless Start never was: a task that is stopped
// while it waits to be started holds nothing, and need not expect it.
func (b *base) stop(stop func() error) {
	if !b.begun {
		return
	}
	if err := guard(stop); err != nil {
		b.log.Warn("Stopping the task failed", zap.Error(err))
	}
}

// rest waits before something is tried again. A pause cuts it short, so that it
// shows at once. It returns false when ctx ended.
func (b *base) rest(ctx context.Context, d time.Duration) bool {
	changed := b.pause.changed()
	if b.pause.paused() {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-changed:
	}
	return true
}

// outlast goes on with a conversion whose first attempt ended with err. A
// retriable error of a converter is a schema registry that cannot answer now:
// it is waited for, however long, so that no good record is skipped or becomes
// a dead letter for it (Promise 4). A paused task does not ask. When ctx ends
// it gives up with an *interrupted.
func (b *base) outlast(ctx context.Context, err error, op func() error) error {
	retriable := func() bool { return connect.KindOf(err) == connect.Retriable }
	if b.tolerance.failFast && ctx.Err() == nil {
		err = b.tolerance.again(ctx, err, op)
	}
	for attempt := 0; !b.tolerance.failFast && err != nil && retriable() && ctx.Err() == nil; attempt++ {
		b.health.wait(&b.health.converter, b.now(), err) // Promise 5
		b.log.Warn("Converting a record failed and is tried again", zap.Error(err))
		if !b.rest(ctx, backoff(attempt)) || !b.pause.await(ctx) {
			break
		}
		b.tolerance.errors.Retried()
		err = op()
	}
	if err != nil && retriable() && ctx.Err() != nil { // a closed converter is no fault of the record
		return &interrupted{err}
	}
	if !b.tolerance.failFast {
		b.health.move(&b.health.converter)
	}
	return err
}

// began reports that the task runs, or is paused, and returns which.
func (b *base) began() (paused bool) {
	if b.pause.paused() {
		b.report(OnPause, "")
		return true
	}
	b.report(OnStart, "")
	b.health.hidden()
	return false
}

// awaitResumed blocks while the target is PAUSED and reports both changes. It
// returns false when ctx ended.
func (b *base) awaitResumed(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	resumed := b.pause.resumed()
	if resumed == nil {
		return true
	}
	b.report(OnPause, "")
	select {
	case <-ctx.Done():
		return false
	case <-resumed:
		b.report(OnStart, "")
		b.health.hidden() // a pause ends no wait: it shows again
		return true
	}
}

// showHealth writes the status when what the task waits for has to be shown
// or is over (Promise 5).
func (b *base) showHealth() {
	if b.pause.paused() {
		return
	}
	if trace, changed := b.health.report(); changed {
		b.report(OnStart, trace)
	}
}

// pause is the switch between running and paused.
type pause struct {
	mu   sync.Mutex
	on   bool
	flip chan struct{} // closed at the next change
}

func newPause(on bool) *pause { return &pause{on: on, flip: make(chan struct{})} }

func (p *pause) set(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on != on {
		p.on = on
		close(p.flip)
		p.flip = make(chan struct{})
	}
}

func (p *pause) paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.on
}

// changed returns a channel that closes at the next change.
func (p *pause) changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flip
}

// resumed returns nil while running, else a channel that closes on resume.
func (p *pause) resumed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on {
		return nil
	}
	return p.flip
}

// await blocks while paused. It returns false when ctx ended.
func (p *pause) await(ctx context.Context) bool {
	for resumed := p.resumed(); resumed != nil; resumed = p.resumed() {
		select {
		case <-ctx.Done():
			return false
		case <-resumed:
		}
	}
	return ctx.Err() == nil
}

// backoff is a growing, jittered delay: 0.1 s to 10 s.
func backoff(attempt int) time.Duration {
	d := min(100*time.Millisecond<<min(attempt, 10), 10*time.Second)
	return d/2 + time.Duration(rand.Int64N(int64(d/2)+1))
}

// guard turns a panic of a plugin into an error, so that it fails that task
// and nothing else.
func guard(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			cause, ok := p.(error)
			if !ok {
				cause = errors.New(fmt.Sprint(p))
			}
			err = connect.NewError("the plugin panicked: "+cause.Error()+"\n"+string(debug.Stack()), nil)
		}
	}()
	return call()
}
