// Package avro is the Avro converter: values in Avro's binary form behind the
// id of their schema in a schema registry.
//
// Three translations are kept apart. A Connect schema becomes an Avro schema
// whose text is that of the Java converter to the byte, because the registry
// tells schemas apart by it (fromconnect.go, text.go). An Avro schema becomes
// a Connect schema (toconnect.go). And a pair of both is compiled once into a
// tree of steps that moves values between data.Value and bytes (encode.go,
// decode.go). A general Avro library stands on reflection and would put every
// value into an interface first; one is used for the rules of compatibility,
// and as the second opinion of the tests.
package avro
