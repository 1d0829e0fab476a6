package registry

import (
	"net/url"
	"strconv"
	"strings"

	"kconnect/connect/data"
)

// Names of unions and enums with generalized.sum.type.support.
const (
	UnionParam       = "org.apache.kafka.connect.data.Union"
	EnumParam        = "org.apache.kafka.connect.data.Enum"
	UnionPrefix      = "connect_union_"
	UnionFieldPrefix = "connect_union_field_"
)

// DescribeEnum puts the name and the symbols of an enum into the parameters of
// the text that stands for it: with their places under EnumParam when it is a
// general one, else as they are under own.
func DescribeEnum(b *data.Builder, general bool, own, name string, symbols []string) {
	if general {
		own = EnumParam
	}
	b.Param(own, name)
	for i, symbol := range symbols {
		value := symbol
		if general {
			value = strconv.Itoa(i)
		}
		b.Param(own+"."+symbol, value)
	}
}

// Identifier returns name as the Java converters make it one that a format
// allows: letters, digits and underscores, and in front none of notFirst.
func Identifier(name, notFirst string) string {
	valid := name == "" || strings.IndexByte(notFirst, name[0]) < 0
	for i := 0; i < len(name) && valid; i++ {
		valid = isLetter(name[i])
	}
	if valid {
		return name
	}
	b := []byte(url.QueryEscape(name))
	if strings.IndexByte(notFirst, b[0]) >= 0 {
		b = append([]byte{'x'}, b...)
	}
	for i, c := range b {
		if !isLetter(c) {
			b[i] = '_'
		}
	}
	return string(b)
}

func isLetter(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
}
