package data

import (
	"testing"
	"time"

	"kconnect/connect/data/calendar"

	"pgregory.net/rapid"
)

// inZone runs a test with another process zone.
func inZone(t *testing.T, name string) {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zone data: %v", err)
	}
	process := time.Local
	time.Local = location
	t.Cleanup(func() { time.Local = process })
}

func TestCalendarChangesIn1582(t *testing.T) {
	inZone(t, "UTC")
	for ms, want := range map[int64]string{
		0:                                      "Thu Jan 01 00:00:00 UTC 1970",
		calendar.GregorianStart * millisPerDay: "Fri Oct 15 00:00:00 UTC 1582",
		calendar.GregorianStart*millisPerDay - 1000: "Thu Oct 04 23:59:59 UTC 1582",
		-62135769600000:                "Sat Jan 01 00:00:00 UTC 1",
		-62135769600000 - millisPerDay: "Fri Dec 31 00:00:00 UTC 1",
	} {
		if got := InstantOf(ms).String(); got != want {
			t.Errorf("%d: %s, want %s", ms, got, want)
		}
	}
}

func TestInstantOfClocksThatJump(t *testing.T) {
	inZone(t, "America/New_York")
	for _, test := range []struct{ local, want string }{
		{"2020-03-08T02:30:00Z", "2020-03-08T07:30:00Z"}, // the clock skips this hour
		{"2020-11-01T01:30:00Z", "2020-11-01T06:30:00Z"}, // the clock shows it twice
		{"2020-07-01T00:00:00Z", "2020-07-01T04:00:00Z"},
		{"1850-01-01T00:00:00Z", "1850-01-01T05:00:00Z"}, // no local mean time
	} {
		local, err := time.Parse(time.RFC3339, test.local)
		if err != nil {
			t.Fatal(err)
		}
		if got := time.UnixMilli(instantOf(local.UnixMilli())).UTC().Format(time.RFC3339); got != test.want {
			t.Errorf("%s: %s, want %s", test.local, got, test.want)
		}
	}
}

func TestInstantsAreWrittenAndReadAlike(t *testing.T) {
	for _, zone := range []string{"UTC", "Asia/Kolkata", "America/New_York"} {
		inZone(t, zone)
		rapid.Check(t, func(t *rapid.T) {
			// From 1980 on no clock of these zones shows an instant in a form of its own.
			ms := rapid.Int64Range(315_532_800_000, 253_402_000_000_000).Draw(t, "ms")
			text := string(appendTemporal(nil, ms))
			_, v, ok := parseTemporal(text)
			if !ok {
				t.Fatalf("%d became %s, which is no instant", ms, text)
			}
			if len(text) == timestampLength && v.Instant() != ms && v.Instant() != ms+3_600_000 {
				t.Fatalf("%d became %s and then %d", ms, text, v.Instant())
			}
		})
	}
}
