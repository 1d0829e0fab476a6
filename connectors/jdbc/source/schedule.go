package source

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// schedule is when tables are read where kconnect.poll.schedule is set; nil is
// poll.interval.ms.
type schedule struct {
	cron cron.Schedule
	once bool // runs that were missed are made up for by one
}

// cronFields are those of cron, with the second in front where there are six,
// and words such as @daily.
var cronFields = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// parseSchedule reads a cron expression whose times are of zone, unless it
// begins with a zone of its own (CRON_TZ=Europe/Berlin). The zone's clock
// changes: a time that a day lacks is no run, and one that it has twice is one
// run, or two where the expression has any hour.
func parseSchedule(expression, zone string) (cron.Schedule, error) {
	expression = strings.TrimSpace(expression)
	if !strings.HasPrefix(expression, "CRON_TZ=") && !strings.HasPrefix(expression, "TZ=") {
		expression = "CRON_TZ=" + zone + " " + expression
	} else if !strings.Contains(expression, " ") {
		return nil, errors.New("a zone without times: put minute, hour, day of the month, month and day of the week behind it")
	}
	s, err := cronFields.Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("%w: write minute, hour, day of the month, month and day of the week, such as 0 3 * * 1-5, with the second in front if need be, or @hourly, @daily, @every 90s", err)
	}
	if s.Next(time.Unix(0, 0)).IsZero() {
		return nil, errors.New("no day is ever of that kind: see day of the month and month")
	}
	return s, nil
}

var cronExpression = config.Func("a cron expression", func(name string, v any) error {
	s, _ := v.(string)
	if strings.TrimSpace(s) == "" {
		return nil
	}
	if _, err := parseSchedule(s, "UTC"); err != nil {
		return config.Invalid(name, v, err.Error())
	}
	return nil
})

var cronZone = config.Func("a time zone", func(name string, v any) error {
	s, _ := v.(string)
	if _, err := time.LoadLocation(s); err != nil || s == "" || s == "Local" {
		return config.Invalid(name, v, "No such time zone: write one such as UTC or Europe/Berlin")
	}
	return nil
})

// first returns when a table is read first, and the time of the schedule that
// this run is for. last is the time of the last run that was finished, zero
// when none is known: then there is no saying that one was missed.
func (s *schedule) first(last, now time.Time) time.Time {
	if s == nil {
		return time.Time{}
	}
	if s.once && !last.IsZero() && !s.cron.Next(last).After(now) {
		return now
	}
	return s.cron.Next(now)
}

// next returns the run after the one of the time run, which ended now. Runs
// whose time came meanwhile, because this one took that long or waited for the
// database, were missed.
func (s *schedule) next(run, now time.Time) (at time.Time, missed bool) {
	at = s.cron.Next(run)
	switch {
	case at.After(now):
		return at, false
	case s.once:
		return now, true
	}
	return s.cron.Next(now), true
}

// after returns when a round that ends now is followed by the next.
func (t *table) after(now time.Time) time.Time {
	s := t.s.schedule
	if s == nil {
		return now.Add(t.s.pollInterval)
	}
	at, missed := s.next(t.slot, now)
	if missed {
		t.log.Warn("a run of kconnect.poll.schedule lasted beyond the time of the next",
			zap.String("table", t.id.String()), zap.Time("run", t.slot), zap.Time("next", at), zap.Bool("made up for", s.once))
	}
	t.slot = at
	return at
}

// ownFault says which of the settings of our own does not go with the others,
// and why; key is empty when none.
func (s *settings) ownFault() (key, message string) {
	switch {
	case s.primaryKey && s.query != "":
		return keyKeyMode, fmt.Sprintf("%s is primary_key, but a query has no primary key: read tables, or set %s=none and make a key with the ValueToKey transformation", keyKeyMode, keyKeyMode)
	case s.runHeaders && s.mode != bulk:
		return keyBulkRunHeaders, keyBulkRunHeaders + " is true, but mode is not bulk: only bulk reads whole tables in runs"
	case s.schedule == nil && s.lone != "":
		return s.lone, fmt.Sprintf("%s is set without %s: set that too, or leave it out", s.lone, keyPollSchedule)
	}
	return "", ""
}

var runNames = []string{"run"}

// storeRun stores that the run is over, once its records are in Kafka.
func (t *table) storeRun(b *connect.SourceBatch) {
	if t.s.schedule == nil {
		return
	}
	v := b.Values(1)
	v[0] = data.Int64Of(t.slot.UnixMilli())
	b.Store(t.runs, connect.SourceOffset{Names: runNames, Values: v})
}

// lastRun reads what storeRun stored; zero is none.
func lastRun(o connect.SourceOffset) (time.Time, error) {
	ms, found, err := integer(o, runNames[0])
	if err != nil || !found {
		return time.Time{}, err
	}
	return time.UnixMilli(ms), nil
}

// runsPartition names a table's last run among the offsets. It is a partition
// of its own, so that the offsets of Java stay as they are.
func runsPartition(p *connect.SourcePartition) *connect.SourcePartition { return p.Aside("run") }
