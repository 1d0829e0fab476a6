// Package worker runs connectors and tasks. It starts and stops what the
// herder tells it to, reports every change of state, and decides nothing.
//
// # Goroutines
//
// A connector has one goroutine, which makes every call of the connector, so
// that one that hangs blocks only itself. A source task has three: one polls
// (and makes every call of the task), one transforms, converts and produces,
// one commits offsets. A sink task has two: one consumes, decodes and
// transforms a delivery ahead, the other puts and commits (and makes every
// call of the task). Each is waited for before the task counts as stopped.
//
// # Order and bounds
//
// Batches of a source task are converted and produced in the order in which
// they were polled. A batch is a flight: when all its records are acknowledged
// its offsets may be committed, and only the unbroken run of completed flights
// counts (Promise 1). At most two batches, the flights within the producer's
// buffer.memory and one delivery ahead of a sink are in memory (Promise 6).
//
// # Locks
//
// Worker.mu guards the tables of running work and is never held while anything
// of a connector or task is called.
package worker
