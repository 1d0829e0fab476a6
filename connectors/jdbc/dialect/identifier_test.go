package dialect

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"kconnect/connect"
)

func TestParseIDFollowsJava(t *testing.T) {
	for text, want := range map[string]TableID{
		"t":                {Name: "t"},
		"s.t":              {Schema: "s", Name: "t"},
		"c.s.t":            {"c", "s", "t"},
		"a.b.c.d":          {Schema: "a", Name: "b"},
		"`a.b`":            {Name: "a.b"},
		"`d`.`a.b`":        {Schema: "d", Name: "a.b"},
		"d.`we``ird`":      {Schema: "d", Name: "we`ird"},
		".t":               {Name: "t"},
		"":                 {},
		"`odd name-1`.`T`": {Schema: "odd name-1", Name: "T"},
	} {
		if got, err := ParseID(text, '`'); err != nil || got != want {
			t.Errorf("%q: got %+v and %v, want %+v", text, got, err, want)
		}
	}
}

func TestTableNamesThatBreakOffAreErrors(t *testing.T) {
	for text, want := range map[string]string{
		"`open.ended": "Failure parsing fully qualified identifier; missing trailing quote in `open.ended",
		"s.`t":        "Failure parsing fully qualified identifier; missing trailing quote in s.`t",
		"`":           "Failure parsing fully qualified identifier; missing trailing quote in `",
		"orders.":     "Failure parsing fully qualified identifier; ends in delimiter orders.",
		"`orders`.":   "Failure parsing fully qualified identifier; ends in delimiter `orders`.",
		".":           "Failure parsing fully qualified identifier; ends in delimiter .",
	} {
		id, err := ParseID(text, '`')
		if e, ok := errors.AsType[*connect.Error](err); !ok || e.Message != want || e.Class != connect.ClassIllegalArgument || e.Remedy == "" {
			t.Errorf("%q: got %+v and %v, want %s", text, id, err, want)
		}
	}
}

func TestQuotedTableNamesParseBack(t *testing.T) {
	d := &mySQL{}
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching("[a-zA-Z0-9 .`\"$_,-]{1,12}")
		id := TableID{Catalog: part.Draw(t, "database"), Name: part.Draw(t, "name")}
		if got, err := ParseID(id.Quoted(d), '`'); err != nil || d.Resolve(got) != id {
			t.Fatalf("%s parses as %+v and %v, want %+v", id.Quoted(d), got, err, id)
		}
	})
}

func TestTableNamesAreWrittenByTheDialect(t *testing.T) {
	id := TableID{Catalog: "my`db", Name: "t"}
	bare := &mySQL{noQuotes: true}
	if got := id.SQL(&mySQL{}); got != "`my``db`.`t`" {
		t.Errorf("quoted: %s", got)
	}
	if got := id.SQL(bare); got != "my`db.t" {
		t.Errorf("bare: %s", got)
	}
	if got := id.Quoted(bare); got != "`my``db`.`t`" {
		t.Errorf("for tasks: %s", got)
	}
	if got := (TableID{Schema: "s", Name: "t"}).Text(); got != `"s"."t"` {
		t.Errorf("in messages: %s", got)
	}
	if got := (&mySQL{database: "d"}).Resolve(TableID{Name: "t"}); got.String() != "d.t" {
		t.Errorf("resolved: %s", got)
	}
	if got := (&sqLite{}).Resolve(TableID{"c", "s", "t"}); got.String() != "t" {
		t.Errorf("resolved: %s", got)
	}
}
