// Package protobuf is the Protobuf converter: messages in Protobuf's binary
// form behind the id of their schema in a schema registry and the place of the
// message in it.
//
// A Connect schema becomes the text of a .proto file (fromconnect.go), which
// is compiled like one that comes from the registry (compile.go). A message
// becomes a Connect schema (toconnect.go). The pair of both is compiled once
// into steps that move values between data.Value and bytes (encode.go,
// decode.go); no message object is ever made. The tests ask the messages of
// the Protobuf library for a second opinion.
package protobuf
