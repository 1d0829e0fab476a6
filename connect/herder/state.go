package herder

import (
	"cmp"
	"slices"

	"kconnect/connect/group"
	"kconnect/connect/storage"
)

// state is what the loop knows. Only step changes it.
type state struct {
	configs *storage.ConfigSnapshot // as new as the event being handled, or newer

	// Membership, of the last round.
	leader    bool
	protocol  string
	leaderURL string
	owners    map[group.ID]string // leader only
	assigned  map[group.ID]bool
	epoch     int // rounds applied; tells answers to an older round apart
	unread    int // reads of the config topic that failed, in phase unsynced

	phase   phase
	round   *group.Generation // being applied
	revoked map[group.ID]bool // of that round, still being stopped

	running  map[group.ID]bool // started here and not told to stop
	stopping map[group.ID]bool // told to stop and not yet gone

	starts   int                   // of connectors, so far
	started  map[string]int        // the last start of each connector that runs here
	waiting  []*request            // until the round is over
	writing  map[string][]*request // connectors of which something is being written, and who waits for that
	restarts map[group.ID]*restart // to be started again once stopped
	planning map[string]bool       // connectors whose tasks are being planned; true: once more
	rejoinOn map[group.ID]bool     // tasks whose stop is followed by a rejoin
	awaited  map[string]*awaited   // connectors whose start and first tasks somebody waits for
	changed  string                // why a round is due when the config topic has been quiet for a moment; empty: it is not
	closing  bool
}

// phase is how far this worker is with the current round.
type phase uint8

const (
	outside  phase = iota // no round was applied yet, or the group was lost
	joining               // a round is under way
	revoking              // stopping what the round takes away
	catching              // reading the config topic up to the round's offset
	unsynced              // the group is left until the config topic can be read
	settled               // the round is applied
)

// awaited is who waits for a connector to have started with a new configuration.
type awaited struct {
	replies []*request
	written bool // the configuration was read back: what starts from now on has it
}

// restart is why something was stopped that will be started again.
type restart struct{ replies []*request }

func newState() *state {
	return &state{
		configs:  &storage.ConfigSnapshot{Offset: -1},
		assigned: make(map[group.ID]bool), running: make(map[group.ID]bool), stopping: make(map[group.ID]bool),
		started: make(map[string]int), writing: make(map[string][]*request), restarts: make(map[group.ID]*restart), planning: make(map[string]bool), rejoinOn: make(map[group.ID]bool),
		awaited: make(map[string]*awaited),
	}
}

// configured reports whether the config topic has this connector or task.
func (s *state) configured(id group.ID) bool {
	c := s.configs.Connectors[id.Connector]
	if c == nil {
		return false
	}
	return id.Task == group.ConnectorTask || (!c.Inconsistent && id.Task < len(c.Tasks))
}

// local returns the tasks of a connector that run here, in order.
func (s *state) local(connector string) []group.ID {
	var ids []group.ID
	for id := range s.running {
		if id.Connector == connector && id.Task != group.ConnectorTask {
			ids = append(ids, id)
		}
	}
	return sorted(ids)
}

// sorted orders ids by connector, the connector itself before its tasks.
func sorted(ids []group.ID) []group.ID {
	slices.SortFunc(ids, compareIDs)
	return ids
}

func compareIDs(a, b group.ID) int {
	return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Task, b.Task))
}

func keys(set map[group.ID]bool) []group.ID {
	ids := make([]group.ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	return sorted(ids)
}
