package source

import (
	"context"
	"time"

	"go.uber.org/zap"

	"kconnect/connectors/jdbc/dialect"
)

// wait is how gaps are closed before their time is over (D14): by waiting for
// everyone who could have taken the ids. It does no I/O. Why no row is lost:
//
//  1. Ids come from a counter that only goes up, in the statement that inserts
//     (the dialect sees to it). An id that is missing below one that was seen was
//     taken before that was, so before now. Who took it has ended, or is
//     listed now: as an open transaction, or as a statement whose transaction may
//     not be listed yet.
//  2. When all who were listed have ended, and statements were among them, the
//     transactions are listed once more: those of the statements are among
//     these. No other statement matters, for it began after the ids were taken.
//  3. When the last of them is gone, all of their rows are visible or will never
//     be. A pass over the gaps that begins settle later, and looks at each to the
//     end, finds them: ids that it did not find will not come.
//
// Gaps above the id that was the highest when the list was read wait for the
// next list.
type wait struct {
	conn   *dialect.Conn // on which everything was listed
	lookAt time.Time     // not to look before

	begun bool
	last  int64           // the highest id then
	names map[string]bool // those who were not seen to have ended
	again bool            // statements were among them
	ended int64           // ms since the epoch, when all had; 0: not yet
}

// settle is how long before a pass everyone has to have ended: for what a
// database does between the end of a transaction that its lists show and the
// moment its rows are visible.
const settle = time.Second

// listEvery is the least pause between two looks, and idleEvery where nothing
// can be told.
const (
	listEvery = time.Second
	idleEvery = time.Minute
)

// look takes in a list that was read when high was the highest id and that was
// complete at now, in ms.
func (w *wait) look(h dialect.Holders, high, now int64) {
	if w.ended > 0 {
		return
	}
	if !w.begun {
		w.begun, w.last, w.again = true, high, len(h.Statements) > 0
		w.names = names(h.Transactions, h.Statements)
	}
	w.keep(names(h.Transactions, h.Statements))
	if len(w.names) > 0 {
		return
	}
	if w.again {
		w.again, w.names = false, names(h.Transactions)
	}
	if len(w.names) == 0 {
		w.ended = now
	}
}

// keep drops those who are not among the present ones.
func (w *wait) keep(present map[string]bool) {
	for name := range w.names {
		if !present[name] {
			delete(w.names, name)
		}
	}
}

func names(lists ...[]string) map[string]bool {
	all := map[string]bool{}
	for _, list := range lists {
		for _, name := range list {
			all[name] = true
		}
	}
	return all
}

// over reports whether a complete pass that began then has shown which ids at or
// below last will not come.
func (w *wait) over(began int64) (last int64, ok bool) {
	return w.last, w.ended > 0 && w.ended+settle.Milliseconds() <= began
}

// reset begins anew.
func (w *wait) reset() { w.begun, w.names, w.again, w.ended = false, nil, false, 0 }

// lookForHolders asks the database who could fill the table's gaps. It never
// fails a round: what is wrong with the connection shows in the statement that
// follows. Looking takes a twentieth of the time at most.
func (t *table) lookForHolders(ctx context.Context, c *dialect.Conn, now func() time.Time) {
	w := &t.wait
	if w.conn != c { // perhaps another server
		w.reset()
		w.conn, w.lookAt = c, time.Time{}
	}
	if len(t.watch.gaps.ranges) == 0 {
		w.reset()
		return
	}
	began := now()
	if !t.s.gapEarly || t.id.Name == "" || w.ended > 0 || began.Before(w.lookAt) {
		return
	}
	h, err := c.Holders(ctx, c, t.id, t.criteria.id)
	ended := now()
	w.lookAt = ended.Add(max(listEvery, 19*ended.Sub(began)))
	if err != nil && c.Classify(err) == dialect.Permission {
		h, err = dialect.Holders{Unknown: err.Error()}, nil
	}
	switch {
	case err != nil:
		t.log.Debug("it cannot be seen who could fill gaps of ids", zap.String("table", t.id.String()), zap.Error(err))
	case h.Unknown != "" && h.Passing: // whoever is waited for is so until the next look
	case h.Unknown != "":
		w.reset()
		w.lookAt = ended.Add(idleEvery)
		t.infoOnce("ids that were skipped are asked for until kconnect.gap.timeout.ms is over, since the database does not tell when they can no longer come: " + h.Unknown)
	default:
		w.look(h, t.watch.high, ended.UnixMilli())
	}
}

// closeGaps ends a pass that looked at every gap.
func (t *table) closeGaps() {
	last, ok := t.wait.over(t.pass.began.UnixMilli())
	if !ok {
		return
	}
	t.wait.reset()
	if g := t.watch.close(last); g.ids > 0 {
		t.log.Debug("ids that were skipped will not come", zap.String("table", t.id.String()), zap.Uint64("ids", g.ids), zap.Int64("first", g.first), zap.Int64("last", g.last))
	}
}
