package jsonschema

import (
	"cmp"
	"slices"
	"unicode/utf16"

	"kconnect/connect/converter/jsontree"
)

// javaOrder sorts members as a Java HashMap gives them that they were put into
// one by one: the order in which the Java converter writes the properties of a
// schema, and in which it reads those that have no connect.index.
func javaOrder(members []jsontree.Member) {
	size := uint32(16)
	for len(members) > int(size)*3/4 {
		size *= 2
	}
	bucket := func(name string) uint32 {
		var h uint32
		for _, unit := range utf16.Encode([]rune(name)) {
			h = 31*h + uint32(unit)
		}
		return (h ^ h>>16) & (size - 1)
	}
	slices.SortStableFunc(members, func(a, b jsontree.Member) int { return cmp.Compare(bucket(a.Name), bucket(b.Name)) })
}
