package dialect

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"

	"kconnect/connect"
	"kconnect/connect/data"
)

// arrayColumn reads an array as one of Connect, whose elements may be null. An
// array of several dimensions has the type of one with one dimension, but not
// its schema, and is an error (Promise 3).
func (d *postgreSQL) arrayColumn(f Field, o ColumnOptions) (Column, error) {
	element := *f.Element
	element.Name, element.Nullable = f.Name, true
	read, err := d.Column(element, o)
	if err != nil {
		return Column{}, err
	}
	schema, err := data.NewBuilder(data.Array).Items(read.Schema).SetOptional(f.Nullable).Build()
	if err != nil {
		return Column{}, err
	}
	split := splitTextArray
	if pgBinaryName(element.Type) {
		split = splitBinaryArray
	}
	var parts [][]byte // used again for every array
	var part []byte    // what the element's reader sees through cell
	cell := refer(&part)
	return Column{Schema: schema, Read: func(v driver.Value, b *connect.SourceBatch) (data.Value, error) {
		text, ok := v.([]byte)
		if !ok {
			return data.Null, readError(&f, v)
		}
		var err error
		if parts, err = split(parts[:0], text); err != nil {
			return data.Null, connect.NewDataError(fmt.Sprintf("column %s: %v", f.Name, err), nil)
		}
		values := b.Values(len(parts))
		for i, p := range parts {
			if p == nil {
				continue
			}
			part = p
			if values[i], err = read.Read(cell, b); err != nil {
				return data.Null, err
			}
		}
		return data.ArrayOf(values), nil
	}}, nil
}

// pgBinaryName reports whether values of a type are in binary form.
func pgBinaryName(name string) bool {
	for _, t := range pgTypes {
		if t.name == name {
			return t.binary
		}
	}
	return false
}

var (
	errDimensions = errors.New("an array of several dimensions cannot be read: select CAST(column AS text) or single elements in a query")
	errArray      = errors.New("the server sent an array of a form that is not known")
)

// splitBinaryArray appends the elements of an array in binary form to dst; a
// null is nil. They refer to b.
func splitBinaryArray(dst [][]byte, b []byte) ([][]byte, error) {
	const header, dimension = 12, 8 // dimensions, flags, type; length, lower bound
	if len(b) < header {
		return nil, errArray
	}
	switch dimensions := binary.BigEndian.Uint32(b); {
	case dimensions == 0:
		return dst, nil
	case dimensions > 1:
		return nil, errDimensions
	case len(b) < header+dimension:
		return nil, errArray
	}
	n := binary.BigEndian.Uint32(b[header:])
	b = b[header+dimension:]
	for range n {
		if len(b) < 4 {
			return nil, errArray
		}
		size := int(int32(binary.BigEndian.Uint32(b)))
		if b = b[4:]; size < 0 {
			dst = append(dst, nil)
			continue
		}
		if size > len(b) {
			return nil, errArray
		}
		dst = append(dst, b[:size:size])
		b = b[size:]
	}
	return dst, nil
}

// splitTextArray appends the elements of an array as the server shows it,
// {1,NULL,"a b"}, to dst; a null is nil. Elements without escapes refer to b.
func splitTextArray(dst [][]byte, b []byte) ([][]byte, error) {
	if len(b) > 0 && b[0] == '[' { // lower bounds, [0:1]={...}
		for len(b) > 0 && b[0] != '{' {
			b = b[1:]
		}
	}
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' {
		return nil, errArray
	}
	if b = b[1 : len(b)-1]; len(b) == 0 {
		return dst, nil
	}
	for {
		if len(b) > 0 && b[0] == '{' {
			return nil, errDimensions
		}
		element, rest, ok := cutElement(b)
		if !ok {
			return nil, errArray
		}
		if dst = append(dst, element); len(rest) == 0 {
			return dst, nil
		}
		if b = rest[1:]; rest[0] != ',' {
			return nil, errArray
		}
	}
}

// cutElement cuts the first element off; what is left is empty or begins with a
// comma.
func cutElement(b []byte) (element, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		end := 0
		for end < len(b) && b[end] != ',' {
			end++
		}
		if string(b[:end]) == "NULL" {
			return nil, b[end:], true
		}
		return b[:end:end], b[end:], true
	}
	end, escapes := 1, 0
	for ; end < len(b) && b[end] != '"'; end++ {
		if b[end] == '\\' {
			end++
			escapes++
		}
	}
	if end >= len(b) {
		return nil, nil, false
	}
	element, rest = b[1:end:end], b[end+1:]
	if escapes == 0 {
		return element, rest, true
	}
	plain := make([]byte, 0, len(element)-escapes)
	for i := 0; i < len(element); i++ {
		if element[i] == '\\' {
			i++
		}
		plain = append(plain, element[i])
	}
	return plain, rest, true
}
