package transform

import (
	"math"
	"strings"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
	"kconnect/connect/data/calendar"
	"kconnect/connect/transform/simpledate"
)

const convertPurpose = "converting timestamp formats"

// timestampForm is a form that a timestamp has, before or after conversion.
type timestampForm string

const (
	textForm    timestampForm = "string"
	unixForm    timestampForm = "unix"
	dateForm    timestampForm = "Date"
	timeForm    timestampForm = "Time"
	instantForm timestampForm = "Timestamp"
)

var timestampConverterDef = config.NewDef(
	config.Key{Name: "field", Type: config.String, Default: config.Default(""), Importance: config.High, Doc: "The field with the timestamp; empty when the key or value is the timestamp itself."},
	config.Key{Name: "target.type", Type: config.String, Required: true, Importance: config.High, Validate: config.OneOf("string", "unix", "Date", "Time", "Timestamp"),
		Doc: "What the timestamp becomes: text, a number (see unix.precision), or a logical type of Connect."},
	config.Key{Name: "format", Type: config.String, Default: config.Default(""), Importance: config.Medium,
		Doc: "How text is read and written, as a pattern of Java's SimpleDateFormat; in UTC. Needed where the timestamp is text before or after."},
	config.Key{Name: "unix.precision", Type: config.String, Default: config.Default("milliseconds"), Importance: config.Low,
		Validate: config.OneOf("nanoseconds", "microseconds", "milliseconds", "seconds"), Doc: "What a number counts since the epoch."},
	replaceNullKey,
)

// TimestampConverter turns timestamps of one form into another.
type TimestampConverter struct {
	side    side
	field   string
	target  timestampForm
	pattern string
	format  *simpledate.Format // nil without a pattern
	perMs   int64              // units of unix.precision in a millisecond, 0 for seconds
	replace bool
	schemas schemaCache
}

var _ connect.Transformation = (*TimestampConverter)(nil)

// Configure implements connect.Transformation.
func (t *TimestampConverter) Configure(m config.Map) error {
	v, err := parse(timestampConverterDef, m)
	if err != nil {
		return err
	}
	t.field, t.target, t.pattern = v.String("field"), timestampForm(v.String("target.type")), v.String("format")
	t.perMs = map[string]int64{"nanoseconds": 1_000_000, "microseconds": 1_000, "milliseconds": 1}[v.String("unix.precision")]
	t.replace = v.Bool("replace.null.with.default")
	if strings.TrimSpace(t.pattern) == "" {
		if t.target == textForm {
			return &config.Error{Whole: true, Message: "TimestampConverter requires format option to be specified when using string timestamps"}
		}
		return nil
	}
	if t.format, err = simpledate.Compile(t.pattern, time.Now()); err != nil {
		return config.Invalid("TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: "+t.pattern,
			"java.lang.IllegalArgumentException: "+err.Error(), "")
	}
	return nil
}

// Apply implements connect.Transformation.
func (t *TimestampConverter) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	switch {
	case schema == nil:
		v, err := t.schemaless(value)
		if err == nil {
			t.side.set(r, nil, v)
		}
		return err == nil, err
	case t.field == "":
		v, err := t.convertWith(schema, value)
		if err != nil {
			return false, err
		}
		updated, err := t.schemas.get(schema, t.targetSchema)
		t.side.set(r, updated, v)
		return err == nil, err
	}
	if !value.IsNull() {
		if _, err := structOf(value, convertPurpose); err != nil {
			return false, err
		}
	}
	updated, err := t.schemas.get(schema, t.updated)
	if err != nil {
		return false, err
	}
	if value, err = t.convertField(value, updated); err != nil {
		return false, err
	}
	t.side.set(r, updated, value)
	return true, nil
}

func (t *TimestampConverter) schemaless(value data.Value) (data.Value, error) {
	if value.IsNull() || t.field == "" {
		return t.convert(value, formOf(value))
	}
	from, err := mapOf(value, convertPurpose)
	if err != nil {
		return data.Null, err
	}
	v, _ := from.Get(t.field)
	if v, err = t.convert(v, formOf(v)); err != nil {
		return data.Null, err
	}
	to := &data.Map{Entries: append(make([]data.Entry, 0, len(from.Entries)+1), from.Entries...)}
	to.Put(t.field, v)
	return data.MapOf(to), nil
}

// updated is the schema of structs whose field is converted, with its default
// converted too.
func (t *TimestampConverter) updated(s *data.Schema) (*data.Schema, error) {
	if s.Type() != data.StructType { // that of a null
		return nil, connect.NewDataError("Cannot list fields on non-struct type", nil)
	}
	b := data.NewStructBuilder().Like(s).SetOptional(s.Optional())
	for _, f := range s.Fields() {
		to := f.Schema
		if f.Name == t.field {
			var err error
			if to, err = t.targetSchema(f.Schema); err != nil {
				return nil, err
			}
		}
		b.Field(f.Name, to)
	}
	byDefault, ok := s.Default()
	if !ok || byDefault.IsNull() {
		return b.Build()
	}
	plain, err := b.Build()
	if err != nil {
		return nil, err
	}
	v, err := t.convertField(byDefault, plain)
	if err != nil {
		return nil, err
	}
	return b.Default(v).Build()
}

// targetSchema is the schema of what values of a schema become.
func (t *TimestampConverter) targetSchema(s *data.Schema) (*data.Schema, error) {
	var b *data.Builder
	switch t.target {
	case textForm:
		b = data.NewBuilder(data.String)
	case unixForm:
		b = data.NewBuilder(data.Int64)
	case dateForm:
		b = data.NewDateBuilder()
	case timeForm:
		b = data.NewTimeBuilder()
	default:
		b = data.NewTimestampBuilder()
	}
	return b.SetOptional(s.Optional()).Build()
}

func (t *TimestampConverter) convertField(value data.Value, updated *data.Schema) (data.Value, error) {
	if value.IsNull() {
		return value, nil
	}
	from, to := value.Struct(), data.NewStruct(updated)
	for i, f := range from.Schema().Fields() {
		v := withDefault(from.At(i), f.Schema, t.replace)
		if f.Name == t.field {
			var err error
			if v, err = t.convertWith(f.Schema, v); err != nil {
				return data.Null, err
			}
		}
		at := i
		if fields := updated.Fields(); i >= len(fields) || fields[i].Name != f.Name { // a struct of another schema than the record's
			if at = updated.Field(f.Name); at < 0 {
				return data.Null, connect.NewDataError(f.Name+" is not a valid field name", nil)
			}
		}
		if err := store(to, at, v); err != nil {
			return data.Null, err
		}
	}
	return data.StructOf(to), nil
}

// convertWith converts a value of a schema, which tells its form.
func (t *TimestampConverter) convertWith(s *data.Schema, v data.Value) (data.Value, error) {
	form := timestampForm("")
	switch name := s.Name(); {
	case name == data.TimestampName:
		form = instantForm
	case name == data.DateName:
		form = dateForm
	case name == data.TimeName:
		form = timeForm
	case s.Type() == data.String:
		form = textForm
	case s.Type() == data.Int64:
		form = unixForm
	default:
		return data.Null, &connect.Error{Class: connect.ClassConnect, Kind: connect.Data, Message: "Schema " + s.String() + " does not correspond to a known timestamp type format"}
	}
	return t.convert(v, form)
}

// formOf is the form of a value without a schema; "" when it has none.
func formOf(v data.Value) timestampForm {
	switch v.Kind() {
	case data.KindInstant:
		return instantForm
	case data.KindInt64:
		return unixForm
	case data.KindString:
		return textForm
	}
	return ""
}

func (t *TimestampConverter) convert(v data.Value, form timestampForm) (data.Value, error) {
	if v.IsNull() {
		return v, nil
	}
	ms, err := t.instant(v, form)
	if err != nil {
		return data.Null, err
	}
	days, clock := calendar.FloorDiv(ms, 86_400_000)
	switch t.target {
	case textForm:
		return data.StringOf(string(t.format.Append(nil, ms))), nil
	case unixForm:
		if t.perMs == 0 {
			return data.Int64Of(ms / 1000), nil
		}
		return data.Int64Of(multiply(ms, t.perMs)), nil
	case dateForm:
		return data.InstantOf(days * 86_400_000), nil
	case timeForm:
		return data.InstantOf(clock), nil
	default:
		return data.InstantOf(ms), nil
	}
}

// instant returns what a value of a form stands for, in ms since the epoch.
func (t *TimestampConverter) instant(v data.Value, form timestampForm) (int64, error) {
	mismatch := func(what string) error {
		return connect.NewDataError("Expected "+what+", but found class "+v.JavaClass(), nil)
	}
	switch form {
	case textForm:
		if v.Kind() != data.KindString {
			return 0, mismatch("string timestamp to be a String")
		}
		if t.format == nil {
			return 0, &connect.Error{Class: connect.ClassNullPointer, Kind: connect.Data, Remedy: "set format, the pattern of the text",
				Message: `Cannot invoke "java.text.SimpleDateFormat.parse(String)" because "config.format" is null`}
		}
		ms, ok := t.format.Parse(v.Str())
		if !ok {
			return 0, connect.NewDataError("Could not parse timestamp: value ("+v.Str()+") does not match pattern ("+t.pattern+")",
				&connect.Error{Class: "java.text.ParseException", Message: `Unparseable date: "` + v.Str() + `"`})
		}
		return ms, nil
	case unixForm:
		if v.Kind() != data.KindInt64 {
			return 0, mismatch("Unix timestamp to be a Long")
		}
		if t.perMs == 0 {
			return multiply(v.Int(), 1000), nil
		}
		return v.Int() / t.perMs, nil
	case "":
		return 0, connect.NewDataError("TimestampConverter does not support class "+v.JavaClass()+" objects as timestamps", nil)
	default:
		if v.Kind() != data.KindInstant {
			return 0, mismatch(string(form) + " to be a java.util.Date")
		}
		return v.Instant(), nil
	}
}

// multiply stops at the ends of the 64-bit numbers, as Java's TimeUnit does.
func multiply(n, by int64) int64 {
	switch {
	case n > math.MaxInt64/by:
		return math.MaxInt64
	case n < math.MinInt64/by:
		return math.MinInt64
	}
	return n * by
}
