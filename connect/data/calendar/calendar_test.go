package calendar_test

import (
	"testing"
	"time"

	"kconnect/connect/data/calendar"
)

func TestDateAndDayAreInverse(t *testing.T) {
	for days := int64(-1_000_000); days < 1_000_000; days += 13 {
		year, month, day := calendar.Date(days)
		if got := calendar.Day(year, int(month), day); got != days {
			t.Fatalf("day %d is %d-%d-%d, which is day %d", days, year, month, day, got)
		}
	}
}

func TestDateIsGregorianFrom1582(t *testing.T) {
	for days := int64(calendar.GregorianStart); days < 1_000_000; days += 7 {
		year, month, day := calendar.Date(days)
		if want := time.Unix(days*86400, 0).UTC(); want.Year() != year || want.Month() != month || want.Day() != day {
			t.Fatalf("day %d is %d-%d-%d, want %s", days, year, month, day, want.Format(time.DateOnly))
		}
	}
	if year, month, day := calendar.Date(calendar.GregorianStart - 1); year != 1582 || month != time.October || day != 4 {
		t.Errorf("the last Julian day is %d-%d-%d", year, month, day)
	}
}

func TestMonthsRollOver(t *testing.T) {
	a, _ := calendar.Month(2020, 14)
	b, _ := calendar.Month(2021, 2)
	c, _ := calendar.Month(2022, -10)
	if a != b || b != c {
		t.Errorf("March 2021 begins at %d, %d and %d", a, b, c)
	}
}
