package config

import "fmt"

// Values are the typed values of a configuration that was parsed. A key that
// the definition lacks, or that has another type, is a programming error and
// panics. A null reads as the zero value where the method has no second
// result. Values are read-only and may be shared between goroutines.
type Values struct {
	def  *Def
	vals []any
}

func value[T any](v *Values, key string) (T, bool) {
	i, ok := v.def.index[key]
	if !ok {
		panic(fmt.Sprintf("config: key %q is not defined", key))
	}
	if v.vals[i] == nil {
		var zero T
		return zero, false
	}
	t, ok := v.vals[i].(T)
	if !ok {
		panic(fmt.Sprintf("config: key %q is of type %s", key, v.def.keys[i].Type))
	}
	return t, true
}

// String returns the value of a String or Class key.
func (v *Values) String(key string) string { s, _ := v.OptString(key); return s }

// OptString returns the value of a String or Class key, and false for null.
func (v *Values) OptString(key string) (string, bool) { return value[string](v, key) }

// Bool returns the value of a Boolean key.
func (v *Values) Bool(key string) bool { b, _ := value[bool](v, key); return b }

// Int returns the value of an Int key, which fits 32 bits.
func (v *Values) Int(key string) int { n, _ := v.OptInt(key); return n }

// OptInt returns the value of an Int key, and false for null.
func (v *Values) OptInt(key string) (int, bool) { n, ok := value[int32](v, key); return int(n), ok }

// Short returns the value of a Short key.
func (v *Values) Short(key string) int16 { n, _ := value[int16](v, key); return n }

// Long returns the value of a Long key.
func (v *Values) Long(key string) int64 { n, _ := v.OptLong(key); return n }

// OptLong returns the value of a Long key, and false for null.
func (v *Values) OptLong(key string) (int64, bool) { return value[int64](v, key) }

// Double returns the value of a Double key.
func (v *Values) Double(key string) float64 { f, _ := value[float64](v, key); return f }

// List returns the items of a List key. The slice must not be changed.
func (v *Values) List(key string) []string { l, _ := v.OptList(key); return l }

// OptList returns the items of a List key, and false for null, which is not
// the empty list. The slice must not be changed.
func (v *Values) OptList(key string) ([]string, bool) { return value[[]string](v, key) }

// Password returns the value of a Password key.
func (v *Values) Password(key string) Secret { s, _ := v.OptPassword(key); return s }

// OptPassword returns the value of a Password key, and false for null.
func (v *Values) OptPassword(key string) (Secret, bool) { return value[Secret](v, key) }

// Format prints no value at all. Promise 8: package fmt would print secrets in
// the unexported fields.
func (v Values) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "configuration of %d keys", len(v.vals)) }

// Text returns the value of a key of any type as the REST API shows it, and
// false for null. A secret is [hidden].
func (v *Values) Text(key string) (string, bool) {
	x, ok := value[any](v, key)
	if !ok {
		return "", false
	}
	return *valueText(x), true
}
