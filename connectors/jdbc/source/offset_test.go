package source

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

func TestPositionsComeBackFromTheirOffset(t *testing.T) {
	b := connect.NewSourceBatch(10, 1<<20)
	rapid.Check(t, func(t *rapid.T) {
		p := position{
			hasID: true, id: rapid.Int64().Draw(t, "id"), hasTimestamp: true,
			timestamp: dialect.Timestamp{Seconds: rapid.Int64Range(-1e11, 1e11).Draw(t, "seconds"), Nanos: rapid.Int32Range(0, 999_999_999).Draw(t, "nanos")},
		}
		got, err := parsePosition(p.offset(timestampIncrementing, b))
		if err != nil || got != p {
			t.Fatalf("%+v comes back as %+v, %v", p, got, err)
		}
	})
}

func TestOffsetsHoldOnlyWhatTheModeUses(t *testing.T) {
	b := connect.NewSourceBatch(10, 1<<20)
	p := position{hasID: true, id: 3, hasTimestamp: true, timestamp: dialect.TimestampOf(1500)}
	for mode, want := range map[mode]string{
		bulk: "", incrementing: "incrementing", timestamp: "timestamp_nanos timestamp",
		timestampIncrementing: "timestamp_nanos incrementing timestamp",
	} {
		if got := strings.Join(p.offset(mode, b).Names, " "); got != want {
			t.Errorf("mode %d: %q, want %q", mode, got, want)
		}
	}
	if got := (position{}).offset(incrementing, b); got.Names != nil {
		t.Errorf("nothing read stores %v", got)
	}
}

func TestStoredOffsetsAreRead(t *testing.T) {
	offset := func(pairs ...any) connect.SourceOffset {
		var o connect.SourceOffset
		for i := 0; i < len(pairs); i += 2 {
			o.Names = append(o.Names, pairs[i].(string))
			switch v := pairs[i+1].(type) {
			case int:
				o.Values = append(o.Values, data.Int64Of(int64(v)))
			case string:
				o.Values = append(o.Values, data.StringOf(v))
			}
		}
		return o
	}
	p, err := parsePosition(offset("timestamp", 1704067200123))
	if err != nil || p.timestamp != (dialect.Timestamp{Seconds: 1704067200, Nanos: 123_000_000}) || p.hasID {
		t.Errorf("without nanos: %+v %v", p, err)
	}
	p, err = parsePosition(offset("timestamp", 1704067200123, "timestamp_nanos", 123456789, "incrementing", 9))
	if err != nil || p.timestamp.Nanos != 123456789 || p.id != 9 {
		t.Errorf("with nanos: %+v %v", p, err)
	}
	for _, o := range []connect.SourceOffset{offset("incrementing", "x"), offset("timestamp", 1, "timestamp_nanos", -1)} {
		if _, err := parsePosition(o); connect.KindOf(err) != connect.Config {
			t.Errorf("%v is read as if it were an offset: %v", o, err)
		}
	}
}
