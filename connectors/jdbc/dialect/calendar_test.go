package dialect

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDaysFollowJavasCalendars(t *testing.T) {
	for _, c := range []struct {
		y, m, d           int64
		hybrid, gregorian int64
	}{ // golden md_types_temporal, pg_types_temporal_proleptic
		{1970, 1, 1, 0, 0},
		{2024, 2, 29, 19782, 19782},
		{1582, 10, 15, -141427, -141427},
		{1582, 10, 4, -141428, -141438},
		{1, 1, 1, -719164, -719162},
		{0, 1, 1, -719530, -719528},
		{1000, 1, 1, -354280, -354285},
		{9999, 12, 31, 2932896, 2932896},
		{2020, 0, 10, 18240, 18240}, // golden md_partial_zero_date
	} {
		if got := hybridDay(c.y, c.m, c.d); got != c.hybrid {
			t.Errorf("hybrid %d-%d-%d: %d, want %d", c.y, c.m, c.d, got, c.hybrid)
		}
		if got := gregorianDay(c.y, c.m, c.d); got != c.gregorian {
			t.Errorf("gregorian %d-%d-%d: %d, want %d", c.y, c.m, c.d, got, c.gregorian)
		}
	}
}

func TestDatesAndDaysAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.Int64Range(-1_500_000, 4_000_000).Draw(t, "day")
		y, m, d := hybridDate(day)
		if got := hybridDay(y, m, d); got != day {
			t.Fatalf("hybrid %d -> %d-%d-%d -> %d", day, y, m, d, got)
		}
		y, m, d = gregorianDate(day)
		if got := gregorianDay(y, m, d); got != day {
			t.Fatalf("gregorian %d -> %d-%d-%d -> %d", day, y, m, d, got)
		}
		if want := time.Unix(day*86400, 0).UTC(); int64(want.Year()) != y || int64(want.Month()) != m || int64(want.Day()) != d {
			t.Fatalf("gregorian %d is %d-%d-%d, want %s", day, y, m, d, want)
		}
	})
}

func mustZone(t testing.TB, name string) *Zone {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestWallClocksBecomeInstantsAsInJava(t *testing.T) {
	for _, c := range []struct {
		zone, wall string
		want       int64 // seconds
	}{ // golden md_types_temporal_newyork, md_types_temporal_tokyo
		{"America/New_York", "2024-03-10 02:30:00", 1710055800},
		{"America/New_York", "2024-11-03 01:30:00", 1730615400},
		{"America/New_York", "2024-11-03 00:59:59", 1730609999},
		{"America/New_York", "2024-07-01 12:00:00", 1719849600},
		{"Asia/Tokyo", "1000-01-01 00:00:00", -30609824400},
		{"Asia/Tokyo", "1900-01-01 00:00:00", -2209021200},
		{"JST", "2024-02-29 23:59:59", 1709218799},
		{"GMT+9", "2024-02-29 23:59:59", 1709218799},
		{"+09:00", "2024-02-29 23:59:59", 1709218799},
		{"UTC", "1969-12-31 23:59:58", -2},
	} {
		m, ok := parseMoment([]byte(c.wall))
		if !ok {
			t.Fatal(c.wall)
		}
		if got := m.timestamp(mustZone(t, c.zone), false).Seconds; got != c.want {
			t.Errorf("%s %s: %d, want %d", c.zone, c.wall, got, c.want)
		}
	}
	for _, name := range []string{"", "Local", "Mars/Olympus", "GMT+25", "+9x"} {
		if _, err := LoadZone(name); err == nil {
			t.Errorf("%q is accepted as a zone", name)
		}
	}
}

func TestInstantsComeBackFromTheirWallClock(t *testing.T) {
	zones := []*Zone{UTC, mustZone(t, "America/New_York"), mustZone(t, "Asia/Kolkata"), mustZone(t, "Australia/Lord_Howe"), mustZone(t, "-03:30")}
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		ts := Timestamp{rapid.Int64Range(-60_000_000_000, 60_000_000_000).Draw(t, "seconds"), rapid.Int32Range(0, 999_999_999).Draw(t, "nanos")}
		text := AppendMoment(nil, ts, z)
		m, ok := parseMoment(text)
		if !ok {
			t.Fatalf("%s does not parse", text)
		}
		got := m.timestamp(z, false)
		if got == ts {
			return
		}
		// Of an hour that comes twice the later one is meant.
		if z.Wall(got.Seconds) != z.Wall(ts.Seconds) || got.Seconds < ts.Seconds || got.Nanos != ts.Nanos {
			t.Fatalf("%+v -> %s -> %+v", ts, text, got)
		}
	})
}

func TestTimestampsRoundDown(t *testing.T) {
	if got := TimestampOf(-1); got != (Timestamp{-1, 999_000_000}) || got.Millis() != -1 {
		t.Errorf("got %+v", got)
	}
	ts := Timestamp{10, 123_456_789}
	if got := ts.Minus(200); got != (Timestamp{9, 923_456_789}) {
		t.Errorf("got %+v", got)
	}
}
