package source

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect"
)

func TestSchedulesAreCronExpressions(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct{ expression, zone, after, want string }{
		{"0 3 * * *", "UTC", "2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"},
		{"30 0 3 * * *", "UTC", "2026-01-01T03:00:00Z", "2026-01-01T03:00:30Z"},
		{"*/10 * * * * *", "UTC", "2026-01-01T03:00:01Z", "2026-01-01T03:00:10Z"},
		{"0 9 * * 1-5", "UTC", "2026-01-02T09:00:00Z", "2026-01-05T09:00:00Z"},
		{"@daily", "Europe/Berlin", "2026-01-01T12:00:00Z", "2026-01-01T23:00:00Z"},
		{"0 3 * * *", "Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-02T01:00:00Z"},
		{"CRON_TZ=Asia/Tokyo 0 3 * * *", "Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01T18:00:00Z"},
		{"TZ=Asia/Tokyo 0 3 * * *", "UTC", "2026-07-01T12:00:00Z", "2026-07-01T18:00:00Z"},
		{"@every 90s", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"},
	} {
		s, err := parseSchedule(c.expression, c.zone)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if d := cmp.Diff(c.want, s.Next(at(c.after)).UTC().Format(time.RFC3339)); d != "" {
			t.Errorf("%s in %s after %s (-want +got):\n%s", c.expression, c.zone, c.after, d)
		}
	}
	for expression, want := range map[string]string{
		"hourly":                 "write minute, hour",
		"61 * * * *":             "61",
		"* * * *":                "write minute, hour",
		"0 0 30 2 *":             "no day is ever",
		"CRON_TZ=UTC":            "without times",
		"CRON_TZ=Mars 0 0 * * *": "Mars",
		"@reboot":                "@reboot",
	} {
		if _, err := parseSchedule(expression, "UTC"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
}

func TestMissedRunsAreSkippedOrMadeUpForOnce(t *testing.T) {
	hourly, err := parseSchedule("@hourly", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		var h, m int
		if _, err := fmt.Sscanf(text, "%d:%d", &h, &m); err != nil {
			t.Fatal(err)
		}
		return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
	}
	for name, c := range map[string]struct {
		once             bool
		last, now, first string
	}{
		"nothing is known":             {true, "", "1:30", "2:00"},
		"none was missed":              {true, "1:00", "1:30", "2:00"},
		"one was missed":               {true, "1:00", "2:30", "2:30"},
		"many were missed":             {true, "1:00", "9:30", "9:30"},
		"its time is now":              {true, "1:00", "2:00", "2:00"},
		"one was missed and is passed": {false, "1:00", "2:30", "3:00"},
	} {
		s := &schedule{hourly, c.once}
		if got := s.first(clock(c.last), clock(c.now)); !got.Equal(clock(c.first)) {
			t.Errorf("%s: first at %v, want %s", name, got, c.first)
		}
	}
	for name, c := range map[string]struct {
		once           bool
		run, now, next string
		missed         bool
	}{
		"it was short":           {false, "1:00", "1:01", "2:00", false},
		"it was short, once":     {true, "1:00", "1:01", "2:00", false},
		"it was long":            {false, "1:00", "3:30", "4:00", true},
		"it was long, once":      {true, "1:00", "3:30", "3:30", true},
		"the run in place of it": {true, "3:30", "3:40", "4:00", false},
	} {
		s := &schedule{hourly, c.once}
		if got, missed := s.next(clock(c.run), clock(c.now)); !got.Equal(clock(c.next)) || missed != c.missed {
			t.Errorf("%s: next at %v (missed: %v), want %s", name, got, missed, c.next)
		}
	}
}

// A task reads at the times of the schedule, also of a day that it slept
// through, and says where the worker stores its last run.
func TestATaskReadsBySchedule(t *testing.T) {
	db := newDatabase(t, "sqlite", "")
	db.exec(t, "CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1),(2)")
	for missed, want := range map[string]string{
		"skip": "01 03:00 run 01 03:00; 02 03:00 run 02 03:00; 06 03:00 run 06 03:00",
		"once": "01 03:00 run 01 03:00; 02 03:00 run 02 03:00; 05 12:00 run 05 12:00; 06 03:00 run 06 03:00",
	} {
		t.Run(missed, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := taskConfig(db, "bulk", "t", "kconnect.poll.schedule", "0 3 * * *", "kconnect.poll.schedule.missed", missed)
				r := newRun(t, cfg)
				var got []string
				until := func(end time.Time) {
					task := new(Task)
					env := connect.Env{Config: cfg, Logger: r.logger(), Now: time.Now, Health: &r.health}
					if err := task.Start(context.Background(), &connect.SourceEnv{Env: env, Offsets: r}); err != nil {
						t.Fatal(err)
					}
					for time.Now().Before(end) {
						b := connect.NewSourceBatch(100, 1<<30)
						if err := task.Poll(context.Background(), b); err != nil {
							t.Fatal(err)
						}
						if len(b.Records) == 0 {
							time.Sleep(time.Minute - time.Second) // a quick night
							continue
						}
						if len(b.Records) != 2 || len(b.Positions) != 1 {
							t.Fatalf("%d records and %d positions", len(b.Records), len(b.Positions))
						}
						p := b.Positions[0]
						ms := p.Offset.Get("run").Int()
						r.offsets[partitionText(t, p.Source)] = seeded{map[string]any{"run": ms}}
						got = append(got, time.Now().UTC().Format("02 15:04")+" run "+time.UnixMilli(ms).UTC().Format("02 15:04"))
					}
					if err := task.Stop(context.Background()); err != nil {
						t.Fatal(err)
					}
				}
				start := time.Now()
				until(start.Add(36 * time.Hour))
				time.Sleep(3 * 24 * time.Hour)
				until(start.Add(5*24*time.Hour + 12*time.Hour))
				if d := cmp.Diff(strings.Split(want, "; "), got); d != "" {
					t.Errorf("runs (-want +got):\n%s", d)
				}
			})
		})
	}
}
