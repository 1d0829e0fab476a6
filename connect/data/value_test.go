package data_test

import (
	"testing"
	"unsafe"

	"kconnect/connect/data"
)

func TestValueIsThreeWords(t *testing.T) {
	if size := unsafe.Sizeof(data.Value{}); size != 24 {
		t.Errorf("a value takes %d bytes", size)
	}
}

func TestValueEqualLooksAtKindAndContent(t *testing.T) {
	m := &data.Map{}
	m.Put("a", data.Int32Of(1))
	m.Put("b", data.Null)
	turned := &data.Map{Entries: []data.Entry{{Key: data.StringOf("b")}, {Key: data.StringOf("a"), Value: data.Int32Of(1)}}}
	for _, test := range []struct {
		a, b data.Value
		want bool
	}{
		{data.Int32Of(1), data.Int32Of(1), true},
		{data.Int32Of(1), data.Int64Of(1), false},
		{data.StringOf("x"), data.BytesOf([]byte("x")), false},
		{data.StringOf("x"), data.TextOf([]byte("x")), true},
		{data.DecimalOf(data.NewDecimal(150, 2)), data.DecimalOf(data.NewDecimal(15, 1)), false},
		{data.MapOf(m), data.MapOf(turned), true},
		{data.ArrayOf([]data.Value{data.MapOf(m)}), data.ArrayOf([]data.Value{data.MapOf(turned)}), true},
		{data.ObjectTextOf("a.B", "c"), data.ObjectTextOf("a.Bc", ""), false},
		{data.Null, data.BoolOf(false), false},
	} {
		if got := test.a.Equal(test.b); got != test.want {
			t.Errorf("%s equal to %s: %t", test.a, test.b, got)
		}
	}
}

func TestSchemaEqualIgnoresTheOrderOfParameters(t *testing.T) {
	a := data.NewBuilder(data.Int32).Param("k", "v").Param("l", "w").MustBuild()
	b := data.NewBuilder(data.Int32).Param("l", "w").Param("k", "v").MustBuild()
	c := data.NewBuilder(data.Int32).Param("l", "w").Param("k", "x").MustBuild()
	if !a.Equal(b) || a.Equal(c) {
		t.Error("parameters are not compared as a set")
	}
}

func TestStructWithManyFieldsFindsThem(t *testing.T) {
	b := data.NewStructBuilder()
	for i := range 60 {
		b.Field(string(rune('A'+i)), data.OptionalInt32Schema)
	}
	s := data.NewStruct(b.MustBuild())
	for i := range 60 {
		if err := s.Put(string(rune('A'+i)), data.Int32Of(int32(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		if v, err := s.Get(string(rune('A' + i))); err != nil || v.Int() != int64(i) {
			t.Errorf("field %d: %s, %v", i, v, err)
		}
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}
