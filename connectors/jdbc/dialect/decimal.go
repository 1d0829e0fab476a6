package dialect

import (
	"math/big"

	"kconnect/connect/data"
)

// rescale returns the same number at another scale, and false when digits
// other than zero would be lost.
func rescale(d data.Decimal, scale int32) (data.Decimal, bool) {
	diff := int64(scale) - int64(d.Scale())
	if diff == 0 {
		return d, true
	}
	if u, ok := d.Small(); ok && diff > 0 && diff <= 18 {
		p := int64(1)
		for range diff {
			p *= 10
		}
		if r := u * p; r/p == u {
			return data.NewDecimal(r, scale), true
		}
	}
	u := new(big.Int)
	if diff > 0 {
		if diff > 100_000 { // a hostile exponent must not take the memory
			return d, d.Sign() == 0
		}
		u.Mul(d.Unscaled(), power10(diff))
		return data.NewBigDecimal(u, scale), true
	}
	if d.Sign() == 0 {
		return data.NewDecimal(0, scale), true
	}
	if -diff > 100_000 {
		return d, false
	}
	rest := new(big.Int)
	u.QuoRem(d.Unscaled(), power10(-diff), rest)
	return data.NewBigDecimal(u, scale), rest.Sign() == 0
}

func power10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }
