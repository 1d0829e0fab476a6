package dialect

import (
	"database/sql/driver"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kconnect/connect"
	"kconnect/connect/data"
)

func zone(t *testing.T, name string) *Zone {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func bindOf(t Target, field string, s *data.Schema, o BindOptions) Binder {
	return t.Bind(field, s, &TableColumn{Name: field}, o).Bind
}

// bound returns the argument that a value becomes.
func bound(b Binder, v data.Value) (driver.Value, error) {
	var a Args
	if err := b(v, &a); err != nil {
		return nil, err
	}
	return a.Values(1)[0].Value, nil
}

func TestBoundValues(t *testing.T) {
	utc := BindOptions{Zone: UTC, DateZone: UTC}
	newYork := BindOptions{Zone: zone(t, "America/New_York"), DateZone: zone(t, "America/New_York")}
	dateUTC := BindOptions{Zone: newYork.Zone, DateZone: UTC}
	proleptic := BindOptions{Zone: UTC, DateZone: UTC, Proleptic: true}
	micros := BindOptions{Zone: UTC, DateZone: UTC, TimestampFields: []string{"c"}}
	nanos := BindOptions{Zone: UTC, DateZone: UTC, TimestampFields: []string{"c"}, Nanoseconds: true}
	date, clock, ts := schemaOf(data.NewDateBuilder()), schemaOf(data.NewTimeBuilder()), schemaOf(data.NewTimestampBuilder())
	dec := schemaOf(data.NewDecimalBuilder(2))
	for _, c := range []struct {
		name   string
		schema *data.Schema
		o      BindOptions
		v      data.Value
		mysql  driver.Value
		sqlite driver.Value
	}{
		{"int8", data.Int8Schema, utc, data.Int8Of(-128), int64(-128), int64(-128)},
		{"int64", data.Int64Schema, utc, data.Int64Of(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64)},
		{"true", data.BooleanSchema, utc, data.BoolOf(true), int64(1), int64(1)},
		{"false", data.BooleanSchema, utc, data.BoolOf(false), int64(0), int64(0)},
		{"float32 shows as it was written", data.Float32Schema, utc, data.Float32Of(1.1), 1.1, float64(float32(1.1))},
		{"float64", data.Float64Schema, utc, data.Float64Of(-2.25e10), -2.25e10, -2.25e10},
		{"string", data.StringSchema, utc, data.StringOf("ö"), "ö", "ö"},
		{"bytes", data.BytesSchema, utc, data.BytesOf([]byte{0, 255}), []byte{0, 255}, []byte{0, 255}},
		{"decimal", dec, utc, data.DecimalOf(data.NewDecimal(-394, 2)), "-3.94", "-3.94"},
		{"decimal without exponent", dec, utc, data.DecimalOf(data.NewDecimal(15, -3)), "15000", "15000"},
		{"date", date, utc, data.InstantOf(19452 * 86400000), "2023-04-05", int64(19452 * 86400000)},
		{"date west of Greenwich", date, newYork, data.InstantOf(19452 * 86400000), "2023-04-04", int64(19452 * 86400000)},
		{"date kept by date.timezone", date, dateUTC, data.InstantOf(19452 * 86400000), "2023-04-05", int64(19452 * 86400000)},
		{"julian date", date, utc, data.InstantOf(-150000 * 86400000), "1559-04-16", int64(-150000 * 86400000)},
		{"proleptic date", date, proleptic, data.InstantOf(-150000 * 86400000), "1559-04-26", int64(-150000 * 86400000)},
		{"time", clock, utc, data.InstantOf(45296789), "12:34:56.789", int64(45296789)},
		{"time in a zone", clock, newYork, data.InstantOf(0), "19:00:00.000", int64(0)},
		{"timestamp", ts, utc, data.InstantOf(1680643371123), "2023-04-04 21:22:51.123", int64(1680643371123)},
		{"timestamp before 1970", ts, utc, data.InstantOf(-1), "1969-12-31 23:59:59.999", int64(-1)},
		{"timestamp in a zone", ts, newYork, data.InstantOf(1680643371123), "2023-04-04 17:22:51.123", int64(1680643371123)},
		{"timestamp of the year 1", ts, utc, data.InstantOf(-62135769600000), "0001-01-01 00:00:00.000", int64(-62135769600000)},
		{"micros", data.Int64Schema, micros, data.Int64Of(1680643371123456), "2023-04-04 21:22:51.123456", int64(1680643371123)},
		{"micros as text", data.StringSchema, micros, data.StringOf("-1"), "1969-12-31 23:59:59.999999", int64(-1)},
		{"nanos", data.Int64Schema, nanos, data.Int64Of(1680643371123456789), "2023-04-04 21:22:51.123456", int64(1680643371123)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, d := range []struct {
				target Target
				want   driver.Value
			}{{testMySQL, c.mysql}, {testSQLite, c.sqlite}} {
				got, err := bound(bindOf(d.target, "c", c.schema, c.o), c.v)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(d.want, got); diff != "" {
					t.Errorf("%s: %s", d.target.Name(), diff)
				}
			}
		})
	}
}

func TestWhatNoArgumentCanHoldIsAFaultOfTheRecord(t *testing.T) {
	o := BindOptions{Zone: UTC, DateZone: UTC, TimestampFields: []string{"c"}}
	ts := schemaOf(data.NewTimestampBuilder())
	for _, c := range []struct {
		name   string
		schema *data.Schema
		v      data.Value
		both   bool // SQLite refuses it too
	}{
		{"x", schemaOf(data.NewBuilder(data.MapType).Keys(data.StringSchema).Items(data.Int32Schema)), data.MapOf(&data.Map{}), true},
		{"x", schemaOf(data.NewBuilder(data.Array).Items(data.Int32Schema)), data.ArrayOf(nil), true},
		{"x", data.Float64Schema, data.Float64Of(math.NaN()), true},
		{"x", data.Float64Schema, data.Float64Of(math.Inf(1)), false},
		{"x", ts, data.InstantOf(-62135769600001), false}, // 31 December of the year before 1
		{"x", ts, data.InstantOf(253402300800000), false}, // the year 10000
		{"c", data.StringSchema, data.StringOf("1.5"), true},
	} {
		targets := []Target{testMySQL, testSQLite}
		if !c.both {
			targets = targets[:1]
		}
		for _, d := range targets {
			if v, err := bound(bindOf(d, c.name, c.schema, o), c.v); err == nil || connect.KindOf(err) != connect.Data {
				t.Errorf("%s: %s became %v, %v", d.Name(), c.schema, v, err)
			}
		}
	}
}

func TestDecimalsAreWrittenWithoutExponent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := rapid.Int64().Draw(t, "unscaled")
		scale := rapid.Int32Range(-30, 30).Draw(t, "scale")
		got := string(appendPlain(nil, data.NewDecimal(u, scale)))
		if strings.ContainsAny(got, "eE") {
			t.Fatalf("%s has an exponent", got)
		}
		want := new(big.Rat).SetInt64(u)
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil)
		if scale >= 0 {
			want.Quo(want, new(big.Rat).SetInt(ten))
		} else {
			want.Mul(want, new(big.Rat).SetInt(ten))
		}
		if r, ok := new(big.Rat).SetString(got); !ok || r.Cmp(want) != 0 {
			t.Fatalf("%d with scale %d is %s", u, scale, got)
		}
		if _, fraction, _ := strings.Cut(got, "."); scale > 0 && len(fraction) != int(scale) {
			t.Fatalf("%s has not the scale %d", got, scale)
		}
	})
}

func TestArgsKeepTheirValuesUntilReset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Args
		for range 3 {
			a.Reset()
			var want []driver.Value
			for range rapid.IntRange(0, 20).Draw(t, "n") {
				switch rapid.IntRange(0, 5).Draw(t, "kind") {
				case 0:
					a.Null()
					want = append(want, nil)
				case 1:
					i := rapid.Int64().Draw(t, "int")
					a.Int(i)
					want = append(want, i)
				case 2:
					f := rapid.Float64().Draw(t, "float")
					a.Float(f)
					want = append(want, f)
				case 3:
					s := rapid.String().Draw(t, "text")
					a.Text(s)
					want = append(want, s)
				case 4:
					b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
					a.Blob(b)
					want = append(want, b)
				case 5:
					s := rapid.String().Draw(t, "formatted")
					start := len(a.text)
					a.text = append(a.text, s...)
					a.formatted(start)
					want = append(want, s)
				}
			}
			for i, v := range a.Values(a.Len()) {
				if v.Ordinal != i+1 || !cmp.Equal(v.Value, want[i]) {
					t.Fatalf("argument %d is %v, want %v", i, v, want[i])
				}
			}
		}
		a.Release()
		for _, v := range a.Values(a.Len()) {
			if v.Value != nil {
				t.Fatal("a value was kept")
			}
		}
	})
}

func TestBindingAllocatesNothing(t *testing.T) {
	bind := bindOf(testMySQL, "c", schemaOf(data.NewTimestampBuilder()), BindOptions{Zone: UTC, DateZone: UTC})
	text := bindOf(testMySQL, "c", data.StringSchema, BindOptions{})
	var a Args
	row := func() {
		a.Reset()
		for range 100 {
			a.Int(123456789)
			if err := bind(data.InstantOf(1680643371123), &a); err != nil {
				t.Fatal(err)
			}
			if err := text(data.StringOf("a text"), &a); err != nil {
				t.Fatal(err)
			}
		}
	}
	row()
	if n := testing.AllocsPerRun(10, row); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
