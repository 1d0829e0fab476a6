package storage

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"kconnect/connect"
	"kconnect/connect/data"
)

// Fields is a source partition or a source offset: a map in an order. Nil is
// Java's null: no partition, or no offset.
type Fields []Field

// Field is one entry. Value is nil, a bool, int64, float64 or string.
type Field struct {
	Name  string
	Value any
}

// Get returns the value of a name.
func (f Fields) Get(name string) (value any, ok bool) {
	for _, field := range f {
		if field.Name == name {
			return field.Value, true
		}
	}
	return nil, false
}

// Aside reports whether a partition holds a task's own notes, and the partition
// that they are about (see connect.AsidePrefix).
func (f Fields) Aside() (about Fields, is bool) {
	if !slices.ContainsFunc(f, own) {
		return f, false
	}
	return slices.DeleteFunc(slices.Clone(f), own), true
}

func own(f Field) bool { return strings.HasPrefix(f.Name, connect.AsidePrefix) }

// Same reports whether two partitions have the same fields, in any order.
func (f Fields) Same(other Fields) bool {
	if len(f) != len(other) {
		return false
	}
	for _, field := range f {
		if v, ok := other.Get(field.Name); !ok || v != field.Value {
			return false
		}
	}
	return true
}

// HashMapOrder returns a copy in the order of a Java HashMap into which the
// fields were put one by one: how the Java worker writes partitions, and both
// maps of an offset that a user alters.
func (f Fields) HashMapOrder() Fields {
	if f == nil {
		return nil
	}
	names := make([]string, len(f))
	for i, field := range f {
		names[i] = field.Name
	}
	ordered := make(Fields, len(f))
	for i, name := range data.HashMapOrder(names) {
		value, _ := f.Get(name)
		ordered[i] = Field{name, value}
	}
	return ordered
}

// appendFields appends f as a JSON object, in its order.
func appendFields(dst []byte, f Fields) ([]byte, error) {
	if f == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '{')
	for i, field := range f {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, field.Name), ':')
		switch v := field.Value.(type) {
		case nil:
			dst = append(dst, "null"...)
		case bool:
			dst = strconv.AppendBool(dst, v)
		case int64:
			dst = strconv.AppendInt(dst, v, 10)
		case float64:
			dst = data.AppendJSONFloat(dst, v, 64)
		case string:
			dst = appendString(dst, v)
		default:
			return nil, fmt.Errorf("field %s is a %T: offsets hold text, whole numbers (int64), fractions (float64), booleans and nulls", field.Name, v)
		}
	}
	return append(dst, '}'), nil
}

// decodeFields reads a JSON object of plain values, or null.
func decodeFields(raw jx.Raw) (Fields, error) {
	if raw.Type() == jx.Null {
		return nil, nil
	}
	members, err := decodeObject(raw)
	if err != nil {
		return nil, err
	}
	fields := make(Fields, len(members))
	for i, m := range members {
		value, err := decodeScalar(m.value)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", m.name, err)
		}
		fields[i] = Field{m.name, value}
	}
	return fields, nil
}

// offsetKey returns the bytes under which a Java worker stores and looks up the
// offset of a partition.
func offsetKey(connector string, partition Fields) ([]byte, error) {
	return encodeOffsetKey(connector, partition.HashMapOrder())
}

// canonicalKey returns a text that all spellings of a partition share.
func canonicalKey(connector string, partition Fields) (string, error) {
	sorted := slices.Clone(partition)
	slices.SortFunc(sorted, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	key, err := encodeOffsetKey(connector, sorted)
	return string(key), err
}

func encodeOffsetKey(connector string, partition Fields) ([]byte, error) {
	dst := appendString([]byte{'['}, connector)
	dst, err := appendFields(append(dst, ','), partition)
	if err != nil {
		return nil, fmt.Errorf("source partition of connector %s: %w", connector, err)
	}
	return append(dst, ']'), nil
}

// decodeOffsetKey reads [connector, partition].
func decodeOffsetKey(key []byte) (connector string, partition Fields, err error) {
	raw, err := decodeValue(key)
	if err != nil {
		return "", nil, err
	}
	if raw.Type() != jx.Array {
		return "", nil, errors.New("the key is no array of connector and partition")
	}
	var parts []jx.Raw
	err = jx.DecodeBytes(raw).Arr(func(d *jx.Decoder) error {
		part, err := rawValue(d)
		parts = append(parts, bytes.Clone(part))
		return err
	})
	if err != nil {
		return "", nil, err
	}
	if len(parts) != 2 || parts[0].Type() != jx.String {
		return "", nil, errors.New("the key is no array of connector and partition")
	}
	if connector, err = jx.DecodeBytes(parts[0]).Str(); err != nil {
		return "", nil, err
	}
	if partition, err = decodeFields(parts[1]); err != nil {
		return "", nil, fmt.Errorf("the key's partition: %w", err)
	}
	return connector, partition, nil
}
