package registrytest

import (
	"fmt"
	"math/big"
	"strconv"

	"pgregory.net/rapid"

	"kconnect/connect/data"
)

// Generator draws schemas and their values.
type Generator struct {
	// OnlyStructs draws a struct at the top, and elements that are no arrays or
	// maps: what Protobuf can say.
	OnlyStructs bool
	// Metadata draws names, documentation, parameters and defaults, too.
	Metadata bool

	names int
}

const day = 24 * 60 * 60 * 1000

// Schema draws a schema of version 1.
func (g *Generator) Schema(t *rapid.T) *data.Schema {
	if g.OnlyStructs {
		return g.structSchema(t, 3, false, true)
	}
	return g.schema(t, 3, true)
}

func (g *Generator) schema(t *rapid.T, depth int, top bool) *data.Schema {
	kinds := 15
	if depth == 0 {
		kinds = 12
	}
	optional := rapid.Bool().Draw(t, "optional")
	if g.OnlyStructs && depth == 0 {
		optional = false // elements
	}
	var b *data.Builder
	switch k := rapid.IntRange(0, kinds-1).Draw(t, "kind"); k {
	case 8:
		b = data.NewDecimalBuilder(int32(rapid.IntRange(0, 20).Draw(t, "scale")))
	case 9:
		b = data.NewDateBuilder()
	case 10:
		b = data.NewTimeBuilder()
	case 11:
		b = data.NewTimestampBuilder()
	case 12:
		return g.structSchema(t, depth-1, optional && !top, top)
	case 13:
		b = data.NewBuilder(data.Array).Items(g.element(t, depth-1))
	case 14:
		key := data.StringSchema
		if !g.OnlyStructs && !top && rapid.IntRange(0, 3).Draw(t, "number keys") == 0 {
			key = data.Int64Schema
			g.names++
			b = data.NewBuilder(data.MapType).Named(fmt.Sprintf("org.test.M%d", g.names))
		} else {
			b = data.NewBuilder(data.MapType)
		}
		b.Keys(key).Items(g.element(t, depth-1))
	default:
		b = data.NewBuilder([]data.Type{data.Int8, data.Int16, data.Int32, data.Int64, data.Float32, data.Float64, data.Boolean, data.String}[k])
		if k == 7 && rapid.Bool().Draw(t, "bytes") {
			b = data.NewBuilder(data.Bytes)
		}
		if top {
			b.Version(1)
		}
		if g.Metadata && rapid.IntRange(0, 3).Draw(t, "described") == 0 {
			b.Named("org.test.Plain").Doc("about \"it\"").Param("p", "ü").Param("a", "")
			if rapid.Bool().Draw(t, "default") {
				plain := b.MustBuild()
				b.Default(g.Value(t, plain))
			}
		}
	}
	if top && depth == 3 {
		b.SetOptional(false)
		s := b.MustBuild()
		if _, ok := s.Version(); !ok {
			b.Version(1)
		}
		return b.MustBuild()
	}
	return b.SetOptional(optional).MustBuild()
}

func (g *Generator) element(t *rapid.T, depth int) *data.Schema {
	if g.OnlyStructs {
		depth = 0
	}
	return g.schema(t, max(0, depth), false)
}

func (g *Generator) structSchema(t *rapid.T, depth int, optional, top bool) *data.Schema {
	b := data.NewStructBuilder()
	g.names++
	b.Named(fmt.Sprintf("org.test.S%d", g.names))
	if top {
		b.Version(1)
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "fields") {
		b.Field("f"+strconv.Itoa(i), g.schema(t, max(0, depth), false))
	}
	return b.SetOptional(optional).MustBuild()
}

// Value draws a value of s; null only where s allows it.
func (g *Generator) Value(t *rapid.T, s *data.Schema) data.Value {
	if s.Optional() && rapid.IntRange(0, 2).Draw(t, "null") == 0 {
		return data.Null
	}
	switch s.Logical() {
	case data.LogicalDecimal:
		scale, _ := s.Scale() // drawn with one
		if rapid.Bool().Draw(t, "big") {
			i := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "unscaled"))
			if rapid.Bool().Draw(t, "negative") {
				i.Neg(i)
			}
			return data.DecimalOf(data.NewBigDecimal(i, scale))
		}
		return data.DecimalOf(data.NewDecimal(rapid.Int64().Draw(t, "small"), scale))
	case data.LogicalDate:
		return data.InstantOf(rapid.Int64Range(-700_000, 2_900_000).Draw(t, "days") * day)
	case data.LogicalTime:
		return data.InstantOf(rapid.Int64Range(0, day-1).Draw(t, "time"))
	case data.LogicalTimestamp:
		return data.InstantOf(rapid.Int64Range(-62_135_596_800_000, 253_402_300_799_999).Draw(t, "ms"))
	}
	switch s.Type() {
	case data.Int8:
		return data.Int8Of(rapid.Int8().Draw(t, "int8"))
	case data.Int16:
		return data.Int16Of(rapid.Int16().Draw(t, "int16"))
	case data.Int32:
		return data.Int32Of(rapid.Int32().Draw(t, "int32"))
	case data.Int64:
		return data.Int64Of(rapid.Int64().Draw(t, "int64"))
	case data.Float32:
		return data.Float32Of(rapid.Float32().Draw(t, "float32"))
	case data.Float64:
		return data.Float64Of(rapid.Float64().Draw(t, "float64"))
	case data.Boolean:
		return data.BoolOf(rapid.Bool().Draw(t, "bool"))
	case data.String:
		return data.StringOf(rapid.String().Draw(t, "string"))
	case data.Bytes:
		return data.BytesOf(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case data.Array:
		list := make([]data.Value, rapid.IntRange(0, 4).Draw(t, "length"))
		for i := range list {
			list[i] = g.Value(t, s.Elem())
		}
		return data.ArrayOf(list)
	case data.MapType:
		m := &data.Map{}
		for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
			key := data.StringOf("k" + strconv.Itoa(i))
			if s.Key().Type() == data.Int64 {
				key = data.Int64Of(int64(i) - 1)
			}
			m.Entries = append(m.Entries, data.Entry{Key: key, Value: g.Value(t, s.Elem())})
		}
		return data.MapOf(m)
	}
	st := data.NewStruct(s)
	for i, f := range s.Fields() {
		st.Values()[i] = g.Value(t, f.Schema)
	}
	return data.StructOf(st)
}
