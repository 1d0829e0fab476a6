package jsonschema

import (
	"cmp"
	"slices"

	"kconnect/connect/converter/jsontree"
	"kconnect/connect/data"
)

// javaOrder sorts members as a Java HashMap gives them that they were put into
// one by one: the order in which the Java converter writes the properties of a
// schema, and in which it reads those that have no connect.index.
func javaOrder(members []jsontree.Member) {
	names := make([]string, len(members))
	for i := range members {
		names[i] = members[i].Name
	}
	places := map[string]int{}
	for i, name := range data.HashMapOrder(names) {
		places[name] = i
	}
	slices.SortStableFunc(members, func(a, b jsontree.Member) int { return cmp.Compare(places[a.Name], places[b.Name]) })
}
