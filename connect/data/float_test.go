package data_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect/data"
)

func TestFloatTextIsThatOfJava19(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", math.Copysign(0, -1): "-0.0", 1: "1.0", -1.5: "-1.5", 0.001: "0.001", 0.00999: "0.00999", 9.999e-4: "9.999E-4",
		9999999: "9999999.0", 1e7: "1.0E7", 12345678.9: "1.23456789E7", 123.456: "123.456", 1e23: "1.0E23", 2e-3: "0.002",
		4.9e-324: "4.9E-324", 9.9e-324: "9.9E-324", math.MaxFloat64: "1.7976931348623157E308", math.Inf(1): "Infinity", math.Inf(-1): "-Infinity",
		math.NaN(): "NaN", 100: "100.0", 0.1: "0.1", 123456789012345680: "1.2345678901234568E17",
	} {
		if got := string(data.AppendFloat64(nil, f)); got != want {
			t.Errorf("%g: %s, want %s", f, got, want)
		}
	}
	for f, want := range map[float32]string{
		1.4e-45: "1.4E-45", math.MaxFloat32: "3.4028235E38", 0.3: "0.3", 1e10: "1.0E10", 1.17549435e-38: "1.1754944E-38",
		2.15e9: "2.15E9", 16777216: "1.6777216E7",
	} {
		if got := string(data.AppendFloat32(nil, f)); got != want {
			t.Errorf("%g: %s, want %s", f, got, want)
		}
	}
}

func TestFloatTextReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		text := string(data.AppendFloat64(nil, f))
		if math.IsNaN(f) {
			return
		}
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != f {
			t.Fatalf("%s reads back as %g", text, back)
		}
		if !math.IsInf(f, 0) && !strings.Contains(text, ".") {
			t.Fatalf("%s has no digit after the point", text)
		}
		single := math.Float32frombits(rapid.Uint32().Draw(t, "bits of a single"))
		text = string(data.AppendFloat32(nil, single))
		if back, err := strconv.ParseFloat(text, 32); single == single && (err != nil || float32(back) != single) {
			t.Fatalf("%s reads back as %g", text, back)
		}
	})
}
