package metrics

import (
	"strings"
	"sync"
	"time"
)

// State follows the state of one connector or task.
type State struct {
	now    func() time.Time
	starts *starts

	mu    sync.Mutex
	name  string // in lower case
	since time.Time
	spent map[string]time.Duration // in states that were left
	begun bool
}

// starts are the starts of connectors, or of tasks, of one worker.
type starts struct {
	attempts, failures, successes Count
	outcomes                      *Sampled
}

func newState(now func() time.Time, s *starts) *State {
	s.attempts.Add(1)
	return &State{now: now, starts: s, name: "unassigned", since: now(), spent: make(map[string]time.Duration)}
}

// Enter says that the state is now this one, of the states of REST answers.
// The first is the outcome of the start.
func (s *State) Enter(name string) {
	if s == nil {
		return
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent[s.name] += now.Sub(s.since)
	s.name, s.since = strings.ToLower(name), now
	if s.begun {
		return
	}
	switch s.name {
	case "failed":
		s.starts.failures.Add(1)
		s.starts.outcomes.RecordOutcome(false)
	case "running", "paused", "stopped":
		s.starts.successes.Add(1)
		s.starts.outcomes.RecordOutcome(true)
	default:
		return // stopped before it had begun: no outcome
	}
	s.begun = true
}

func (s *State) current() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// ratio returns the share of its life, from 0 to 1, that it was in a state.
func (s *State) ratio(name string) float64 {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var in, all time.Duration
	for state, spent := range s.spent {
		all += spent
		if state == name {
			in += spent
		}
	}
	left := now.Sub(s.since)
	all += left
	if s.name == name {
		in += left
	}
	if all <= 0 {
		return 0
	}
	return float64(in) / float64(all)
}
