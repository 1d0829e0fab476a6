package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// filter selects tables by their names.
type filter struct {
	whitelist, blacklist []string // exact names
	include, exclude     []*regexp.Regexp
}

// selects reports whether a table is read. Include patterns win over the
// exact lists, the whitelist over the blacklist.
func (f *filter) selects(id dialect.TableID, d dialect.Dialect) bool {
	if len(f.include) > 0 || len(f.exclude) > 0 {
		name := id.String()
		matches := func(re *regexp.Regexp) bool { return re.MatchString(name) }
		return slices.ContainsFunc(f.include, matches) && !slices.ContainsFunc(f.exclude, matches)
	}
	names := []string{id.Name, id.String(), id.Quoted(d)}
	listed := func(entry string) bool { return slices.Contains(names, entry) }
	if len(f.whitelist) > 0 {
		return slices.ContainsFunc(f.whitelist, listed)
	}
	return !slices.ContainsFunc(f.blacklist, listed)
}

// selectTables returns those of all tables that the configuration selects, in
// the order of the database. It leaves all as it is.
func selectTables(all []dialect.TableID, d dialect.Dialect, s *settings) []dialect.TableID {
	var selected []dialect.TableID
	for _, id := range all {
		if s.filter.selects(id, d) {
			selected = append(selected, id)
		}
	}
	return selected
}

// checkNames refuses two tables that would share a topic and, in the older
// form of offsets, a source partition.
func checkNames(tables []dialect.TableID) error {
	byName := map[string][]string{}
	for _, id := range tables {
		byName[id.Name] = append(byName[id.Name], id.Text())
	}
	var twice []string
	for _, ids := range byName {
		if len(ids) > 1 {
			twice = append(twice, ids...)
		}
	}
	if len(twice) == 0 {
		return nil
	}
	slices.Sort(twice)
	return connect.NewError(fmt.Sprintf("The connector uses the unqualified table name as the topic name and has detected duplicate unqualified table names. They are %s."+
		" Their rows would mix in one topic: select one of them by its full name in table.whitelist, or narrow catalog.pattern and schema.pattern",
		strings.Join(twice, ", ")), nil)
}

// deal divides tables into at most groups runs of neighbours, the first ones
// longer by one where it does not come out even.
func deal(tables []dialect.TableID, groups int) [][]dialect.TableID {
	groups = min(groups, len(tables))
	dealt := make([][]dialect.TableID, groups)
	for i := range dealt {
		n := (len(tables) + groups - i - 1) / (groups - i)
		dealt[i], tables = tables[:n], tables[n:]
	}
	return dealt
}

// splitTables splits a task's list at the commas outside of quotes.
func splitTables(list string, quote byte) []string {
	var names []string
	quoted, start := false, 0
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == quote:
			quoted = !quoted
		case list[i] == ',' && !quoted:
			names = append(names, list[start:i])
			start = i + 1
		}
	}
	if start < len(list) {
		names = append(names, list[start:])
	}
	return names
}
