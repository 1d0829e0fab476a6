package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kconnect/connectors/jdbc/dialect"
)

func TestTablesAreSelectedByName(t *testing.T) {
	d := open(t, "jdbc:mariadb://h/db", false)
	re := func(patterns ...string) (all []*regexp.Regexp) {
		for _, p := range patterns {
			one, err := wholeName(p)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, one)
		}
		return all
	}
	for name, c := range map[string]struct {
		filter filter
		want   string
	}{
		"nothing set":            {filter{}, "a b ord_1 ord_tmp"},
		"bare name":              {filter{whitelist: []string{"a"}}, "a"},
		"dotted name":            {filter{whitelist: []string{"db.a"}}, "a"},
		"quoted name":            {filter{whitelist: []string{"`db`.`b`"}}, "b"},
		"case counts":            {filter{whitelist: []string{"A"}}, ""},
		"blacklist":              {filter{blacklist: []string{"a", "db.b"}}, "ord_1 ord_tmp"},
		"whitelist wins":         {filter{whitelist: []string{"a"}, blacklist: []string{"a"}}, "a"},
		"include and exclude":    {filter{include: re(`.*\.ord_.*`), exclude: re(".*_tmp")}, "ord_1"},
		"include the whole name": {filter{include: re("ord_1")}, ""},
		"exclude alone":          {filter{exclude: re("x")}, ""},
	} {
		var got []string
		for _, table := range []string{"a", "b", "ord_1", "ord_tmp"} {
			if c.filter.selects(dialect.TableID{Catalog: "db", Name: table}, d) {
				got = append(got, table)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestTablesAreDealtOutAsKafkaDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := make([]dialect.TableID, rapid.IntRange(1, 40).Draw(t, "tables"))
		for i := range tables {
			tables[i].Name = fmt.Sprint(i)
		}
		groups := rapid.IntRange(1, 50).Draw(t, "groups")
		dealt := deal(tables, groups)
		if len(dealt) != min(groups, len(tables)) {
			t.Fatalf("%d groups of %d tables", len(dealt), len(tables))
		}
		if !slices.Equal(slices.Concat(dealt...), tables) {
			t.Fatalf("order or tables are lost: %v", dealt)
		}
		for i, g := range dealt {
			want := len(tables) / len(dealt)
			if i < len(tables)%len(dealt) {
				want++
			}
			if len(g) != want {
				t.Fatalf("group %d has %d of %d tables, want %d", i, len(g), len(tables), want)
			}
		}
	})
}

func TestTaskTablesAreSplitOutsideOfQuotes(t *testing.T) {
	for list, want := range map[string][]string{
		"":                      nil,
		"`d`.`a`":               {"`d`.`a`"},
		"`d`.`a`,`d`.`b`":       {"`d`.`a`", "`d`.`b`"},
		"`d`.`a,b`,`d`.`c``,d`": {"`d`.`a,b`", "`d`.`c``,d`"},
	} {
		if d := cmp.Diff(want, splitTables(list, '`')); d != "" {
			t.Errorf("%s (-want +got):\n%s", list, d)
		}
	}
}

func TestMappingsGiveColumnsToTables(t *testing.T) {
	m, err := parseMapping(`db\.ord.*:[ upd |cre]`, true)
	if err != nil {
		t.Fatal(err)
	}
	if columns, n := columnsFor([]mapping{m, m}, "db.ord_1"); n != 2 || !slices.Equal(columns, []string{"upd", "cre"}) {
		t.Errorf("got %v from %d", columns, n)
	}
	if _, n := columnsFor([]mapping{m}, "xdb.ord_1"); n != 0 {
		t.Error("a part of the name matches")
	}
	for item, several := range map[string]bool{"id": false, "a:": false, "a:[]": true, "a:[b|]": true, "a:b": true, "(:b": false} {
		if _, err := parseMapping(item, several); err == nil {
			t.Errorf("%q is accepted", item)
		}
	}
}
