package source

import (
	"runtime"
	"testing"

	"kconnect/connect"
)

// Rows of 10 MB come in batches that end at the worker's bound, one row over it
// at most, and what was read before is not kept (Promise 6).
func TestLargeRowsStayWithinTheBound(t *testing.T) {
	const rows, row, bound = 30, 10_000_000, 32 << 20
	for kind, query := range map[string]string{
		"mariadb": "SELECT seq AS id, REPEAT('x', 10000000) AS big FROM seq_1_to_30",
		"sqlite":  "SELECT * FROM (WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 30) SELECT id, hex(zeroblob(5000000)) AS big FROM n)",
	} {
		t.Run(kind, func(t *testing.T) {
			db := newDatabase(t, kind, "kcsource_large")
			cfg := taskConfig(db, "bulk", "", "query", query, "topic.prefix", "q", "poll.interval.ms", "3600000")
			task := startTask(t, newRun(t, cfg), cfg)
			b := connect.NewSourceBatch(1000, bound)
			runtime.GC()
			var before, most runtime.MemStats
			runtime.ReadMemStats(&before)
			for read := 0; read < rows; {
				b.Reset(1000, bound)
				if err := task.Poll(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				if b.Size() > bound+row+1000 {
					t.Fatalf("a batch of %d bytes", b.Size())
				}
				for i := range b.Records {
					v, err := b.Records[i].Value.Struct().Get("big")
					if err != nil || len(v.Str()) != row {
						t.Fatalf("row %d: %d bytes, %v", read+i, len(v.Str()), err)
					}
				}
				read += len(b.Records)
				runtime.GC()
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				if now.HeapAlloc > most.HeapAlloc {
					most = now
				}
			}
			// A batch, and some rows in the driver's hands.
			if grown := int64(most.HeapAlloc) - int64(before.HeapAlloc); grown > bound+6*row {
				t.Errorf("%d bytes are held of %d that were read", grown, rows*row)
			}
		})
	}
}
