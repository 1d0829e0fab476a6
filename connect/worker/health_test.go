package worker

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
