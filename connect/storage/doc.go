// Package storage keeps the three internal topics of a Connect cluster
// (configs, offsets, statuses) in the format of the Java worker, so that Java
// and Go workers can follow one another, and work side by side, on them.
//
// A store is opened (which creates its topic if absent and reads it to the
// end), then run: Run(ctx) is the one goroutine that tails the topic and calls
// back. Everything that waits for records to be read back (Refresh, Get, the
// Put methods of Configs) needs Run to be running and must not be called from
// a callback. Close releases the client; call it after Run has returned. Only
// [ConnectorOffsets], which comes and goes with its connector, tails its topic
// by itself.
//
// The rules of each topic are pure code ([ConfigState], the entries of
// [Statuses], the index of [Offsets]) with a [Log] around it. A worker of a
// cluster has three [TopicLog]s. One by itself (standalone mode) has a
// [MemoryLog] for configurations and statuses, and for its offsets one with a
// file, in the format of the Java worker of that mode; the stores and their
// users know no difference.
//
// Locks: each store has at most one, and each log one of its own. A store's
// lock is never held while the log is called.
package storage
