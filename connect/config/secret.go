package config

import "fmt"

// Hidden is what a secret shows wherever it is printed.
const Hidden = "[hidden]"

// Secret is the value of a PASSWORD key. Every way of printing it gives
// [hidden]; Reveal is the one way to the text, so that a search for Reveal
// finds each place where a secret leaves the program.
//
// Promise 8: a Secret that strays into a log line, an error, a trace or a
// JSON body does not show. One hole cannot be closed here: package fmt prints
// unexported fields without asking their type, so a struct that hides a Secret
// in one must not be printed whole, or needs a Format method as Values has.
type Secret string

// Reveal returns the secret text, for handing it to a driver or a client.
func (s Secret) Reveal() string { return string(s) }

// String returns [hidden].
func (Secret) String() string { return Hidden }

// GoString returns [hidden], for %#v.
func (Secret) GoString() string { return Hidden }

// Format writes [hidden] for every verb: without it %x and %q of a string type
// would print the text's bytes.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Hidden)) }

// MarshalJSON returns "[hidden]".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Hidden + `"`), nil }

// MarshalText returns [hidden].
func (Secret) MarshalText() ([]byte, error) { return []byte(Hidden), nil }
