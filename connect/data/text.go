package data

import (
	"hash/fnv"
	"strconv"
)

// AppendText appends the text form of a value, as Java's toString: numbers
// and floats as Java writes them, lists as [1, null, a], maps as {b=1, a=null},
// structs as Struct{a=1,b=x} without null fields, bytes as [B@ and a hash, and
// instants as dates in the process zone (golden string/from-*).
func AppendText(dst []byte, v Value) []byte {
	switch v.kind {
	case KindNull:
		return append(dst, "null"...)
	case KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case KindInt8, KindInt16, KindInt32, KindInt64:
		return strconv.AppendInt(dst, v.Int(), 10)
	case KindFloat32:
		return AppendFloat32(dst, v.Float32())
	case KindFloat64:
		return AppendFloat64(dst, v.Float64())
	case KindString:
		return append(dst, v.Str()...)
	case KindBytes:
		return appendHash(append(dst, "[B"...), v.Bytes())
	case KindDecimal:
		return v.Decimal().AppendText(dst)
	case KindBigInt:
		return v.BigInt().Append(dst, 10)
	case KindInstant:
		return appendDate(dst, v.Instant())
	case KindArray:
		dst = append(dst, '[')
		for i, e := range v.Array() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = AppendText(dst, e)
		}
		return append(dst, ']')
	case KindMap:
		dst = append(dst, '{')
		for i, e := range v.Map().Entries {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(AppendText(dst, e.Key), '=')
			dst = AppendText(dst, e.Value)
		}
		return append(dst, '}')
	case KindStruct:
		return v.Struct().appendText(dst)
	case KindObject:
		if text := v.Str()[v.scale:]; text != "" {
			return append(dst, text...)
		}
		return appendHash(append(dst, v.JavaClass()...), v.Bytes())
	}
	return dst
}

// String returns the text of AppendText.
func (v Value) String() string {
	if v.kind == KindString {
		return v.Str()
	}
	return string(AppendText(nil, v))
}

// String returns the text form: Struct{a=1,b=x}, without null fields.
func (s *Struct) String() string { return string(s.appendText(nil)) }

func (s *Struct) appendText(dst []byte) []byte {
	dst = append(dst, "Struct{"...)
	first := true
	for i, v := range s.values {
		if v.IsNull() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, s.schema.fields[i].Name...), '=')
		dst = AppendText(dst, v)
	}
	return append(dst, '}')
}

// appendHash appends what Java shows of an object without a text of its own.
// Java's number is arbitrary; this one depends on the content alone.
func appendHash(dst, content []byte) []byte {
	h := fnv.New32a()
	h.Write(content) // never fails
	return strconv.AppendUint(append(dst, '@'), uint64(h.Sum32()), 16)
}

// appendDate appends an instant as Java's Date.toString, in the process zone:
// Fri Jan 02 00:00:00 UTC 1970. Where the time zone database has no letters
// for a zone but -03, Java has a name of its own (BRT), which is not known here.
func appendDate(dst []byte, ms int64) []byte {
	c := civilOf(ms)
	dst = append(dst, c.weekday.String()[:3]...)
	dst = append(dst, ' ')
	dst = append(dst, c.month.String()[:3]...)
	dst = appendPadded(append(dst, ' '), c.day, 2)
	dst = appendClock(append(dst, ' '), c)
	dst = append(append(dst, ' '), c.zone...)
	return appendPadded(append(dst, ' '), c.eraYear(), 1)
}

func appendClock(dst []byte, c civil) []byte {
	dst = append(appendPadded(dst, c.hour, 2), ':')
	dst = append(appendPadded(dst, c.minute, 2), ':')
	return appendPadded(dst, c.second, 2)
}
