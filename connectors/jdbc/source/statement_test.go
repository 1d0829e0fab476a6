package source

import (
	"database/sql/driver"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connectors/jdbc/dialect"
)

func open(t testing.TB, url string, noQuotes bool) *dialect.Database {
	t.Helper()
	d, err := dialect.Open(dialect.Config{URL: url, NoQuotes: noQuotes})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The statements are those that the Java connector sends (spec jdbc-source,
// "Modes and exact SQL").
func TestStatementsAreTheJavaConnectors(t *testing.T) {
	table := dialect.TableID{Catalog: "db", Name: "t"}
	for name, c := range map[string]struct {
		s    settings
		c    criteria
		bare bool
		want string
	}{
		"bulk": {want: "SELECT * FROM `db`.`t`", c: criteria{mode: bulk}},
		"bulk with suffix": {want: "SELECT * FROM `db`.`t` LIMIT 2", c: criteria{mode: bulk},
			s: settings{suffix: "LIMIT 2"}},
		"incrementing": {want: "SELECT * FROM `db`.`t` WHERE `db`.`t`.`id` > ? ORDER BY `db`.`t`.`id` ASC",
			c: criteria{mode: incrementing, id: "id"}},
		"incrementing with suffix": {want: "SELECT * FROM `db`.`t` WHERE `db`.`t`.`id` > ? ORDER BY `db`.`t`.`id` ASC LIMIT 2",
			c: criteria{mode: incrementing, id: "id"}, s: settings{suffix: "LIMIT 2"}},
		"timestamp": {want: "SELECT * FROM `db`.`t` WHERE `db`.`t`.`ts` > ? AND `db`.`t`.`ts` < ? ORDER BY `db`.`t`.`ts` ASC",
			c: criteria{mode: timestamp, timestamps: []string{"ts"}}},
		"several timestamps": {
			want: "SELECT * FROM `db`.`t` WHERE COALESCE(`db`.`t`.`u`,`db`.`t`.`c`) > ? AND COALESCE(`db`.`t`.`u`,`db`.`t`.`c`) < ? ORDER BY COALESCE(`db`.`t`.`u`,`db`.`t`.`c`) ASC",
			c:    criteria{mode: timestamp, timestamps: []string{"u", "c"}}},
		"timestamp+incrementing": {
			want: "SELECT * FROM `db`.`t` WHERE `db`.`t`.`ts` < ? AND ((`db`.`t`.`ts` = ? AND `db`.`t`.`id` > ?) OR `db`.`t`.`ts` > ?) ORDER BY `db`.`t`.`ts`,`db`.`t`.`id` ASC",
			c:    criteria{mode: timestampIncrementing, id: "id", timestamps: []string{"ts"}}},
		"query": {want: "SELECT a FROM b WHERE `id` > ? ORDER BY `id` ASC",
			c: criteria{mode: incrementing, id: "id"}, s: settings{query: "SELECT a FROM b"}},
		"without quotes": {want: "SELECT * FROM db.t WHERE db.t.id > ? ORDER BY db.t.id ASC", bare: true,
			c: criteria{mode: incrementing, id: "id"}},
		"a name with a quote": {want: "SELECT * FROM `db`.`t` WHERE `db`.`t`.`i``d` > ? ORDER BY `db`.`t`.`i``d` ASC",
			c: criteria{mode: incrementing, id: "i`d"}},
	} {
		if got := statement(open(t, "jdbc:mariadb://h/db", c.bare), table, &c.s, &c.c, false); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestArgumentsBoundTheRound(t *testing.T) {
	d := open(t, "jdbc:mariadb://h/db", false)
	o := &dialect.ColumnOptions{Zone: dialect.UTC}
	end := dialect.TimestampOf(1704067200000)
	stored := position{hasID: true, id: 7, hasTimestamp: true, timestamp: dialect.Timestamp{Seconds: 1700000000, Nanos: 123456000}}
	for _, c := range []struct {
		mode mode
		from position
		want []driver.Value
	}{
		{bulk, position{}, nil},
		{incrementing, position{}, []driver.Value{int64(-1)}},
		{incrementing, stored, []driver.Value{int64(7)}},
		{timestamp, position{}, []driver.Value{"1970-01-01 00:00:00", "2024-01-01 00:00:00"}},
		{timestampIncrementing, stored, []driver.Value{"2024-01-01 00:00:00", "2023-11-14 22:13:20.123456", int64(7), "2023-11-14 22:13:20.123456"}},
	} {
		criteria := criteria{mode: c.mode}
		if d := cmp.Diff(c.want, criteria.arguments(d, c.from, false, end, o)); d != "" {
			t.Errorf("mode %d (-want +got):\n%s", c.mode, d)
		}
	}
}
