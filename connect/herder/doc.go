// Package herder decides what runs on this worker and answers the requests of
// users.
//
// All decisions are made by step, a pure function of the state and one event:
// no clock, no I/O, no goroutine. Herder.Run is the one goroutine that owns
// the state; it collects events (of the group, of the config topic, of the
// worker, of requests), calls step, and carries out the effects it returns.
// Whatever may take long (stopping work, writing to a topic, planning tasks)
// is done beside the loop and comes back as an event, so that the loop never
// waits and reads never queue behind it: they look at immutable snapshots.
//
// # A round
//
// The group says that it rebalances: nothing is started until the round is
// applied. An assignment is applied in steps (spec group-protocol, "Worker:
// what to do with an assignment"): stop what is revoked, answer the group,
// catch up with the offset of the config topic that the leader worked with,
// start what is missing. If something was revoked the member itself asks for
// the second round. Writes that arrive meanwhile wait until the round is over.
//
// A created or deleted connector and new tasks ask for a round, but only once
// the config topic has been quiet for a moment (changePause): one round then
// serves many of them.
//
// # Writes
//
// Each write runs beside the loop; the requests for one connector are written
// one after the other, each decided by what the topic says then. A request is
// answered when its record is read back.
package herder
