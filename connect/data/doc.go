// Package data is the data model of records: schemas, values, structs and the
// logical types Decimal, Date, Time and Timestamp.
//
// A Value carries the runtime type that the Java worker would hold (a Java
// Integer is KindInt32), whatever its schema says; Validate compares the two.
// Values are small, are passed by copy and never box a number. Those that
// refer to memory (strings, bytes, arrays, maps, structs) share it: nobody may
// change what a Value refers to once the Value was handed on.
//
// Schemas are immutable and safe for concurrent use. Whoever reads many
// records of one shape keeps using one *Schema, because converters recognise
// a schema by its pointer before they compare by content.
package data
