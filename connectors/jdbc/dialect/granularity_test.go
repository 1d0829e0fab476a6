package dialect

import "testing"

// As java.time shows instants: years of more than four digits have a sign.
func TestISOTextsAreThoseOfJavaTime(t *testing.T) {
	for ms, want := range map[int64]string{
		0:                   "1970-01-01T00:00:00.000000",
		253402300799999:     "9999-12-31T23:59:59.999000",
		253402300800000:     "+10000-01-01T00:00:00.000000",
		327416950923000:     "+12345-06-07T01:02:03.000000",
		9223372036825200000: "+292278994-08-16T23:00:00.000000", // PostgreSQL's infinity
		-63517953600000:     "0044-03-13T12:00:00.000000",
	} {
		if got := string(appendISO(nil, TimestampOf(ms), UTC, 6)); got != want {
			t.Errorf("%d is %s, want %s", ms, got, want)
		}
	}
}
