// Package converter holds the converters that come with Kafka Connect: JSON,
// text, raw bytes, numbers, and the header converter that guesses types.
//
// A converter is used by one goroutine at a time. What Decode returns refers
// to the bytes it was given and to memory that the converter hands out and
// never takes back.
//
// JSON is read twice in principle and once in practice. The exact reader
// (jsonRead, coerce) accepts and refuses what the parser of the Java worker
// does and explains what is wrong. The envelope reader in front of it knows
// the schema by its bytes, takes only what needs no coercion, and gives up at
// anything else; then the exact reader starts over. The fuzz tests hold the
// two to the same answers. Both stand on one scanner: no JSON library accepts
// what the Java worker's parser does, and one in front of it was not faster.
package converter
