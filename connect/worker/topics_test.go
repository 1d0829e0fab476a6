package worker

import (
	"strings"
	"testing"

	"kconnect/connect/config"
)

func TestTopicCreationRulesChooseTheFirstGroupThatMatches(t *testing.T) {
	groups, err := newTopicGroups(config.Map{
		"topic.creation.groups":                            "logs, keyed",
		"topic.creation.default.partitions":                "3",
		"topic.creation.default.replication.factor":        "-1",
		"topic.creation.logs.include":                      "log-.*, trace",
		"topic.creation.logs.exclude":                      "log-keep.*",
		"topic.creation.logs.retention.ms":                 "1000",
		"topic.creation.keyed.include":                     ".*-k",
		"topic.creation.keyed.partitions":                  "9",
		"topic.creation.keyed.replication.factor":          "2",
		"topic.creation.keyed.cleanup.policy":              "compact",
		"topic.creation.default.min.insync.replicas":       "1",
		"some.other.topic.creation.default.partitions.key": "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]struct {
		group      string
		partitions int32
	}{"log-a": {"logs", 3}, "trace": {"logs", 3}, "tracer": {"default", 3}, "log-keep-k": {"keyed", 9}, "other": {"default", 3}} {
		for i := range groups {
			if groups[i].matches(topic) {
				if groups[i].name != want.group || groups[i].partitions != want.partitions {
					t.Errorf("%s: group %s with %d partitions, want %v", topic, groups[i].name, groups[i].partitions, want)
				}
				break
			}
		}
	}
	if len(groups[0].settings) != 1 || groups[0].settings["retention.ms"] == nil {
		t.Errorf("the settings of logs are %v", groups[0].settings)
	}
}

func TestTopicCreationNeedsTheDefaults(t *testing.T) {
	if groups, err := newTopicGroups(config.Map{"topic": "x"}); err != nil || groups != nil {
		t.Errorf("without rules: %v, %v", groups, err)
	}
	for _, m := range []config.Map{
		{"topic.creation.groups": "a"},
		{"topic.creation.default.partitions": "1"},
		{"topic.creation.default.partitions": "0", "topic.creation.default.replication.factor": "1"},
		{"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1", "topic.creation.groups": "a", "topic.creation.a.include": "("},
	} {
		if _, err := newTopicGroups(m); err == nil || !strings.Contains(err.Error(), "topic.creation.") {
			t.Errorf("%v: %v", m, err)
		}
	}
}
