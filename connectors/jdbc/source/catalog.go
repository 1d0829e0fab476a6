package source

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"kconnect/connectors/jdbc/dialect"
)

// catalogs shares lists of tables between the connectors of one worker, so that
// many connectors on one database ask it once a round and not once each. They
// share a list when they would ask the same: the same URL, user, password and
// driver settings, the same patterns and kinds. What a connector selects from
// the list is its own affair.
type catalogs struct {
	mu     sync.Mutex
	shared map[catalogKey]*catalog
}

// catalogKey is a hash, so that no password is kept in it (Promise 8).
type catalogKey [sha256.Size]byte

// join returns the catalogue for a configuration. Every join is undone by one leave.
func (cs *catalogs) join(s *settings) *catalog {
	key := keyOf(s)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.shared[key]
	if c == nil {
		c = &catalog{key: key, turn: make(chan struct{}, 1)}
		if cs.shared == nil {
			cs.shared = map[catalogKey]*catalog{}
		}
		cs.shared[key] = c
	}
	c.members++
	return c
}

func (cs *catalogs) leave(c *catalog) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.members--; c.members == 0 {
		delete(cs.shared, c.key)
	}
}

func keyOf(s *settings) catalogKey {
	h := sha256.New()
	part := func(text string) { _, _ = fmt.Fprintf(h, "%d:%s", len(text), text) } // a hash takes all
	optional := func(p *string) {
		if p == nil {
			part("-")
			return
		}
		part("+" + *p)
	}
	part(s.database.URL)
	part(s.database.User)
	part(s.database.Password.Reveal())
	for _, name := range slices.Sorted(maps.Keys(s.database.Properties)) {
		part(name + "=" + s.database.Properties[name])
	}
	optional(s.catalog)
	optional(s.schema)
	for _, kind := range s.kinds {
		part(kind)
	}
	return catalogKey(h.Sum(nil))
}

// catalog is the list of tables of one database.
type catalog struct {
	key     catalogKey
	members int // guarded by catalogs.mu

	turn chan struct{} // has room for the one that asks the database
	mu   sync.Mutex    // guards what follows
	asks int           // so many times somebody began to ask
	last listing       // the last answer
}

// listing is one answer of the database, which must not be changed.
type listing struct {
	number int // of the ask; 0 is none
	began  time.Time
	tables []dialect.TableID
	err    error
}

// tables returns a list that is newer than the one of the number seen. A
// connector that has none yet (seen is 0) gets one that began after its call, so
// that it misses no table that was there by then. One caller asks the database
// at a time, the others wait for what it gets, also when that is an error. mine
// reports whether it was this caller who asked.
func (c *catalog) tables(ctx context.Context, now func() time.Time, seen int, ask func(context.Context) ([]dialect.TableID, error)) (l listing, mine bool) {
	if seen == 0 {
		c.mu.Lock()
		seen = c.asks
		c.mu.Unlock()
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return listing{err: ctx.Err()}, true
	}
	defer func() { <-c.turn }()
	c.mu.Lock()
	if c.last.number > seen {
		defer c.mu.Unlock()
		return c.last, false
	}
	c.asks++
	l = listing{number: c.asks, began: now()}
	c.mu.Unlock()
	l.tables, l.err = ask(ctx)
	if ctx.Err() != nil {
		return l, true // that it was stopped is no answer for the others
	}
	c.mu.Lock()
	c.last = l
	c.mu.Unlock()
	return l, true
}
