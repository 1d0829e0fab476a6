package metrics

import (
	"os"
	"strings"
	"testing"
)

// attributes are those of the MBeans of a Java worker 4.2.0 with a FileStream
// source, and a sink with a dead letter queue, as JMX listed them: domain, type,
// keys, attribute.
func attributes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/java-mbean-attributes.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// carries reports whether the Java field of a family names an attribute.
func carries(java, attribute string) bool {
	head, name, _ := strings.Cut(attribute, ":")
	parts := strings.Fields(head)
	domain, kind, keys := parts[0], parts[1], parts[2]
	for one := range strings.SplitSeq(java, ",") {
		of, n, _ := strings.Cut(one, ":")
		if n != name {
			continue
		}
		switch {
		case of == "connect app-info":
			if domain == "kafka.connect" && kind == "app-info" {
				return true
			}
		case strings.HasSuffix(of, " partition"):
			if of == kind+" partition" && strings.Contains(keys, "partition") {
				return true
			}
		case of == "consumer-fetch-manager-metrics":
			if of == kind && keys == "[client-id]" {
				return true
			}
		case of == kind:
			return true
		}
	}
	return false
}

func TestEveryAttributeOfJavaIsASeriesOrHasAReason(t *testing.T) {
	all := attributes(t)
	if len(all) < 400 {
		t.Fatalf("the list has %d attributes only", len(all))
	}
	used := make(map[int]bool)
	families, absences := Families(), Absences()
	for _, a := range all {
		var names []string
		for _, f := range families {
			if carries(f.Java, a) {
				names = append(names, f.Name)
			}
		}
		reason := ""
		for i, absence := range absences {
			if absence.Attributes.MatchString(a) {
				used[i] = true
				if reason == "" {
					reason = absence.Reason
				}
			}
		}
		switch {
		case len(names) == 0 && reason == "":
			t.Errorf("%s: no series carries it, and no reason says why", a)
		case len(names) > 0 && reason != "":
			t.Errorf("%s: %s carries it, and a reason says why nothing does: %s", a, names, reason)
		case len(names) > 1:
			t.Errorf("%s: carried twice, by %s", a, names)
		}
	}
	for i, absence := range absences {
		if !used[i] {
			t.Errorf("the reason %q is for no attribute", absence.Reason)
		}
	}
}

func TestEverySeriesNamesAnAttributeThatJavaHas(t *testing.T) {
	all := attributes(t)
	for _, f := range Families() {
		for one := range strings.SplitSeq(f.Java, ",") {
			found := one == ""
			for _, a := range all {
				found = found || carries(one, a)
			}
			if !found {
				t.Errorf("%s carries %q, which a Java worker does not have", f.Name, one)
			}
		}
	}
}

// TestNamesAreThoseOfTheUsualRules derives the name of each series from the
// MBean that it carries, as the rules that Connect users hand to the JMX
// exporter do: kafka_<type without -metrics>_<attribute>, without the worker's
// connect-.
func TestNamesAreThoseOfTheUsualRules(t *testing.T) {
	for _, f := range Families() {
		first, _, _ := strings.Cut(f.Java, ",")
		if first == "" || strings.Contains(first, "app-info") || f.Name == "kafka_connect_connector_task_info" {
			continue
		}
		kind, attribute, _ := strings.Cut(first, ":")
		kind = strings.TrimSuffix(strings.TrimSuffix(kind, " partition"), "-metrics")
		switch {
		case strings.HasPrefix(kind, "connect-worker"):
			kind = "connect-" + strings.TrimPrefix(kind, "connect-")
		case strings.HasPrefix(kind, "connector"), strings.HasPrefix(kind, "source-task"), strings.HasPrefix(kind, "sink-task"), strings.HasPrefix(kind, "task-error"):
			kind = "connect-" + kind
		}
		want := strings.ReplaceAll("kafka_"+kind+"_"+attribute, "-", "_")
		if f.Name != want {
			t.Errorf("%s carries %s, whose name is %s", f.Name, first, want)
		}
	}
}
