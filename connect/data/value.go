package data

import (
	"math"
	"math/big"
	"unsafe"
)

// Value is one datum. The zero Value is null. Its size is three words and
// numbers live inside it, so that a row of values is one allocation.
type Value struct {
	ptr   unsafe.Pointer // string data, slice data, *Map, *Struct or *big.Int
	num   uint64         // the number, or the length of what ptr refers to
	scale int32          // of a decimal; of an object, the length of its class name
	kind  Kind
}

// Null is the value null, also the zero Value.
var Null = Value{}

// Entry is one entry of a Map.
type Entry struct{ Key, Value Value }

// Map is a map in insertion order, which is visible in JSON text.
type Map struct{ Entries []Entry }

// Get returns the value under a string key and whether there is one.
func (m *Map) Get(key string) (Value, bool) {
	for i := range m.Entries {
		if k := m.Entries[i].Key; k.kind == KindString && k.Str() == key {
			return m.Entries[i].Value, true
		}
	}
	return Null, false
}

// Put sets the value under a string key; a new key goes last.
func (m *Map) Put(key string, v Value) {
	for i := range m.Entries {
		if k := m.Entries[i].Key; k.kind == KindString && k.Str() == key {
			m.Entries[i].Value = v
			return
		}
	}
	m.Entries = append(m.Entries, Entry{StringOf(key), v})
}

// BoolOf returns a boolean value.
func BoolOf(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Int8Of returns an int8 value.
func Int8Of(i int8) Value { return Value{kind: KindInt8, num: uint64(int64(i))} }

// Int16Of returns an int16 value.
func Int16Of(i int16) Value { return Value{kind: KindInt16, num: uint64(int64(i))} }

// Int32Of returns an int32 value.
func Int32Of(i int32) Value { return Value{kind: KindInt32, num: uint64(int64(i))} }

// Int64Of returns an int64 value.
func Int64Of(i int64) Value { return Value{kind: KindInt64, num: uint64(i)} }

// IntegerOf returns n as an integer of type t, Int8 to Int64, with as many of its
// low bits as that has.
func IntegerOf(t Type, n int64) Value {
	switch t {
	case Int8:
		return Int8Of(int8(n))
	case Int16:
		return Int16Of(int16(n))
	case Int32:
		return Int32Of(int32(n))
	}
	return Int64Of(n)
}

// Float32Of returns a float32 value.
func Float32Of(f float32) Value {
	return Value{kind: KindFloat32, num: uint64(math.Float32bits(f))}
}

// Float64Of returns a float64 value.
func Float64Of(f float64) Value { return Value{kind: KindFloat64, num: math.Float64bits(f)} }

// StringOf returns a string value that shares s.
func StringOf(s string) Value {
	return Value{kind: KindString, ptr: unsafe.Pointer(unsafe.StringData(s)), num: uint64(len(s))}
}

// TextOf returns a string value that shares b without a copy: b must not
// change while the value is in use.
func TextOf(b []byte) Value {
	return Value{kind: KindString, ptr: unsafe.Pointer(unsafe.SliceData(b)), num: uint64(len(b))}
}

// BytesOf returns a bytes value that shares b. A nil slice is empty bytes, not null.
func BytesOf(b []byte) Value {
	return Value{kind: KindBytes, ptr: unsafe.Pointer(unsafe.SliceData(b)), num: uint64(len(b))}
}

// InstantOf returns an instant, in milliseconds since 1970-01-01T00:00:00Z.
// A Date is its midnight, a Time that time on 1970-01-01.
func InstantOf(ms int64) Value { return Value{kind: KindInstant, num: uint64(ms)} }

// BigIntOf returns an integer of any size; it has no schema type of its own.
func BigIntOf(i *big.Int) Value { return Value{kind: KindBigInt, ptr: unsafe.Pointer(i)} }

// ArrayOf returns an array that shares elements.
func ArrayOf(elements []Value) Value {
	return Value{kind: KindArray, ptr: unsafe.Pointer(unsafe.SliceData(elements)), num: uint64(len(elements))}
}

// MapOf returns a map value.
func MapOf(m *Map) Value { return Value{kind: KindMap, ptr: unsafe.Pointer(m)} }

// ObjectOf stands for an object of a class outside the data model.
func ObjectOf(class string) Value { return ObjectTextOf(class, "") }

// ObjectTextOf is ObjectOf for a class whose objects have a text form.
func ObjectTextOf(class, text string) Value {
	v := StringOf(class + text)
	v.kind, v.scale = KindObject, int32(len(class))
	return v
}

// Kind returns the runtime type.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool returns the boolean; v must be of KindBool.
func (v Value) Bool() bool { return v.num != 0 }

// Int returns the integer of any of the kinds KindInt8 to KindInt64.
func (v Value) Int() int64 { return int64(v.num) }

// Float32 returns the number; v must be of KindFloat32.
func (v Value) Float32() float32 { return math.Float32frombits(uint32(v.num)) }

// Float64 returns the number; v must be of KindFloat64.
func (v Value) Float64() float64 { return math.Float64frombits(v.num) }

// Str returns the text of a KindString. It is UTF-8 but for lone UTF-16
// surrogates, which Java strings can hold: each is kept in three bytes, as
// UTF-8 would encode it if it did.
func (v Value) Str() string { return unsafe.String((*byte)(v.ptr), int(v.num)) }

// Bytes returns the shared bytes of a KindBytes (or the UTF-8 of a KindString).
func (v Value) Bytes() []byte { return unsafe.Slice((*byte)(v.ptr), int(v.num)) }

// Instant returns milliseconds since the epoch; v must be of KindInstant.
func (v Value) Instant() int64 { return int64(v.num) }

// BigInt returns the shared integer; v must be of KindBigInt.
func (v Value) BigInt() *big.Int { return (*big.Int)(v.ptr) }

// Array returns the shared elements; v must be of KindArray.
func (v Value) Array() []Value { return unsafe.Slice((*Value)(v.ptr), int(v.num)) }

// Map returns the shared map; v must be of KindMap.
func (v Value) Map() *Map { return (*Map)(v.ptr) }

// Struct returns the shared struct; v must be of KindStruct.
func (v Value) Struct() *Struct { return (*Struct)(v.ptr) }

// Decimal returns the decimal; v must be of KindDecimal.
func (v Value) Decimal() Decimal {
	return Decimal{big: (*big.Int)(v.ptr), small: int64(v.num), scale: v.scale}
}

// Equal reports whether two values are of the same kind and content. Numbers
// compare by bits (NaN equals NaN), decimals by unscaled value and scale,
// maps as sets of entries.
func (v Value) Equal(o Value) bool {
	if v.kind != o.kind {
		return false
	}
	switch v.kind {
	case KindString, KindBytes, KindObject:
		return v.Str() == o.Str() && v.scale == o.scale
	case KindDecimal:
		a, b := v.Decimal(), o.Decimal()
		return a.scale == b.scale && a.Unscaled().Cmp(b.Unscaled()) == 0
	case KindBigInt:
		return v.BigInt().Cmp(o.BigInt()) == 0
	case KindArray:
		return equalValues(v.Array(), o.Array())
	case KindMap:
		return v.Map().equal(o.Map())
	case KindStruct:
		a, b := v.Struct(), o.Struct()
		return a.schema.Equal(b.schema) && equalValues(a.values, b.values)
	case KindNull, KindBool, KindInt8, KindInt16, KindInt32, KindInt64, KindFloat32, KindFloat64, KindInstant:
		return v.num == o.num
	}
	return false
}

func equalValues(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

func (m *Map) equal(o *Map) bool {
	if len(m.Entries) != len(o.Entries) {
		return false
	}
next:
	for _, e := range m.Entries {
		for _, f := range o.Entries {
			if e.Key.Equal(f.Key) {
				if !e.Value.Equal(f.Value) {
					return false
				}
				continue next
			}
		}
		return false
	}
	return true
}
