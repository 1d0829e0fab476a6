package source

import (
	"crypto/rand"
	"time"

	"kconnect/connect"
	"kconnect/connect/data"
)

// The headers of records of bulk runs.
const (
	headerRunID   = "kconnect.bulk.run.id"
	headerRunRows = "kconnect.bulk.run.rows"
)

// bulkRun is one reading of a whole table, told to consumers by headers
// (kconnect.bulk.run.headers=true). How many rows there are is known when the
// last one is read: to count before would read the table twice, and give
// another number than the run where rows come and go between the two. So all
// records carry the id, and the last one also the number of rows: a run is
// whole where that record is there, and as many of its id as it says. A run
// that broke off has none, and what follows it has another id.
type bulkRun struct {
	id   []connect.Header // shared by the records
	rows int64
}

// newBulkRun returns a run with an id that begins with its time, so that ids
// sort by it.
func newBulkRun(now time.Time) *bulkRun {
	id := now.UTC().Format("20060102T150405.000Z") + "-" + rand.Text()[:8]
	return &bulkRun{id: []connect.Header{{Key: headerRunID, Schema: data.StringSchema, Value: data.StringOf(id)}}}
}

// mark puts the headers to a record; last says that it is the run's last.
func (r *bulkRun) mark(rec *connect.Record, last bool) {
	r.rows++
	if rec.Headers = r.id; last {
		rec.Headers = []connect.Header{r.id[0], {Key: headerRunRows, Schema: data.Int64Schema, Value: data.Int64Of(r.rows)}}
	}
}
