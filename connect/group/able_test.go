package group

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWorkGoesToMembersThatCanRunIt(t *testing.T) {
	for _, version := range []int16{V0, V1, V2} {
		plan, _ := Assign(Round{Version: version, Leader: "java", Completed: -1, MaxDelay: time.Minute,
			Members:    map[string]Metadata{"ours": {Classes: []string{"File", "Json"}}, "java": {}},
			Connectors: map[string]int{"elastic": 2, "file": 1, "files": 1},
			Needs:      map[string][]string{"elastic": {"Elastic", "Json"}, "file": {"File"}, "files": {"File", "Json"}},
		}, Memory{})
		want := map[string][]ID{
			"java": {{"elastic", ConnectorTask}, {"elastic", 0}, {"elastic", 1}, {"files", ConnectorTask}},
			"ours": {{"file", ConnectorTask}, {"file", 0}, {"files", 0}},
		}
		got := map[string][]ID{"java": plan.Assignments["java"].Assigned, "ours": plan.Assignments["ours"].Assigned}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %d:\n%s", version, diff)
		}
	}
}

func TestWorkThatNobodyCanRunGoesToSomebody(t *testing.T) {
	for _, version := range []int16{V0, V2} {
		plan, _ := Assign(Round{Version: version, Leader: "a", Completed: -1,
			Members:    map[string]Metadata{"a": {Classes: []string{"File"}}, "b": {Classes: []string{}}},
			Connectors: map[string]int{"elastic": 1, "file": 1},
			Needs:      map[string][]string{"elastic": {"Elastic"}, "file": {"File"}},
		}, Memory{})
		want := map[string][]ID{"a": {{"file", ConnectorTask}, {"file", 0}}, "b": {{"elastic", ConnectorTask}, {"elastic", 0}}}
		got := map[string][]ID{"a": plan.Assignments["a"].Assigned, "b": plan.Assignments["b"].Assigned}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %d:\n%s", version, diff)
		}
	}
}

func TestWorkLeavesAMemberThatCannotRunItOnceAnotherCan(t *testing.T) {
	c := newCluster(5 * time.Second)
	c.add("a")
	c.classes["a"] = []string{"File"}
	c.configured, c.needs = map[string]int{"elastic": 1}, map[string][]string{"elastic": {"Elastic"}}
	c.settle(t)
	if diff := cmp.Diff([]ID{{"elastic", ConnectorTask}, {"elastic", 0}}, c.held["a"]); diff != "" {
		t.Fatal(diff)
	}
	c.add("b")
	c.settle(t)
	if diff := cmp.Diff(map[string][]ID{"a": {}, "b": {{"elastic", ConnectorTask}, {"elastic", 0}}}, c.held); diff != "" {
		t.Error(diff)
	}
}

// TestStatementsThatMakeNoDifferenceChangeNothing keeps Java's rules wherever abilities do not ask for others.
func TestStatementsThatMakeNoDifferenceChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		silent, stating := newCluster(time.Second), newCluster(time.Second)
		stating.needs = map[string][]string{"c0": {"A"}, "c1": {"X"}, "c2": {"A", "B"}}
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			name := rapid.SampledFrom([]string{"c0", "c1", "c2"}).Draw(t, "connector")
			tasks := rapid.IntRange(0, 4).Draw(t, "tasks")
			member := rapid.SampledFrom([]string{"m0", "m1", "m2"}).Draw(t, "member")
			stating.classes[member] = []string{"A", "B"}
			for _, c := range []*cluster{silent, stating} {
				if _, here := c.held[member]; here && len(c.held) > 1 {
					c.remove(member)
				} else {
					c.add(member)
				}
				c.configured[name] = tasks
				c.round()
			}
			if diff := cmp.Diff(silent.plan, stating.plan); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestClassesFollowTheStructOfTheProtocol(t *testing.T) {
	for _, version := range []int16{V0, V1, V2} {
		for _, classes := range [][]string{{}, {"a.B", "B"}} {
			plain := Metadata{Version: version, URL: "http://b/", Offset: 7}
			stating := plain
			stating.Classes = classes
			b := stating.Append(nil)
			want := plain.Append(nil)
			if version == V0 {
				want = append(want, 0xff, 0xff, 0xff, 0xff) // a Java leader fails at bytes that are no allocation
			}
			if diff := cmp.Diff(want, b[:len(want)]); diff != "" {
				t.Errorf("version %d: what other readers see differs:\n%s", version, diff)
			}
			got, rest, err := decodeMetadata(b)
			if diff := cmp.Diff(stating, got); diff != "" || err != nil || len(rest) > 0 {
				t.Errorf("version %d: %v, %d bytes left\n%s", version, err, len(rest), diff)
			}
			if got, err := DecodeMetadata(append(plain.Append(nil), "what a later version may add"...)); err != nil || got.Classes != nil {
				t.Errorf("version %d: other bytes are taken for the classes %q, %v", version, got.Classes, err)
			}
			if got, err := DecodeMetadata(b[:len(b)-1]); err != nil || got.Classes != nil {
				t.Errorf("version %d: half a statement is taken for the classes %q, %v", version, got.Classes, err)
			}
		}
	}
}
