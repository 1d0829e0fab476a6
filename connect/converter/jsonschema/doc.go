// Package jsonschema is the JSON Schema converter: plain JSON behind the id of
// its schema in a schema registry.
//
// As in package avro, a Connect schema becomes a JSON schema with the text
// that the Java converter registers (fromconnect.go), a JSON schema becomes a
// Connect schema (load.go, toconnect.go), and values are written and read by
// steps compiled from the Connect schema (encode.go, decode.go). The reader
// streams; only the members of unions are looked at before they are read.
package jsonschema
