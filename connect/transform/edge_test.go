package transform_test

import (
	"fmt"
	"testing"

	"kconnect/connect"
	"kconnect/connect/data/golden"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
)

// recordedEdges are answers of the Java classes of 4.2.0 (JDK 17) that the
// other recordings do not have: structs that are not of the record's schema or
// break it, map keys that are no strings, digits of other scripts, empty
// settings.
const recordedEdges = "testdata/java.jsonl"

func TestEdgesAreAsInJava(t *testing.T) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := golden.Read(recordedEdges)
	if err != nil || len(cases) == 0 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			if problem := replay(registry, c); problem != "" {
				t.Error(problem)
			}
		})
	}
}

// TestNoRecordMakesThemPanic gives the records of the edges, which are what a
// careless connector makes, to every recorded configuration. A panic fails the
// task, where an error leaves the record to errors.tolerance and the dead
// letter queue.
func TestNoRecordMakesThemPanic(t *testing.T) {
	registry, err := plugin.New(transform.Plugins()...)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := golden.Read(recordedEdges)
	if err != nil {
		t.Fatal(err)
	}
	records := make([]*connect.Record, len(cases))
	for i, c := range cases {
		if records[i], err = decodeRecord(c.Record); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
	}
	steps, _ := recordedSteps(t)
	tried := make(map[string]bool)
	for _, step := range steps {
		text := fmt.Sprint(step) // maps print in the order of their keys
		instance, ok := registry.Find(step["type"]).New().(connect.Transformation)
		if !ok || tried[text] || instance.Configure(step) != nil {
			continue // a predicate, or a recording of settings that are refused
		}
		tried[text] = true
		for i, c := range cases {
			r := *records[i]
			if p := applied(instance, &r); p != nil {
				t.Errorf("%s with the record of %s: panic: %v", text, c.ID, p)
			}
		}
	}
}

func applied(t connect.Transformation, r *connect.Record) (panicked any) {
	defer func() { panicked = recover() }()
	_, _ = t.Apply(r) // what it answers is the matter of other tests
	return nil
}
