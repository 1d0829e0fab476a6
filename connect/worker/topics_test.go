package worker

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kconnect/connect"
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

// TestTopicCreationRulesAreCheckedAsInJava: the texts are those of a Java
// worker 4.2.0 that was given the same keys.
func TestTopicCreationRulesAreCheckedAsInJava(t *testing.T) {
	const (
		missing  = `Missing required configuration "topic.creation.default.replication.factor" which has no default value.`
		few      = `Invalid value 0 for configuration partitions: Number of partitions must be positive, or -1 to use the broker's default`
		defaults = "default.partitions=1 default.replication.factor=1 "
	)
	for keys, want := range map[string]string{
		"":                                        "",
		"groups=a":                                missing,
		"groups=":                                 missing,
		"default.partitions=1":                    missing,
		"x.y=1":                                   missing,
		defaults:                                  "",
		defaults + "groups=default":               "",
		defaults + "default.include=(":            "", // it is for all topics, whatever it says
		defaults + "groups=a b.partitions=0":      "",
		defaults + "groups=a a.partitions=0":      few,
		defaults + "default.partitions=0":         few,
		defaults + "default.partitions=x":         "Invalid value x for configuration topic.creation.default.partitions: Not a number of type INT",
		defaults + "groups=a a.include=(":         "Invalid value [(] for configuration include: Syntax error in regular expression: Unclosed group near index 1\n(",
		defaults + "default.replication.factor=0": "Invalid value 0 for configuration replication.factor: Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
	} {
		m := config.Map{"topic": "t"}
		for _, entry := range strings.Fields(keys) {
			key, value, _ := strings.Cut(entry, "=")
			m["topic.creation."+key] = value
		}
		groups, err := newTopicGroups(m)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", keys, got, want)
		}
		if rules := err == nil && keys != ""; rules != (groups != nil) {
			t.Errorf("%s: the rules are %v", keys, groups)
		}
	}
}

func TestBadTopicCreationRulesFailTheConnector(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		b := newBed(t, parts{source: func() connect.SourceTask { return &counter{} }, config: config.Map{"topic.creation.groups": "a"},
			worker: func(c *Config) { c.TopicCreation = enabled }})
		started := make(chan error, 1)
		b.worker.StartConnector("c", b.cfg, TargetRunning, func(err error) { started <- err })
		err := <-started
		s := b.heard.last(theConnector)
		if !enabled { // topic.creation.enable=false: the keys count for nothing
			if err != nil || s.State != Running {
				t.Errorf("without topic creation it is %s: %v", s.State, err)
			}
			continue
		}
		if err == nil || s.State != Failed || !strings.HasPrefix(s.Trace, "org.apache.kafka.common.config.ConfigException: Missing required configuration \"topic.creation.default.replication.factor\"") {
			t.Errorf("it is %s: %s", s.State, s.Trace)
		}
	}
}

// refuseCreation refuses to create a topic until heal is called.
func (b *bed) refuseCreation(topic string, code int16) (asked *atomic.Int64, heal func()) {
	asked = new(atomic.Int64)
	var healed atomic.Bool
	b.cluster.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		create := req.(*kmsg.CreateTopicsRequest)
		if healed.Load() || create.Topics[0].Topic != topic {
			return nil, nil, false
		}
		asked.Add(1)
		resp := create.ResponseKind().(*kmsg.CreateTopicsResponse)
		resp.Default()
		answer := kmsg.NewCreateTopicsResponseTopic()
		answer.Topic, answer.ErrorCode, answer.ErrorMessage = topic, code, kmsg.StringPtr("the broker says why")
		resp.Topics = append(resp.Topics, answer)
		return resp, nil, true
	})
	return asked, func() { healed.Store(true) }
}

func TestATopicThatCannotBeCreated(t *testing.T) {
	rules := config.Map{"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"}
	for _, c := range []struct {
		name, refused, trace string
		code                 int16
	}{
		{"the broker refuses it", "made", "org.apache.kafka.connect.errors.ConnectException: Unable to create topic(s) 'made': the broker says why", kerr.InvalidReplicationFactor.Code},
		{"the task may not", "made", "org.apache.kafka.connect.errors.ConnectException: Task failed to create new topic made. Ensure that the task is authorized to create topics or that the topic exists and restart the task", kerr.TopicAuthorizationFailed.Code},
		{"the task may not, but it is there", "numbers", "", kerr.ClusterAuthorizationFailed.Code},
		{"the broker cannot for a while", "made", "", kerr.RequestTimedOut.Code},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &counter{to: 3, batch: 3, topic: func(n int) string {
				if n < 3 {
					return "numbers"
				}
				return "made"
			}}
			b := newBed(t, parts{source: func() connect.SourceTask { return task }, config: rules, worker: func(c *Config) { c.TopicCreation = true }})
			asked, heal := b.refuseCreation(c.refused, c.code)
			b.start()
			if c.trace == "" {
				b.until("it asks for the topic", func() bool { return asked.Load() > 0 })
				heal()
				b.untilStored(3)
				b.stop()
				return
			}
			b.untilState(Failed)
			b.stop()
			if trace := b.heard.last(theTask).Trace; !strings.HasPrefix(trace, c.trace) {
				t.Errorf("the trace is %s", trace)
			}
			if n := b.stored(); n != 2 {
				t.Errorf("position %d is stored, want that of the record before", n)
			}
		})
	}
}

func TestASourceThatWaitsForATopicStopsPromptly(t *testing.T) {
	task := &counter{to: 3, batch: 3}
	b := newBed(t, parts{source: func() connect.SourceTask { return task }, worker: func(c *Config) { c.TopicCreation = true },
		config: config.Map{"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"}})
	asked, _ := b.refuseCreation("numbers", kerr.RequestTimedOut.Code)
	b.start()
	b.until("it asks for the topic", func() bool { return asked.Load() > 0 })
	running := b.running(theTask)
	b.stop()
	select {
	case <-running.done:
	default:
		t.Error("it was left behind")
	}
	if s := b.heard.last(theTask); s.State != Unassigned {
		t.Errorf("it is %s: %s", s.State, s.Trace)
	}
	if n := b.stored(); n != 0 {
		t.Errorf("position %d is stored of records that were never sent", n)
	}
}
