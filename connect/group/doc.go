// Package group makes this worker a member of a Connect cluster's group, beside workers in Java and Go alike.
//
// wire.go has the bytes that workers exchange through the coordinator, assign.go the rules by which a leader hands out
// connectors and tasks (pure: no clock, no network), and Member the membership. A Member runs the protocol and decides
// nothing about work; its user, the herder, applies what it says.
//
// # Use
//
//	m, err := group.New(opts, cfg, snapshot)
//	go m.Run(ctx)                    // after the configuration was read once: the first join reports it
//	for event := range m.Events() {  // in the herder's own loop
//		switch event.Kind {
//		case group.Rejoining:        // a round goes on: owners and leader may change; nothing to answer
//		case group.Revoke:           // stop all work
//			m.Allocated(nil)
//		case group.Joined:           // stop Assignment.Revoked, drop it from what is held, add Assignment.Assigned
//			m.Allocated(held)
//		case group.Lost:             // stop all work: others may start it soon
//			m.Allocated(nil)
//		}
//	}
//	m.Leave(ctx)                     // once all work has stopped; then end Run's context
//
// # Rules
//
// Revoke, Joined and Lost each ask for exactly one Allocated. Until it comes no other such event does, and this worker
// takes part in no further round: the JoinGroup reports what the answer said. Answer when the revoked work has
// stopped, and before slow starts. Heartbeats go on meanwhile, but a user that takes longer than
// rebalance.timeout.ms makes the worker leave the group until it answers.
//
// What Assigned means depends on Assignment.Version: V0 gives the complete work (what else runs was stopped after
// Revoke; after a change from V1 or V2 to V0 no Revoke came, so stop what is not in it), V1 and V2 only what is new.
//
// The Member begins a round by itself when the coordinator wants one, when it is expelled (the work goes on and is
// reported; the leader sorts out what runs twice), when Assignment.Delay is over, and after an answer to a Joined
// with revoked work, which can be given to others only now. Its user calls Rejoin for what only the user sees:
// connectors or task configs have changed, the assignment's offset is not that of the configuration read, or
// Assignment.Err is ConfigMismatch (read to the end first, or the rounds go round in circles).
//
// Members state the classes of their plugins behind the metadata (Config.Classes), where Java's readers do not look. A
// leader gives work only to members that can run it, as far as there are any; members that state nothing, those in
// Java, count as able to run everything. Among equal members the outcome is exactly that of a Java leader.
//
// While the coordinator is out of reach the Member tries on for ever; Lost comes after heartbeat.interval.ms of that, once.
// Run ends with an error only for what no retry heals: missing rights, a group of another protocol, and the like.
package group
