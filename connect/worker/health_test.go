package worker

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
)

func TestAWaitShowsAfterTenSecondsAndGoesWhenItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &health{now: time.Now}
		check := func(shown, changed bool) {
			t.Helper()
			trace, c := h.report()
			if (trace != "") != shown || c != changed {
				t.Errorf("shown %q, changed %t; want shown %t, changed %t", trace, c, shown, changed)
			}
			if shown && !strings.Contains(trace, "no route to the database") {
				t.Errorf("the trace is %q", trace)
			}
		}
		h.Waiting(errors.New("first"))
		time.Sleep(9 * time.Second)
		h.Waiting(connect.NewRetriable("no route to the database", nil)) // still the same wait
		check(false, false)
		time.Sleep(time.Second)
		check(true, true)
		check(true, false)
		h.Moving()
		check(false, true)
		check(false, false)
	})
}

func TestAKafkaThatAnswersDoesNotHideAWaitForTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &health{now: time.Now}
		h.Waiting(errors.New("database"))
		time.Sleep(time.Minute)
		h.move(&h.kafka)
		if trace, _ := h.report(); !strings.Contains(trace, "database") {
			t.Errorf("the trace is %q", trace)
		}
	})
}

func TestWhatIsShownChangesWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &health{now: time.Now}
		h.wait(&h.kafka, h.now(), errors.New("broker"))
		h.Waiting(errors.New("database"))
		time.Sleep(10 * time.Second)
		if trace, changed := h.report(); !changed || !strings.Contains(trace, "database") {
			t.Errorf("changed %t, %q", changed, trace)
		}
		h.Moving() // but Kafka is still away: the status must not go on blaming the database
		if trace, changed := h.report(); !changed || !strings.Contains(trace, "broker") {
			t.Errorf("changed %t, %q", changed, trace)
		}
	})
}

func TestAPauseDoesNotSwallowWhatATaskWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		l := newLife(h)
		b := base{health: &health{now: time.Now}, pause: newPause(false), report: l.move}
		b.began()
		b.health.Waiting(errors.New("no route"))
		b.pause.set(true)
		go b.awaitResumed(t.Context())
		synctest.Wait()
		time.Sleep(11 * time.Second)
		b.showHealth() // of a paused task: nothing to say
		b.pause.set(false)
		synctest.Wait()
		b.showHealth()
		if s := h.last(l.id); s.State != Running || !strings.Contains(s.Trace, "no route") {
			t.Errorf("the status after the pause is %s with trace %q", s.State, s.Trace)
		}
	})
}

func TestEveryWaitThatTheStatusCanShowIsMeasured(t *testing.T) {
	begun := time.UnixMilli(1)
	h := &health{now: func() time.Time { return begun }}
	for _, w := range []*wait{&h.task, &h.kafka, &h.topics, &h.converter, &h.acks, &h.put} {
		h.wait(w, begun, errors.New("not now"))
	}
	measured := make(map[string]time.Time)
	for _, w := range h.waits() {
		measured[w.On] = w.Since
	}
	want := map[string]time.Time{"connector": begun, "kafka": begun, "topics": begun, "converter": begun, "acknowledgements": begun, "write": begun}
	if diff := cmp.Diff(want, measured); diff != "" {
		t.Error("waits (-want +got):\n" + diff)
	}
}
