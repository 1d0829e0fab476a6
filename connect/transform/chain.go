package transform

import (
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
)

// Registry is where a chain finds its classes.
type Registry interface {
	Transformation(class string) (*connect.Plugin, error)
	Predicate(class string) (*connect.Plugin, error)
}

// Chain is the configured transformations of one task, in order. It belongs to
// one goroutine.
type Chain struct {
	links   []link
	structs structs
}

type link struct {
	class     string
	transform connect.Transformation
	predicate connect.Predicate // nil: always
	negate    bool
	run       *run // begins here
}

// NewChain makes the chain that a connector configuration describes:
// transforms, transforms.<alias>.type, .predicate and .negate, and
// predicates.<alias>.type.
func NewChain(r Registry, m config.Map) (*Chain, error) {
	predicates := make(map[string]connect.Predicate)
	for _, alias := range aliases(m["predicates"]) {
		prefix := "predicates." + alias + "."
		p, err := r.Predicate(strings.TrimSpace(m[prefix+"type"]))
		if err != nil {
			return nil, err
		}
		instance := p.New().(connect.Predicate) //nolint:errcheck,forcetypeassert // the registry holds predicates under this kind
		if err := instance.Configure(settings(m, prefix, "type")); err != nil {
			return nil, err
		}
		predicates[alias] = instance
	}
	c := &Chain{}
	for _, alias := range aliases(m["transforms"]) {
		prefix := "transforms." + alias + "."
		p, err := r.Transformation(strings.TrimSpace(m[prefix+"type"]))
		if err != nil {
			return nil, err
		}
		l := link{class: p.Class, transform: p.New().(connect.Transformation), negate: strings.EqualFold(strings.TrimSpace(m[prefix+"negate"]), "true")} //nolint:errcheck,forcetypeassert // the registry holds transformations under this kind
		if err := l.transform.Configure(settings(m, prefix, "type", "predicate", "negate")); err != nil {
			return nil, err
		}
		if name := m[prefix+"predicate"]; name != "" {
			if l.predicate = predicates[name]; l.predicate == nil {
				return nil, config.Invalid(prefix+"predicate", name, "there is no predicate of that alias; list it in predicates")
			}
		}
		c.links = append(c.links, l)
	}
	findRuns(c.links)
	return c, nil
}

func aliases(list string) []string {
	var all []string
	for a := range strings.SplitSeq(list, ",") {
		if a = strings.TrimSpace(a); a != "" {
			all = append(all, a)
		}
	}
	return all
}

func settings(m config.Map, prefix string, without ...string) config.Map {
	s := m.WithPrefix(prefix)
	for _, key := range without {
		delete(s, key)
	}
	return s
}

// Apply transforms records in place and returns those that are left, in order,
// in the same memory. A record that a transformation fails on goes to fail
// with the class of the transformation; when that returns nil the record is
// dropped, an error ends Apply, which then returns the records before. Each
// record passes the whole chain before the next one, as in Java, so that
// failures come in the order of the records.
//
// again, unless it is nil, decides about retriable errors: it is told the first
// one and runs the same link of the chain again on the record as it was before
// it, as often as it wants, and returns the last error. It is Java's
// errors.retry.timeout.
func (c *Chain) Apply(records []connect.Record, again func(err error, op func() error) error, fail func(r *connect.Record, class string, err error) error) ([]connect.Record, error) {
	if len(c.links) == 0 {
		return records, nil
	}
	kept := records[:0]
	for i := range records {
		r := &records[i]
		keep, class, err := c.apply(r, again)
		if err != nil {
			if err := fail(r, class, err); err != nil {
				return kept, err
			}
			continue
		}
		if !keep {
			continue
		}
		if len(kept) < i {
			records[len(kept)] = *r
		}
		kept = records[:len(kept)+1]
	}
	clear(records[len(kept):])
	return kept, nil
}

// Recycle lets the chain use the memory of what Apply returned again. The values
// of those records must not be in use any more. Where it is never called the
// records may be kept.
func (c *Chain) Recycle() { c.structs.recycle() }

// apply sends one record through the chain. class is that of the failing link.
func (c *Chain) apply(r *connect.Record, again func(err error, op func() error) error) (keep bool, class string, err error) {
	for i := 0; i < len(c.links); i++ {
		l := &c.links[i]
		if l.run != nil && l.run.apply(r, &c.structs) {
			i += len(l.run.parts) - 1
			continue
		}
		if again == nil {
			keep, err = l.apply(r)
		} else {
			keep, err = l.insist(r, again)
		}
		if err != nil || !keep {
			return false, l.class, err
		}
	}
	return true, "", nil
}

// apply sends one record through the link, if its predicate says so.
func (l *link) apply(r *connect.Record) (keep bool, err error) {
	if l.predicate != nil {
		match, err := l.predicate.Test(r)
		if err != nil {
			return false, err
		}
		if match == l.negate {
			return true, nil
		}
	}
	return l.transform.Apply(r)
}

// insist is apply for as long as again wants.
func (l *link) insist(r *connect.Record, again func(err error, op func() error) error) (keep bool, err error) {
	before := *r
	if keep, err = l.apply(r); connect.KindOf(err) == connect.Retriable {
		err = again(err, func() (e error) {
			*r = before
			keep, e = l.apply(r)
			return e
		})
	}
	return keep, err
}
