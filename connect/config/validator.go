package config

import (
	"fmt"
	"slices"
	"strings"
)

// Validator checks a parsed value: string (String, Class), bool, int32 (Int),
// int16 (Short), int64 (Long), float64 (Double), []string (List), Secret, or
// nil for null. Check returns an *Error for key name. String describes what is
// accepted, for the reference.
type Validator interface {
	Check(name string, v any) error
	String() string
}

// Func makes a Validator of a function. description is what String returns.
func Func(description string, check func(name string, v any) error) Validator {
	return &validator{description, check}
}

type validator struct {
	description string
	check       func(name string, v any) error
}

func (v *validator) Check(name string, value any) error { return v.check(name, value) }
func (v *validator) String() string                     { return v.description }

// AtLeast accepts numbers from min on. It refuses null.
func AtLeast[N int | float64](min N) Validator {
	return Func(fmt.Sprintf("[%s,...]", bound(min)), func(name string, v any) error {
		return checkRange(name, v, &min, nil)
	})
}

// Between accepts numbers from min to max. It refuses null.
func Between[N int | float64](min, max N) Validator {
	return Func(fmt.Sprintf("[%s,...,%s]", bound(min), bound(max)), func(name string, v any) error {
		return checkRange(name, v, &min, &max)
	})
}

func bound[N int | float64](n N) string { return javaText(n) }

func checkRange[N int | float64](name string, v any, min, max *N) error {
	if v == nil {
		return Invalid(name, nil, "Value must be non-null")
	}
	if min != nil && number(v) < float64(*min) {
		return Invalid(name, v, "Value must be at least "+bound(*min))
	}
	if max != nil && number(v) > float64(*max) {
		return Invalid(name, v, "Value must be no more than "+bound(*max))
	}
	return nil
}

// number compares as Java does: through a double, also for 64-bit integers.
func number(v any) float64 {
	switch v := v.(type) {
	case int32:
		return float64(v)
	case int16:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		return v
	}
	panic(fmt.Sprintf("config: a range cannot check %T", v))
}

// OneOf accepts the listed texts. It refuses null.
func OneOf(texts ...string) Validator {
	list := strings.Join(texts, ", ")
	return Func("["+list+"]", func(name string, v any) error {
		if s, ok := v.(string); ok && slices.Contains(texts, s) {
			return nil
		}
		return Invalid(name, v, "String must be one of: "+list)
	})
}

// OneOfFold accepts the listed texts in any letter case. It refuses null.
func OneOfFold(texts ...string) Validator {
	list := strings.Join(texts, ", ")
	return Func("(case insensitive) ["+list+"]", func(name string, v any) error {
		s, ok := v.(string)
		if ok && slices.ContainsFunc(texts, func(t string) bool { return strings.EqualFold(t, s) }) {
			return nil
		}
		return Invalid(name, v, "String must be one of (case insensitive): "+list)
	})
}

// NonEmpty refuses the empty text. Null is accepted.
func NonEmpty() Validator {
	return Func("non-empty string", func(name string, v any) error {
		if v == "" {
			return Invalid(name, v, "String must be non-empty")
		}
		return nil
	})
}

// NonEmptyNoControl refuses the empty text and control characters: what a
// connector may be called. Null is accepted.
func NonEmptyNoControl() Validator {
	return Func("non-empty string without ISO control characters", func(name string, v any) error {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		if s == "" {
			return Invalid(name, v, "String may not be empty")
		}
		var found []string
		for _, r := range s {
			if r <= 0x1f || r >= 0x7f && r <= 0x9f {
				found = append(found, fmt.Sprint(r))
			}
		}
		if len(found) > 0 {
			return Invalid(name, v, "String may not contain control sequences but had the following ASCII chars: "+strings.Join(found, ", "))
		}
		return nil
	})
}

// NonNull refuses null.
func NonNull() Validator {
	return Func("non-null string", func(name string, v any) error {
		if v == nil {
			return Invalid(name, v, "entry must be non null")
		}
		return nil
	})
}

// NonEmptyList refuses null and the empty list.
func NonEmptyList() Validator {
	return Func("non-empty list", func(name string, v any) error {
		if l, _ := v.([]string); len(l) == 0 {
			return Invalid(name, v, "Empty list")
		}
		return nil
	})
}

// NoDuplicates refuses null and a list that has an item twice. kind says what
// the items are, for the reference.
func NoDuplicates(kind string) Validator {
	return All(NonNull(), Func("unique "+kind, func(name string, v any) error {
		if l := v.([]string); len(distinct(l)) < len(l) {
			return Invalid(name, v, "Duplicate alias provided.")
		}
		return nil
	}))
}

// uniqueList is a type of its own because Parse treats its keys differently.
type uniqueList struct{ allowed []string }

// UniqueList refuses null, repeated and empty items, and items that are not
// among allowed when that is given; the empty list is accepted. Where the list
// is parsed, not only validated, repeated items are dropped without a word, as
// in Java. Combine it with nothing: inside All it does not do that.
func UniqueList(allowed ...string) Validator { return &uniqueList{allowed} }

// NonEmptyUniqueList is UniqueList without the empty list.
func NonEmptyUniqueList(allowed ...string) Validator {
	return &nonEmptyUniqueList{uniqueList{allowed}}
}

type nonEmptyUniqueList struct{ uniqueList }

func (u *uniqueList) String() string {
	if len(u.allowed) == 0 {
		return "distinct, non-empty items"
	}
	return "[" + strings.Join(u.allowed, ", ") + "]"
}

func (u *uniqueList) Check(name string, v any) error {
	refuse := func(why string) error {
		return &Error{Key: name, Value: javaText(v), Whole: true, Message: "Configuration '" + name + "' " + why}
	}
	if v == nil {
		return refuse("values must not be null.")
	}
	items := v.([]string)
	if len(distinct(items)) < len(items) {
		return refuse("values must not be duplicated.")
	}
	for _, item := range items {
		if item == "" {
			return refuse("values must not be empty.")
		}
		if len(u.allowed) > 0 && !slices.Contains(u.allowed, item) {
			return Invalid(name, item, "String must be one of: "+strings.Join(u.allowed, ", "))
		}
	}
	return nil
}

func (u *nonEmptyUniqueList) String() string {
	if len(u.allowed) == 0 {
		return "at least one item, " + u.uniqueList.String()
	}
	return u.uniqueList.String()
}

func (u *nonEmptyUniqueList) Check(name string, v any) error {
	if items, ok := v.([]string); ok && len(items) == 0 {
		valid := "any non-empty value"
		if len(u.allowed) > 0 {
			valid = u.uniqueList.String()
		}
		return &Error{Key: name, Value: javaText(v), Whole: true,
			Message: "Configuration '" + name + "' must not be empty. Valid values include: " + valid}
	}
	return u.uniqueList.Check(name, v)
}

func isUnique(v Validator) bool {
	switch v.(type) {
	case *uniqueList, *nonEmptyUniqueList:
		return true
	}
	return false
}

// distinct returns items without repetitions, each where it first occurs.
func distinct(items []string) []string {
	out := make([]string, 0, len(items))
	for _, it := range items {
		if !slices.Contains(out, it) {
			out = append(out, it)
		}
	}
	return out
}

// Regex refuses null and what is no Java regular expression. See Pattern.
func Regex() Validator {
	return Func("valid regex", func(name string, v any) error {
		s, ok := v.(string)
		if !ok {
			// Java's words for the null it runs into, kept because tools compare them.
			return Invalid(name, v, `Invalid regex: Cannot invoke "String.isEmpty()" because "this.pattern" is null`)
		}
		if _, err := CompilePattern(s); err != nil {
			return Invalid(name, v, "Invalid regex: "+err.Error())
		}
		return nil
	})
}

// All accepts what every one of the validators accepts; the first refusal counts.
func All(validators ...Validator) Validator {
	names := make([]string, len(validators))
	for i, v := range validators {
		names[i] = v.String()
	}
	return Func(strings.Join(names, ", "), func(name string, v any) error {
		for _, each := range validators {
			if err := each.Check(name, v); err != nil {
				return err
			}
		}
		return nil
	})
}
