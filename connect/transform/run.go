package transform

import (
	"kconnect/connect"
	"kconnect/connect/data"
)

// run is links that follow each other, arrange the fields of the same side and
// always apply. They are joined: for a schema that they have seen, one struct
// is made instead of one for each link.
type run struct {
	side   side
	parts  []arranger
	joined derived[*arrangement]
}

// findRuns notes the runs of a chain at their first links.
func findRuns(links []link) {
	var open *run
	for i := range links {
		a, ok := links[i].transform.(arranger)
		if !ok || links[i].predicate != nil {
			open = nil
			continue
		}
		if open == nil || open.side != a.arranges() {
			open = &run{side: a.arranges()}
			links[i].run = open
		}
		open.parts = append(open.parts, a)
	}
}

// apply does to a record what the links do and reports whether it did: records
// without a struct of their own schema, and those that a link fails on, are for
// the links one by one, which know the right answer or error.
func (r *run) apply(rec *connect.Record, made *structs) bool {
	schema, value := r.side.get(rec)
	if value.Kind() != data.KindStruct {
		return false
	}
	from := value.Struct()
	if from.Schema() != schema {
		return false
	}
	a, err := r.joined.get(schema, r.join)
	if err != nil {
		return false
	}
	to := made.of(a.schema)
	if a.apply(rec, from.Values(), to.Values()) != nil {
		return false
	}
	r.side.set(rec, a.schema, data.StructOf(to))
	return true
}

func (r *run) join(s *data.Schema) (*arrangement, error) {
	var joined *arrangement
	for _, part := range r.parts {
		a, err := part.arrange(s)
		if err != nil {
			return nil, err
		}
		if s = a.schema; joined == nil {
			joined = a
		} else {
			joined = joined.then(a)
		}
	}
	return joined, nil
}
