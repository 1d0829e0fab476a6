package source

import (
	"database/sql/driver"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"kconnect/connect"
	"kconnect/connect/data"
	"kconnect/connectors/jdbc/dialect"
)

// watch is what a table remembers so that rows which become visible late are
// sent and not lost: the ids that were skipped (D14), and the rows of the last
// instant or id (D15). It is off where kconnect.gap.timeout.ms is 0. It does no
// I/O; what it has to outlive the task goes into an offset of its own, stored
// before the position that relies on it.
type watch struct {
	mode    mode
	timeout int64 // ms; 0: off
	unique  bool  // no two rows share an id
	counts  *watchCounts

	gaps  gapSet
	high  int64 // the highest id that was read
	known bool  // high is
	empty bool  // the table was seen without rows before the first one
	// from is the timestamp below which rows were somebody else's: what a Java
	// worker sent before, or what timestamp.initial leaves out.
	from dialect.Timestamp

	last    recall
	again   map[uint64]int // rows of last that the open result set may repeat
	met     int            // of them that it did
	fresh   int            // rows of the same instant beside them
	left    bool           // the result set is beyond that instant
	strikes int            // rounds in a row that repeated none of them, but had others

	lost     givenUp // for lack of room, not yet told
	changed  bool    // since it was noted
	reported int64   // of the gaps in counts
	scratch  []byte
}

// watchCounts are the counters of a task's tables, for its metrics.
type watchCounts struct{ gaps, givenUp, closed, late atomic.Int64 }

// recall is the rows that were sent of the last instant or id.
type recall struct {
	at    position
	until int64 // ms since the epoch, in modes without a timestamp
	rows  []uint64
	full  bool // there were too many: they are not remembered
}

// maxRecalled is how many rows of one instant are remembered at most (D15).
const maxRecalled = 10_000

func newWatch(s *settings, counts *watchCounts) watch {
	return watch{mode: s.mode, timeout: s.gapTimeout.Milliseconds(), counts: counts}
}

// on reports whether the table is watched.
func (w *watch) on() bool { return w.timeout > 0 && w.mode != bulk }

// begin takes up what was stored, where reading goes on at p. Notes that do
// not fit the position are from before another worker moved it.
func (w *watch) begin(p position, notes connect.SourceOffset) error {
	if !w.on() {
		return nil
	}
	w.from = p.timestamp
	var err error
	if len(notes.Names) > 0 {
		err = w.parse(notes, p)
	}
	if w.mode == incrementing {
		// Ids above the position are watched, whoever stored it.
		w.high, w.known = p.id, p.hasID
		if p.hasID {
			w.gaps.below(p.id)
		} else {
			w.gaps = gapSet{}
		}
	}
	w.report()
	return err
}

// see notes an id that the table's own statement brought. now is in ms.
func (w *watch) see(id, now int64) {
	switch {
	case !w.known:
		// What lies before the first id is no gap, unless the table was empty a
		// moment ago: then transactions that began together may commit in any order.
		w.known, w.high = true, id
		if first := max(1, id-gapWidth); w.empty && first < id {
			w.open(first, id-1, now)
		}
	case id == w.high+1:
		w.high = id
	case id > w.high:
		w.open(w.high+1, id-1, now)
		w.high = id
	case w.gaps.has(id):
		w.fill(id)
	}
}

// open notes a gap. Times end on a grid, so that gaps which are found about the
// same time can share a range.
func (w *watch) open(first, last, now int64) {
	grid := max(w.timeout/8, 1)
	w.lost.add(w.gaps.open(first, last, (now+w.timeout+grid-1)/grid*grid))
	w.changed = true
}

func (w *watch) fill(id int64) {
	w.lost.add(w.gaps.fill(id))
	w.changed = true
}

// expire gives up what was asked for in vain after its time was over.
func (w *watch) expire(asked int64) givenUp {
	g := w.gaps.expire(asked)
	w.changed = w.changed || g.ids > 0
	return g
}

// close gives up what nobody is left to fill at or below an id.
func (w *watch) close(last int64) givenUp {
	g := w.gaps.through(last)
	w.changed = w.changed || g.ids > 0
	w.counts.closed.Add(int64(g.ids))
	return g
}

// repeat prepares for a round from p on and reports whether the last instant or
// id is to be asked for again: for as long after it as gaps are watched, for
// what comes later still is no late commit but was written with an old time,
// which the Java connector does not read either (golden md_ts). now is the
// database's clock, or the worker's in modes without a timestamp.
func (w *watch) repeat(p position, now dialect.Timestamp) bool {
	if !w.on() || w.mode == incrementing && w.unique {
		return false
	}
	w.again, w.met, w.fresh, w.left = nil, 0, 0, false
	for _, row := range w.last.rows {
		if w.again == nil {
			w.again = make(map[uint64]int, len(w.last.rows))
		}
		w.again[row]++
	}
	if w.again == nil || !w.last.same(w.mode, p) || w.strikes >= maxStrikes {
		return false
	}
	if w.mode == incrementing {
		return now.Millis() <= w.last.until
	}
	return w.recent(p.timestamp, now)
}

// maxStrikes is after how many rounds in a row that repeated none of the rows
// they should have, but others in their place, rows are taken to read
// differently each time, as those of a query with random() do. They are no
// longer asked for then: they would be sent again with every round.
const maxStrikes = 3

func (w *watch) recent(at, now dialect.Timestamp) bool {
	return at.Millis()+w.timeout >= now.Millis()
}

// sent reports whether a row at p was sent before, and takes one of its kind
// off those that may be repeated.
func (w *watch) sent(p position, row uint64) bool {
	if w.again[row] == 0 || !w.last.same(w.mode, p) {
		return false
	}
	w.again[row]--
	w.met++
	return true
}

// repeated ends a round that asked for the last instant or id again. It reports
// whether that was the last time.
func (w *watch) repeated() bool {
	if w.met > 0 || w.fresh == 0 {
		w.strikes = 0
		return false
	}
	w.strikes++
	return w.strikes == maxStrikes
}

// remember notes a row that is sent. Rows of gaps are older than the last
// instant, or of it.
func (w *watch) remember(p position, row uint64, now dialect.Timestamp, late bool) {
	l := &w.last
	if !l.same(w.mode, p) || len(l.rows) == 0 && !l.full {
		if late {
			return
		}
		*l = recall{at: p, rows: l.rows[:0]}
		l.until = now.Millis() + w.timeout
		w.again, w.left = nil, true
	}
	switch {
	case l.full:
		return
	case len(l.rows) == maxRecalled:
		l.rows, l.full = nil, true
	default:
		l.rows = append(l.rows, row)
		if !w.left {
			w.fresh++
		}
	}
	w.changed = true
}

func (l *recall) same(m mode, p position) bool {
	if m == incrementing {
		return l.at.id == p.id
	}
	return l.at.timestamp == p.timestamp
}

// report brings the metric of open gaps up to date.
func (w *watch) report() {
	n := int64(len(w.gaps.ranges))
	w.counts.gaps.Add(n - w.reported)
	w.reported = n
}

// notesVersion is the first byte of notes.
const notesVersion = 1

var notesNames = []string{"notes"}

// notes returns what has to outlive the task, which stands at p.
func (w *watch) notes(p position, b *connect.SourceBatch) connect.SourceOffset {
	dst := append(w.scratch[:0], notesVersion, boolByte(w.known))
	dst = binary.AppendVarint(dst, w.high)
	dst = appendPosition(dst, p)
	dst = appendPosition(dst, position{timestamp: w.from})
	dst = w.gaps.append(dst)
	dst = appendPosition(dst, w.last.at)
	dst = binary.AppendVarint(dst, w.last.until)
	dst = binary.AppendUvarint(dst, uint64(len(w.last.rows)))
	for _, row := range w.last.rows {
		dst = binary.LittleEndian.AppendUint64(dst, row)
	}
	w.scratch = dst
	text := make([]byte, base64.RawStdEncoding.EncodedLen(len(dst)))
	base64.RawStdEncoding.Encode(text, dst)
	b.Grew(len(text))
	v := b.Values(1)
	v[0] = data.TextOf(text)
	return connect.SourceOffset{Names: notesNames, Values: v}
}

// parse reads notes for a table whose stored position is p.
func (w *watch) parse(o connect.SourceOffset, p position) error {
	v := o.Get(notesNames[0])
	if v.Kind() != data.KindString {
		return fmt.Errorf("there is no text named %s in it", notesNames[0])
	}
	src, err := base64.RawStdEncoding.DecodeString(v.Str())
	if err != nil {
		return err
	}
	if len(src) < 2 || src[0] != notesVersion {
		return errors.New("it has a form that this version does not know")
	}
	r := reader{src[2:]}
	high := r.varint()
	at := r.position()
	from := r.position().timestamp
	gaps, rest, err := parseGaps(r.src)
	if err != nil {
		return err
	}
	r.src = rest
	last := recall{at: r.position(), until: r.varint()}
	n := r.uvarint()
	if r.src == nil || n > maxRecalled || uint64(len(r.src)) != 8*n {
		return errors.New("it ends in the wrong place")
	}
	for range n {
		last.rows = append(last.rows, r.uint64())
	}
	w.gaps, w.last = gaps, last
	if !at.before(p) {
		// A position beyond the notes is another worker's, which did not watch.
		w.high, w.known, w.from = high, src[1] == 1, from
	}
	return nil
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendPosition(dst []byte, p position) []byte {
	dst = binary.AppendVarint(dst, p.id)
	dst = binary.AppendVarint(dst, p.timestamp.Seconds)
	return binary.AppendUvarint(dst, uint64(p.timestamp.Nanos))
}

func (r *reader) position() position {
	return position{id: r.varint(), timestamp: dialect.Timestamp{Seconds: r.varint(), Nanos: int32(r.uvarint())}}
}

// pass is one look for everything that is missing.
type pass struct {
	began time.Time
	spans []span // still to be asked for
	size  int    // of them, in the statement that is open
	sent  int    // rows that this statement found
	open  bool   // query.suffix may have cut a statement short: nothing is proven
}

// maxTerms is how many spans one statement looks at.
const maxTerms = 500

func (p *pass) next() []span {
	p.size, p.sent = min(len(p.spans), maxTerms), 0
	return p.spans[:p.size]
}

// askEvery is the least pause between two passes: a hundredth of the time that
// gaps are watched, from 20 ms to 1 s.
func askEvery(timeout time.Duration) time.Duration {
	return min(max(timeout/100, 20*time.Millisecond), time.Second)
}

// hashRow returns a number for the contents of a row that is the same in every
// process (FNV-1a).
func hashRow(row []driver.Value) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	octet := func(c byte) { h = (h ^ uint64(c)) * prime }
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			octet(0)
		case []byte:
			octet(1)
			octet(byte(len(v)))
			for _, c := range v {
				octet(c)
			}
		case string:
			octet(1)
			octet(byte(len(v)))
			for i := range len(v) {
				octet(v[i])
			}
		case int64:
			octet(2)
			for range 8 {
				octet(byte(v))
				v >>= 8
			}
		default:
			octet(3)
			for _, c := range fmt.Append(nil, v) {
				octet(c)
			}
		}
	}
	return h
}
