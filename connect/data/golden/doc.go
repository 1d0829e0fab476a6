// Package golden reads the recordings of the Java worker under
// test/testdata/golden in their neutral notation. It is test support: only
// tests import it.
//
// The notation: a schema is an object with "type" and the attributes that are
// set; a value is null or an object whose first key is its runtime type, such
// as {"int32":1}; a struct lists what is stored, before defaults. What a test
// got is compared in that notation too: EncodeSchema and EncodeValue write it,
// Diff compares it with the recorded text.
package golden
