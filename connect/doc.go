// Package connect is what the author of a connector, a converter or a
// transformation imports: the contracts, the records they handle, the error
// model and the form in which plugins are handed to the worker.
//
// # Delivery
//
// The promises of the product that a plugin takes part in:
//
//   - Promise 1, at least once: the worker stores a source offset only after
//     the record it came with is acknowledged by Kafka, and commits a sink
//     offset only after Put returned without an error. A source task must be
//     able to go on from any offset it ever put on a record; a sink task must
//     have made rows durable when Put returns.
//   - Promise 4, a fault of the surroundings is not a fault of the data: an
//     error of Kind Retriable is tried again, never sent to the dead letter
//     queue.
//   - Promise 5, RUNNING means moving: a task that waits says so through
//     Env.Waiting and takes it back with Env.Moving.
//   - Promise 6, bounded memory: a source task stops filling a batch when
//     SourceBatch.Full says so.
//
// # Calls
//
// The worker calls one task from one goroutine at a time: Start, then Poll or
// Put again and again, then Stop, which is called exactly once and also after
// a Start that failed. Contexts end when the task shall stop; a call that
// blocks must watch its context.
package connect
