package worker

import (
	"context"

	"kconnect/connect"
)

// reporter is what a sink task reports bad records to.
type reporter struct{ s *sink }

var _ connect.Reporter = (*reporter)(nil)

// Report implements connect.Reporter. It runs within Put, so the delivery
// being put is the one that the record came with. The context of Put ends with
// it, but the dead letter may be on its way for longer.
func (r *reporter) Report(_ context.Context, record *connect.Record, err error) error {
	return r.s.tolerance.handle(r.s.hard, newFailure(StageTaskPut, "org.apache.kafka.connect.sink.SinkTask", err, r.s.current.raw[record.Origin.Index]))
}

// Tolerant implements connect.Reporter.
func (r *reporter) Tolerant() bool { return r.s.tolerance.all }
