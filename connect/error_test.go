package connect

import (
	"errors"
	"fmt"
	"testing"

	"kconnect/connect/data"
)

func TestATraceShowsClassesMessagesAndCauses(t *testing.T) {
	java := &data.Error{Message: "Unknown schema type: stirng"}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"an error without a class", errors.New("plain"), ClassConnect + ": plain\n"},
		{"an error of its own class", &Error{Class: ClassSQL, Message: "Duplicate entry"}, ClassSQL + ": Duplicate entry\n"},
		{"no message", &Error{Class: ClassNullPointer}, ClassNullPointer + "\n"},
		{"a cause", NewError("outer", errors.New("inner")), ClassConnect + ": outer\nCaused by: " + ClassConnect + ": inner\n"},
		{"a cause of another class", NewError("outer", NewDataError("inner", nil)), ClassConnect + ": outer\nCaused by: " + ClassData + ": inner\n"},
		{
			"links that only wrap text around a class are left out",
			NewError("Tolerance exceeded in error handler", fmt.Errorf("on the way: %w", fmt.Errorf("and on: %w", &Error{Class: ClassData, Message: "bad", Cause: java}))),
			ClassConnect + ": Tolerance exceeded in error handler\nCaused by: " + ClassData + ": bad\nCaused by: " + ClassData + ": Unknown schema type: stirng\n",
		},
		{"a last link without a class is shown", NewRetriable("down", fmt.Errorf("dial: %w", errors.New("refused"))), ClassRetriable + ": down\nCaused by: " + ClassConnect + ": dial: refused\nCaused by: " + ClassConnect + ": refused\n"},
		{"remedies stand below their message", &Error{Message: "bad", Remedy: "Spell it right.", Cause: errors.New("x")}, ClassConnect + ": bad\n\tSpell it right.\nCaused by: " + ClassConnect + ": x\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Trace(c.err); got != c.want {
				t.Errorf("the trace is\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestTheTextOfAnErrorHasItsCauses(t *testing.T) {
	for want, err := range map[string]*Error{
		"outer: inner": NewError("outer", errors.New("inner")),
		"inner":        NewError("", errors.New("inner")),
		"outer":        NewError("outer", nil),
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err.Error(), want)
		}
	}
	if m := MessageOf(NewError("outer", errors.New("inner"))); m != "outer" {
		t.Errorf("Java's message is %q", m)
	}
}

func TestTheOutermostErrorDecidesTheKind(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want Kind
	}{
		{"none", nil, Fatal},
		{"an error of another package", errors.New("x"), Fatal},
		{"retriable", NewRetriable("x", nil), Retriable},
		{"retriable, wrapped", fmt.Errorf("while writing: %w", NewRetriable("x", nil)), Retriable},
		{"a data error around a retriable one", NewDataError("x", NewRetriable("y", nil)), Data},
		{"a fatal one around a retriable one", NewError("x", NewRetriable("y", nil)), Fatal},
		{"a configuration", &Error{Kind: Config}, Config},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%s: kind %d, want %d", c.name, got, c.want)
		}
	}
}

func TestCausesAreFoundByAs(t *testing.T) {
	inner := &data.Error{Message: "x"}
	var found *data.Error
	if err := NewError("a", NewDataError("b", inner)); !errors.As(err, &found) || found != inner {
		t.Errorf("found %v", found)
	}
}
