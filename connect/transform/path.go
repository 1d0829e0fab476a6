package transform

import (
	"fmt"
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var pathSyntaxKey = config.Key{Name: "field.syntax.version", Type: config.String, Default: config.Default("V1"), Importance: config.High,
	Validate: config.OneOfFold("V1", "V2"), Doc: "V1 takes a field name as it is; V2 reads dots in it as steps into nested fields, backticks keep a dot."}

// fieldPath leads to a field, through nested structs and maps under the V2
// syntax (KIP-821): steps are separated by dots, a step in backticks may hold
// dots itself, and a backtick that is not at the border of a step is an
// ordinary character. A backslash escapes a backtick only directly before a dot.
type fieldPath struct {
	text  string
	steps []string
}

func newFieldPath(text string, nested bool) (*fieldPath, error) {
	p := &fieldPath{text: text, steps: []string{text}}
	if !nested {
		return p, nil
	}
	p.steps = nil
	if text == "" {
		return p, nil // fails at the first record, as in Java
	}
	for at := 0; ; {
		step, end, err := pathStep(text, at)
		if err != nil {
			return nil, err
		}
		p.steps = append(p.steps, step)
		if end == len(text) {
			return p, nil
		}
		if at = end + 1; at == len(text) {
			p.steps = append(p.steps, "")
			return p, nil
		}
	}
}

// pathStep returns the step that begins at a position and where it ends: at a
// dot or at the end of the text.
func pathStep(text string, at int) (string, int, error) {
	if text[at] != '`' {
		if n := strings.IndexByte(text[at:], '.'); n >= 0 {
			return text[at : at+n], at + n, nil
		}
		return text[at:], len(text), nil
	}
	var step strings.Builder
	for from := at + 1; ; {
		n := strings.IndexByte(text[from:], '`')
		if n < 0 {
			return "", 0, &config.Error{Key: "field", Whole: true, Message: fmt.Sprintf("Incomplete backtick pair in path: [%s], consider adding a backslash before backtick at position %d to escape it", text, at)}
		}
		i := from + n
		switch {
		case i == len(text)-1:
			step.WriteString(text[from:i])
			return step.String(), len(text), nil
		case text[i+1] != '.':
			step.WriteString(text[from : i+1])
		case i > from && text[i-1] == '\\':
			step.WriteString(text[from : i-1])
			step.WriteByte('`')
		default:
			step.WriteString(text[from:i])
			return step.String(), i + 1, nil
		}
		from = i + 1
	}
}

// inMap returns the value that the path leads to; null where it leads nowhere.
func (p *fieldPath) inMap(m *data.Map) (data.Value, error) {
	if len(p.steps) == 0 {
		return data.Null, emptyPath()
	}
	for _, step := range p.steps[:len(p.steps)-1] {
		v, _ := m.Get(step)
		if v.Kind() != data.KindMap {
			return data.Null, nil
		}
		m = v.Map()
	}
	v, _ := m.Get(p.steps[len(p.steps)-1])
	return v, nil
}

// inSchema returns the schema of the field that the path leads to, nil where
// it leads nowhere.
func (p *fieldPath) inSchema(s *data.Schema) (*data.Schema, error) {
	if len(p.steps) == 0 {
		return nil, emptyPath()
	}
	for _, step := range p.steps {
		if s.Type() != data.StructType {
			return nil, connect.NewDataError("Cannot look up fields on non-struct type", nil)
		}
		i := s.Field(step)
		if i < 0 {
			return nil, nil
		}
		s = s.Fields()[i].Schema
	}
	return s, nil
}

// inStruct returns the value of the field that the path leads to, with
// defaults in place of nulls where defaults is set; null below a null and
// where a struct of another schema than the record's has no such field.
func (p *fieldPath) inStruct(s *data.Struct, defaults bool) (data.Value, error) {
	for i, step := range p.steps {
		at := s.Schema().Field(step)
		if at < 0 {
			return data.Null, nil
		}
		f, v := s.Schema().Fields()[at], s.At(at)
		if v.IsNull() && (defaults || i < len(p.steps)-1) {
			v, _ = f.Schema.Default()
		}
		if i == len(p.steps)-1 || v.IsNull() {
			return v, nil
		}
		var err error
		if s, err = structOf(v, "nested field access"); err != nil {
			return data.Null, err
		}
	}
	return data.Null, nil
}

// emptyPath is the error of Java's list of no steps.
func emptyPath() error {
	return &connect.Error{Class: connect.ClassIllegalArgument, Kind: connect.Data, Message: "fromIndex(0) > toIndex(-1)"}
}
