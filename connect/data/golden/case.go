package golden

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Case is one recorded call. Which members are set depends on Op.
type Case struct {
	ID        string             `json:"id"`
	Op        string             `json:"op"`
	Converter string             `json:"converter"`
	Class     string             `json:"class"` // of a transformation or predicate
	Config    map[string]*string `json:"config"`
	IsKey     bool               `json:"isKey"`
	Timezone  string             `json:"timezone"` // the process zone; empty means UTC
	Target    json.RawMessage    `json:"target"`
	Field     *string            `json:"field"`
	Schema    json.RawMessage    `json:"schema"`
	Value     json.RawMessage    `json:"value"`
	Data      json.RawMessage    `json:"data"`
	Text      json.RawMessage    `json:"text"`
	Puts      []json.RawMessage  `json:"puts"`
	Record    json.RawMessage    `json:"record"`

	Expect      Expect  `json:"expect"`
	ExpectJdk19 *Expect `json:"expectJdk19"` // the second accepted answer, where Java's changed with JDK 19
}

// Expect is what Java answered. A raw member is nil when it was not recorded,
// which is not the same as a recorded null.
type Expect struct {
	OK             bool            `json:"ok"`
	JavaNull       bool            `json:"javaNull"`   // null instead of a schema and a value
	SameObject     bool            `json:"sameObject"` // the input record itself came back
	Schema         json.RawMessage `json:"schema"`
	Value          json.RawMessage `json:"value"`
	Data           json.RawMessage `json:"data"`
	Record         json.RawMessage `json:"record"`
	Result         json.RawMessage `json:"result"` // of a predicate
	ToString       *string         `json:"toString"`
	GetWithDefault json.RawMessage `json:"getWithDefault"`
	Stage          string          `json:"stage"`
	Error          *Error          `json:"error"`
}

// Read returns the cases of one .jsonl file.
func Read(path string) ([]Case, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	var cases []Case
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, len(cases)+1, err)
		}
		cases = append(cases, c)
	}
	return cases, lines.Err()
}

// Difference is a case that reads differently on purpose.
type Difference struct {
	Row    string          `json:"row"`    // of docs/differences.md
	Expect json.RawMessage `json:"expect"` // in the form of the recording's own kind
}

// ReadDifferences returns the differences by case id.
func ReadDifferences(path string) (map[string]Difference, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var d map[string]Difference
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// Bytes reads the notation of a record's bytes: null, {"text":...} or
// {"bytes":base64}. Null, or nothing, gives nil; empty bytes are not nil.
func Bytes(raw json.RawMessage) ([]byte, error) {
	var d *struct {
		Text  json.RawMessage `json:"text"`
		Bytes []byte          `json:"bytes"`
	}
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &d); err != nil || d == nil {
		return nil, err
	}
	if d.Text != nil {
		s, err := text(d.Text)
		return append([]byte{}, s...), err
	}
	return append([]byte{}, d.Bytes...), nil
}
