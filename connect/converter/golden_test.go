package converter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/data"
	"kconnect/connect/data/golden"
)

const differencesFile = "../../test/testdata/golden/differences.json"

// TestGolden replays what the Java worker's converters did. KCONNECT_GOLDEN_DIR
// names another folder with recordings.
//
// Cases that read differently on purpose are listed in differences.json. A
// case of D1 (a lossy conversion is refused) must in addition read as recorded
// when Java's coercion is asked for. config-providers.jsonl is replayed by
// package config.
func TestGolden(t *testing.T) {
	dir, own := os.Getenv("KCONNECT_GOLDEN_DIR"), false
	if dir == "" {
		dir, own = "../../test/testdata/golden", true
	}
	files, err := filepath.Glob(filepath.Join(dir, "converters", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s/converters: %v", dir, err)
	}
	differences, err := golden.ReadDifferences(differencesFile)
	if err != nil {
		t.Fatal(err)
	}
	zone := time.Local
	t.Cleanup(func() { time.Local = zone })

	passed, failed := 0, 0
	unused := maps.Clone(differences)
	for _, file := range files {
		if filepath.Base(file) == "config-providers.jsonl" {
			continue
		}
		cases, err := golden.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			delete(unused, c.ID)
			d, listed := differences[c.ID]
			if problem := replay(c, d, listed, own); problem != "" {
				failed++
				t.Errorf("%s: %s", c.ID, problem)
				continue
			}
			passed++
		}
	}
	fmt.Printf("golden converters: %d passed, %d failed\n", passed, failed)
	if own {
		for id := range unused {
			if name, _, _ := strings.Cut(id, "/"); slices.ContainsFunc(files, func(f string) bool { return filepath.Base(f) == name+".jsonl" }) {
				t.Errorf("%s lists %s, which no recording has", differencesFile, id)
			}
		}
	}
}

// replay returns how the answer to one case is wrong, or "".
func replay(c golden.Case, d golden.Difference, listed, own bool) string {
	zone := c.Timezone
	if zone == "" {
		zone = "UTC"
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return err.Error()
	}
	time.Local = location

	answer, err := ask(c, nil)
	if listed {
		var want golden.Expect
		if err := json.Unmarshal(d.Expect, &want); err != nil {
			return err.Error()
		}
		if problem := compare(want, answer, err); problem != "" {
			return "under " + d.Row + ": " + problem
		}
	}
	refused := err != nil && strings.Contains(err.Error(), "kconnect.converter.coercion=java")
	if own && refused != (listed && d.Row == "D1") {
		return fmt.Sprintf("differences.json lists it under D1: %t, it is refused: %t (%v)", listed && d.Row == "D1", refused, err)
	}
	if refused {
		answer, err = ask(c, config.Map{"kconnect.compatibility": "java"})
	} else if listed {
		return ""
	}
	problem := compare(c.Expect, answer, err)
	if problem != "" && c.ExpectJdk19 != nil {
		problem = compare(*c.ExpectJdk19, answer, err)
	}
	return problem
}

// answer is what a call gave; an unset member was not asked for.
type answer struct {
	ok                  bool
	schema, value       any
	hasSchema, hasValue bool
	data                []byte
	text                string
	withDefault         any
	stage               string
}

func compare(want golden.Expect, got answer, err error) string {
	if want.Error != nil {
		if problem := want.Error.Diff(err); problem != "" {
			return problem
		}
		if want.Stage != got.stage {
			return fmt.Sprintf("failed at stage %s, want %s", got.stage, want.Stage)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("failed at stage %s: %s", got.stage, connect.Trace(err))
	}
	if want.JavaNull {
		if got.hasValue && got.value != nil || got.schema != nil {
			return fmt.Sprintf("got %v, want null", got.value)
		}
		return ""
	}
	if want.Schema != nil {
		if problem := golden.Diff(got.schema, want.Schema); problem != "" {
			return "schema: " + problem
		}
	}
	if want.Value != nil {
		if problem := golden.Diff(got.value, want.Value); problem != "" {
			return "value: " + problem
		}
	}
	if want.Data != nil {
		b, err := golden.Bytes(want.Data)
		if err != nil {
			return err.Error()
		}
		if (b == nil) != (got.data == nil) || golden.HideHashes(string(b)) != golden.HideHashes(string(got.data)) {
			return fmt.Sprintf("bytes %q, want %q", got.data, b)
		}
	}
	if want.ToString != nil && golden.HideHashes(got.text) != golden.HideHashes(*want.ToString) {
		return fmt.Sprintf("text %q, want %q", got.text, *want.ToString)
	}
	if want.GetWithDefault != nil {
		if problem := golden.Diff(got.withDefault, want.GetWithDefault); problem != "" {
			return "with defaults: " + problem
		}
	}
	return ""
}

// ask makes the call of a case, with more settings added to its own.
func ask(c golden.Case, more config.Map) (answer, error) {
	switch c.Op {
	case "toConnectData", "fromConnectData", "toConnectHeader", "fromConnectHeader", "configureConverter":
		return convert(c, more)
	case "buildSchema":
		s, err := golden.Schema(c.Schema)
		return answer{stage: "build", schema: golden.EncodeSchema(s)}, err
	case "inferSchema":
		v, err := golden.Value(c.Value, nil)
		if err != nil {
			return answer{stage: "notation"}, err
		}
		s, err := data.InferSchema(v)
		return answer{stage: "convert", schema: golden.EncodeSchema(s)}, err
	}
	s, err := golden.Schema(c.Schema)
	if err != nil {
		return answer{stage: "notation"}, err
	}
	if c.Op == "struct" {
		return puts(c, s)
	}
	v, err := golden.Value(c.Value, s)
	if err != nil {
		return answer{stage: "notation"}, err
	}
	switch c.Op {
	case "validate":
		if c.Field != nil {
			err = data.ValidateField(*c.Field, s, v)
		} else {
			err = data.Validate(s, v)
		}
		return answer{stage: "validate"}, err
	case "project":
		target, err := golden.Schema(c.Target)
		if err != nil {
			return answer{stage: "notation"}, err
		}
		v, err = data.Project(s, v, target)
		return answer{stage: "project", hasValue: true, value: golden.EncodeValue(v, target)}, err
	case "convertTo":
		v, err = convertTo(c, s, v)
		return answer{stage: "convert", hasValue: true, value: golden.EncodeValue(v, s)}, err
	}
	return answer{stage: "notation"}, fmt.Errorf("unknown op %s", c.Op)
}

func convertTo(c golden.Case, s *data.Schema, v data.Value) (data.Value, error) {
	var name string
	if err := json.Unmarshal(c.Target, &name); err != nil {
		return data.Null, err
	}
	target, ok := map[string]*data.Schema{
		"boolean": data.OptionalBooleanSchema, "int8": data.OptionalInt8Schema, "int16": data.OptionalInt16Schema,
		"int32": data.OptionalInt32Schema, "int64": data.OptionalInt64Schema, "float32": data.OptionalFloat32Schema,
		"float64": data.OptionalFloat64Schema, "string": data.OptionalStringSchema,
		"array":  data.NewBuilder(data.Array).Untyped().MustBuild(),
		"map":    data.NewBuilder(data.MapType).Untyped().MustBuild(),
		"struct": data.NewStructBuilder().MustBuild(),
		"date":   data.NewDateBuilder().MustBuild(), "time": data.NewTimeBuilder().MustBuild(), "timestamp": data.NewTimestampBuilder().MustBuild(),
		"decimal": data.NewDecimalBuilder(0).MustBuild(),
	}[name]
	if !ok {
		return data.Null, fmt.Errorf("unknown target %s", name)
	}
	return data.Convert(target, s, v)
}

func puts(c golden.Case, s *data.Schema) (answer, error) {
	st := data.NewStruct(s)
	for _, p := range c.Puts {
		var put [2]json.RawMessage
		var name string
		if err := errors.Join(json.Unmarshal(p, &put), json.Unmarshal(put[0], &name)); err != nil {
			return answer{stage: "notation"}, err
		}
		var field *data.Schema
		if i := s.Field(name); i >= 0 {
			field = s.Fields()[i].Schema
		}
		v, err := golden.Value(put[1], field)
		if err != nil {
			return answer{stage: "notation"}, err
		}
		if err := st.Put(name, v); err != nil {
			return answer{stage: "put"}, err
		}
	}
	if err := st.Validate(); err != nil {
		return answer{stage: "validate"}, err
	}
	defaults := []any{}
	for _, f := range s.Fields() {
		v, err := st.Get(f.Name)
		if err != nil {
			return answer{stage: "get"}, err
		}
		defaults = append(defaults, []any{f.Name, golden.EncodeValue(v, f.Schema)})
	}
	return answer{hasValue: true, value: golden.EncodeValue(data.StructOf(st), s), text: st.String(), withDefault: defaults}, nil
}

// instance makes the converter or header converter of a class.
func instance(class string, kind connect.PluginKind) any {
	for _, p := range converter.Plugins() {
		if p.Class == class && p.Kind == kind {
			return p.New()
		}
	}
	return nil
}

func convert(c golden.Case, more config.Map) (answer, error) {
	m := config.Map{}
	for k, v := range c.Config {
		if v != nil {
			m[k] = *v
		}
	}
	maps.Copy(m, more)
	if strings.HasSuffix(c.Op, "Header") {
		h, ok := instance(c.Converter, connect.HeaderConverterPlugin).(connect.HeaderConverter)
		if !ok {
			return answer{stage: "notation"}, fmt.Errorf("no header converter %s", c.Converter)
		}
		if err := h.Configure(m, false); err != nil {
			return answer{stage: "configure"}, err
		}
		return headerCall(c, h)
	}
	v, ok := instance(c.Converter, connect.ConverterPlugin).(connect.Converter)
	if !ok {
		return answer{stage: "notation"}, fmt.Errorf("no converter %s", c.Converter)
	}
	if err := v.Configure(m, c.IsKey); err != nil {
		return answer{stage: "configure"}, err
	}
	if c.Op == "configureConverter" {
		return answer{ok: true}, nil
	}
	return headerCall(c, valueAsHeader{v})
}

// valueAsHeader lets one function make the calls of both kinds.
type valueAsHeader struct{ connect.Converter }

func (v valueAsHeader) AppendHeader(dst []byte, topic, _ string, s *data.Schema, value data.Value) ([]byte, error) {
	return v.Append(dst, topic, s, value)
}

func (v valueAsHeader) DecodeHeader(topic, _ string, b []byte) (*data.Schema, data.Value, error) {
	return v.Decode(topic, b)
}

func headerCall(c golden.Case, h connect.HeaderConverter) (answer, error) {
	if strings.HasPrefix(c.Op, "to") {
		b, err := golden.Bytes(c.Data)
		if err != nil {
			return answer{stage: "notation"}, err
		}
		s, v, err := h.DecodeHeader("topic", "header", b)
		if err != nil {
			return answer{stage: "convert"}, err
		}
		// The second time a schema is known and another reader does the work.
		s2, v2, err := h.DecodeHeader("topic", "header", b)
		if err != nil || !v.Equal(v2) || !s.Equal(s2) {
			return answer{stage: "convert"}, fmt.Errorf("read %s first and %s then: %w", v, v2, err)
		}
		return answer{hasSchema: true, schema: golden.EncodeSchema(s), hasValue: true, value: golden.EncodeValue(v, s)}, nil
	}
	s, err := golden.Schema(c.Schema)
	if err != nil {
		return answer{stage: "notation"}, err
	}
	v, err := golden.Value(c.Value, s)
	if err != nil {
		return answer{stage: "notation"}, err
	}
	b, err := h.AppendHeader([]byte{}, "topic", "header", s, v)
	return answer{stage: "convert", data: b}, err
}
