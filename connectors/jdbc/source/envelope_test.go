package source

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"kconnect/connect/data"
)

// TEMPORARY until package converter is there.
func envelope(s *data.Schema, v data.Value) (string, error) {
	var b strings.Builder
	b.WriteString(`{"schema":`)
	sch(&b, s, "")
	b.WriteString(`,"payload":`)
	if err := val(&b, s, v); err != nil {
		return "", err
	}
	b.WriteString("}")
	return b.String(), nil
}
func sch(b *strings.Builder, s *data.Schema, field string) {
	b.WriteString(`{"type":` + q(strings.ToLower(s.Type().String()[:])))
	if s.Type() == data.StructType {
		b.WriteString(`,"fields":[`)
		for i, f := range s.Fields() {
			if i > 0 {
				b.WriteByte(',')
			}
			sch(b, f.Schema, f.Name)
		}
		b.WriteString(`]`)
	}
	fmt.Fprintf(b, `,"optional":%v`, s.Optional())
	if s.HasName() {
		b.WriteString(`,"name":` + q(s.Name()))
	}
	if ver, ok := s.Version(); ok {
		fmt.Fprintf(b, `,"version":%d`, ver)
	}
	if len(s.Params()) > 0 {
		b.WriteString(`,"parameters":{`)
		for i, p := range s.Params() {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(q(p.Key) + ":" + q(p.Value))
		}
		b.WriteString(`}`)
	}
	if field != "" {
		b.WriteString(`,"field":` + q(field))
	}
	b.WriteString("}")
}
func val(b *strings.Builder, s *data.Schema, v data.Value) error {
	switch v.Kind() {
	case data.KindNull:
		b.WriteString("null")
	case data.KindStruct:
		b.WriteByte('{')
		for i, f := range s.Fields() {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(q(f.Name) + ":")
			if err := val(b, f.Schema, v.Struct().At(i)); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case data.KindBool:
		fmt.Fprint(b, v.Bool())
	case data.KindString:
		b.WriteString(q(v.Str()))
	case data.KindBytes:
		b.WriteString(`"` + base64.StdEncoding.EncodeToString(v.Bytes()) + `"`)
	case data.KindDecimal:
		b.WriteString(`"` + base64.StdEncoding.EncodeToString(v.Decimal().AppendBytes(nil)) + `"`)
	case data.KindFloat32:
		t := string(data.AppendFloat32(nil, v.Float32()))
		if strings.ContainsAny(t, "IN") {
			t = q(t)
		}
		b.WriteString(t)
	case data.KindFloat64:
		t := string(data.AppendFloat64(nil, v.Float64()))
		if strings.ContainsAny(t, "IN") {
			t = q(t)
		}
		b.WriteString(t)
	case data.KindInstant:
		ms := v.Instant()
		switch s.Name() {
		case data.DateName:
			if ms%86400000 != 0 {
				return fmt.Errorf("Kafka Connect Date type should not have any time fields set to non-zero values.")
			}
			ms /= 86400000
		case data.TimeName:
			if ms < 0 || ms > 86400000 {
				return fmt.Errorf("Kafka Connect Time type should not have any date fields set to non-zero values.")
			}
		}
		b.WriteString(strconv.FormatInt(ms, 10))
	default:
		b.WriteString(strconv.FormatInt(v.Int(), 10))
	}
	return nil
}
func q(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04X`, r)
		case r > 0xffff:
			h, l := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04X\u%04X`, h, l)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

var _ = json.Marshal
