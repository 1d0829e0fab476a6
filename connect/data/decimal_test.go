package data_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect/data"
)

func bigInt(t *rapid.T) *big.Int {
	i := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 24).Draw(t, "digits"))
	if rapid.Bool().Draw(t, "negative") {
		i.Neg(i)
	}
	return i
}

func TestDecimalBytesAreTheShortestTwosComplement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := bigInt(t)
		b := data.NewBigDecimal(i, 2).AppendBytes(nil)
		if back := data.DecimalFromBytes(b, 2); back.Unscaled().Cmp(i) != 0 {
			t.Fatalf("%s became %x and %s", i, b, back.Unscaled())
		}
		if len(b) > 1 && data.DecimalFromBytes(b[1:], 2).Unscaled().Cmp(i) == 0 {
			t.Fatalf("%s became %x, which is a byte too long", i, b)
		}
	})
}

func TestDecimalTextKeepsTheScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := data.NewBigDecimal(bigInt(t), rapid.Int32Range(-400, 400).Draw(t, "scale"))
		back, ok := data.ParseDecimal(d.String())
		if !ok || !data.DecimalOf(back).Equal(data.DecimalOf(d)) {
			t.Fatalf("%s x 10^-%d became %s and then %s, scale %d", d.Unscaled(), d.Scale(), d, back, back.Scale())
		}
	})
}

func TestDecimalInt64IsTheWholePart(t *testing.T) {
	for _, test := range []struct {
		text  string
		want  int64
		exact bool
	}{
		{"5.0", 5, true}, {"-1.9", -1, false}, {"1e3", 1000, true}, {"0.5", 0, false}, {"-0.0", 0, true},
		{"9223372036854775808", -9223372036854775808, false}, {"18446744073709551616", 0, false},
		{"1e-999999999", 0, false}, {"1e999999999", 0, false}, {"0e999999999", 0, true}, {"12345678901234567890.5", -6101065172474983726, false},
	} {
		d, ok := data.ParseDecimal(test.text)
		if !ok {
			t.Fatalf("%s is no number", test.text)
		}
		if n, exact := d.Int64(); n != test.want || exact != test.exact {
			t.Errorf("%s: %d, exact %t; want %d, %t", test.text, n, exact, test.want, test.exact)
		}
	}
}

func TestParseDecimalRefusesWhatIsNoNumber(t *testing.T) {
	for _, text := range []string{"", "-", "+", ".", "1e", "1e+", "e1", "1..2", "1.2.3", "0x1", " 1", "1 ", "1e2147483648", "1e99999999999", "NaN", "1_0"} {
		if d, ok := data.ParseDecimal(text); ok {
			t.Errorf("%q was read as %s", text, d)
		}
		if _, err := data.ParseBigDecimal(text); err == nil {
			t.Errorf("%q has no error", text)
		}
	}
}
