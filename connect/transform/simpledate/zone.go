package simpledate

import (
	_ "embed" // for zoneTable
	"strconv"
	"strings"
	"sync"
	"time"
)

// zoneTable has a line for each English time zone name, in the order in which
// Java looks for them: the name, the zone that it stands for (the first, where
// there are several), the season that it is used in, and by how many
// seconds summer time differs there. At its end are names that those zones
// share with others in front of them.
//
//go:embed zones.tsv
var zoneTable string

// The seasons of zoneTable.
const (
	standardTime = "std"
	summerTime   = "dst"
	// A name of "both" seasons leaves it to the date which one is meant.
)

type zone struct {
	name     string
	location string
	season   string
	saving   int64 // ms
}

var zones = sync.OnceValue(func() []zone {
	var all []zone
	for line := range strings.Lines(zoneTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		seconds, err := strconv.ParseInt(f[3], 10, 64)
		if err != nil {
			panic("zones.tsv: " + err.Error()) // the table is part of the program
		}
		all = append(all, zone{name: f[0], location: f[1], season: f[2], saving: seconds * 1000})
	}
	return all
})

// findZone returns the zone whose name the text begins with, in any case: the
// one that is in use, if it has that name, else the first one.
func findZone(text []rune, current *time.Location) (zone, *time.Location, bool) {
	s := string(text)
	is := func(z *zone) bool { return len(s) >= len(z.name) && strings.EqualFold(s[:len(z.name)], z.name) }
	all := zones()
	for i := range all {
		if all[i].location == current.String() && is(&all[i]) {
			return all[i], current, true
		}
	}
	for i := range all {
		if !is(&all[i]) {
			continue
		}
		if location, err := time.LoadLocation(all[i].location); err == nil {
			return all[i], location, true
		}
	}
	return zone{}, nil, false
}

// zoneName returns the short or long name of a zone at an instant.
func zoneName(location *time.Location, ms int64, short string, long bool) string {
	if !long {
		return short
	}
	summer := time.UnixMilli(ms).In(location).IsDST()
	for _, z := range zones() {
		if z.location == location.String() && (z.season == summerTime) == summer && strings.Contains(z.name, " ") {
			return z.name
		}
	}
	return short
}
