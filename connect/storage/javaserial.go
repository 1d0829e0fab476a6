package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// The parts of Java's object serialization (its specification, "Object
// Serialization Stream Protocol") that a HashMap<byte[], byte[]> is made of.
const (
	serialNull      = 0x70
	serialReference = 0x71
	serialObject    = 0x73
	serialArray     = 0x75
	serialBlock     = 0x77
	serialEnd       = 0x78

	// Numbers of what references can name: the classes HashMap and byte[] and
	// the map itself come before the arrays.
	serialBase       = 0x7e0000
	serialBytesClass = serialBase + 2
	serialFirstArray = serialBase + 3
)

var (
	serialMagic = []byte{0xac, 0xed, 0x00, 0x05}
	// serialMap begins an object of class HashMap, up to the values of its two
	// fields: load factor and threshold.
	serialMap = []byte("\x73\x72\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02" +
		"F\x00\x0aloadFactorI\x00\x09threshold\x78\x70")
	// serialBytes describes the class byte[], in front of the first array.
	serialBytes = []byte("\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00\x78\x70")
	serialAgain = binary.BigEndian.AppendUint32([]byte{serialReference}, serialBytesClass)
)

// encodeJavaMap returns the bytes that Java's ObjectOutputStream writes for a
// HashMap of byte arrays. Java's own order follows the addresses of the arrays,
// which is none; here it is that of the keys.
func encodeJavaMap(m map[string][]byte) []byte {
	capacity := uint32(16)
	for len(m) > int(capacity/4*3) {
		capacity *= 2
	}
	threshold := capacity / 4 * 3
	if len(m) == 0 {
		threshold = 0 // the table is made with the first entry
	}
	b := slices.Concat(serialMagic, serialMap)
	b = binary.BigEndian.AppendUint32(b, 0x3f400000) // 0.75, the load factor
	b = binary.BigEndian.AppendUint32(b, threshold)
	b = append(b, serialBlock, 8)
	b = binary.BigEndian.AppendUint32(b, capacity)
	b = binary.BigEndian.AppendUint32(b, uint32(len(m)))
	class := serialBytes
	array := func(a []byte) {
		b = append(append(b, serialArray), class...)
		class = serialAgain
		b = binary.BigEndian.AppendUint32(b, uint32(len(a)))
		b = append(b, a...)
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		array([]byte(k))
		if v := m[k]; v != nil {
			array(v)
		} else {
			b = append(b, serialNull)
		}
	}
	return append(b, serialEnd)
}

// decodeJavaMap reads what Java wrote for a HashMap of byte arrays. A null
// value stays a nil slice. Errors say what else the bytes are, and where.
func decodeJavaMap(b []byte) (map[string][]byte, error) {
	r := &serialReader{text: b, rest: b}
	switch {
	case !r.skip(serialMagic):
		return nil, errors.New("it does not begin as Java's serialized objects do")
	case !r.skip(serialMap):
		return nil, errors.New("its object is not a java.util.HashMap")
	}
	r.take(8) // load factor and threshold say nothing about the content
	if block := r.take(2); r.err == nil && !bytes.Equal(block, []byte{serialBlock, 8}) {
		return nil, r.fault("the size of the map is missing")
	}
	r.number() // capacity
	size := r.number()
	m := make(map[string][]byte)
	for range size {
		key, value := r.array(), r.array()
		switch {
		case r.err != nil:
			return nil, r.err
		case key == nil:
			return nil, r.fault("an entry has no key")
		}
		m[string(key)] = value
	}
	if end := r.take(1); r.err == nil && end[0] != serialEnd {
		return nil, r.fault("the map does not end after its %d entries", size)
	}
	if r.err == nil && len(r.rest) > 0 {
		return nil, r.fault("something follows the map")
	}
	return m, r.err
}

// serialReader reads from a stream; after its first error it reads nothing more.
type serialReader struct {
	text, rest []byte
	classSeen  bool // of byte[]
	arrays     [][]byte
	err        error
}

func (r *serialReader) fault(format string, args ...any) error {
	if r.err == nil {
		r.err = fmt.Errorf("at byte %d: %s", len(r.text)-len(r.rest), fmt.Sprintf(format, args...))
	}
	return r.err
}

func (r *serialReader) skip(want []byte) bool {
	after, ok := bytes.CutPrefix(r.rest, want)
	r.rest = after
	return ok
}

// take returns the next n bytes, nil after an error.
func (r *serialReader) take(n int) []byte {
	if r.err == nil && len(r.rest) < n {
		_ = r.fault("it is cut off") // kept in r.err
	}
	if r.err != nil {
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *serialReader) number() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// array reads a byte array, nil for null.
func (r *serialReader) array() []byte {
	kind := r.take(1)
	if kind == nil {
		return nil
	}
	switch kind[0] {
	case serialNull:
		return nil
	case serialReference: // to an array that occurred before
		if at := int64(r.number()) - serialFirstArray; r.err == nil && at >= 0 && at < int64(len(r.arrays)) {
			return r.arrays[at]
		}
	case serialArray:
		if !r.classSeen && r.skip(serialBytes) || r.classSeen && r.skip(serialAgain) {
			r.classSeen = true
			length := r.number()
			if int64(length) > int64(len(r.rest)) {
				_ = r.fault("it is cut off") // kept in r.err
				return nil
			}
			a := r.take(int(length))
			r.arrays = append(r.arrays, a)
			return a
		}
	case serialObject:
	}
	_ = r.fault("a key or value is no byte array") // kept in r.err
	return nil
}
