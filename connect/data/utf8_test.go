package data

import (
	"encoding/hex"
	"testing"
)

// TestBytesThatAreNoUTF8AreReplacedAsInJava: the texts are those that a JDK 21
// makes of the bytes, as a stream and as a String alike.
func TestBytesThatAreNoUTF8AreReplacedAsInJava(t *testing.T) {
	for line, want := range map[string]string{
		"6162e282":       "ab\ufffd",
		"63ffff64":       "c\ufffd\ufffdd",
		"eda08078":       "\ufffdx",
		"eda078":         "\ufffdx",
		"eda0":           "\ufffd",
		"ed":             "\ufffd",
		"e08041":         "\ufffd\ufffdA",
		"c0af":           "\ufffd\ufffd",
		"f09f98":         "\ufffd",
		"f09f9841":       "\ufffdA",
		"f4904190":       "\ufffd\ufffdA\ufffd",
		"e2c241":         "\ufffd\ufffdA",
		"f5808080":       "\ufffd\ufffd\ufffd\ufffd",
		"e282acf09f9880": "€😀",
	} {
		p, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendUTF8(nil, p)); got != want {
			t.Errorf("%s became %+q, want %+q", line, got, want)
		}
	}
}
