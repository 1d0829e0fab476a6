package registry

import (
	"encoding/binary"

	"kconnect/connect"
)

// PrefixLength is the number of bytes in front of every record: a zero and
// the id of its schema, big endian.
const PrefixLength = 5

// AppendPrefix appends the bytes in front of a record.
func AppendPrefix(dst []byte, id int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), uint32(id))
}

// Split returns the id of the schema of b and what follows it.
func Split(b []byte) (id int, payload []byte, err error) {
	if len(b) < PrefixLength || b[0] != 0 {
		return 0, nil, &connect.Error{
			Class: connect.ClassSerialization, Kind: connect.Data, Message: "Unknown magic byte!",
			Remedy: "The record was not written with a schema of a schema registry: use the converter that its producer's format asks for.",
		}
	}
	return int(int32(binary.BigEndian.Uint32(b[1:]))), b[PrefixLength:], nil
}
