package herder

import (
	"time"
)

// alarm is a timer that can be put off.
type alarm struct {
	c     <-chan time.Time // nil while it is off
	timer *time.Timer
	since time.Time // it was set
}

// extend sets the alarm to pause from now, but not later than limit after it
// was first set.
func (a *alarm) extend(pause, limit time.Duration) {
	now := time.Now()
	if a.c == nil {
		a.since = now
	}
	pause = max(0, min(pause, limit-now.Sub(a.since)))
	a.stop()
	a.timer = time.NewTimer(pause)
	a.c = a.timer.C
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.c = nil
}
