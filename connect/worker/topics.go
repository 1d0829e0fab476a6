package worker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
)

// topicCreator sees to the topics of a source task before the first record:
// it creates them by the connector's topic.creation.* rules, or leaves them to
// the broker where there are none, as the Java worker does.
type topicCreator struct {
	groups  []topicGroup // the default group last; empty: left to the broker
	admin   *kadm.Client
	onTopic func(topic string)
	log     *zap.Logger
	known   map[string]bool
}

// topicGroup is one rule of topic.creation.groups.
type topicGroup struct {
	name             string
	include, exclude []*regexp.Regexp
	partitions       int32
	replication      int16
	settings         map[string]*string
}

// newTopicGroups reads the topic.creation.* keys. Without topic.creation.groups
// and topic.creation.default.* there are no rules.
func newTopicGroups(m config.Map) ([]topicGroup, error) {
	_, groups := m["topic.creation.groups"]
	_, partitions := m["topic.creation.default.partitions"]
	_, replication := m["topic.creation.default.replication.factor"]
	if !groups && !partitions && !replication {
		return nil, nil
	}
	base, err := newTopicGroup(m, "default", nil)
	if err != nil {
		return nil, err
	}
	var all []topicGroup
	for name := range strings.SplitSeq(m["topic.creation.groups"], ",") {
		name = strings.TrimSpace(name)
		if name == "" || name == "default" {
			continue
		}
		g, err := newTopicGroup(m, name, &base)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return append(all, base), nil
}

func newTopicGroup(m config.Map, name string, base *topicGroup) (topicGroup, error) {
	prefix := "topic.creation." + name + "."
	g := topicGroup{name: name, settings: make(map[string]*string)}
	if base != nil {
		g.partitions, g.replication = base.partitions, base.replication
	}
	for key, value := range m.WithPrefix(prefix) {
		var err error
		switch key {
		case "include":
			g.include, err = topicPatterns(value)
		case "exclude":
			g.exclude, err = topicPatterns(value)
		case "partitions":
			var n int64
			n, err = creationCount(value, 32)
			g.partitions = int32(n)
		case "replication.factor":
			var n int64
			n, err = creationCount(value, 16)
			g.replication = int16(n)
		default:
			g.settings[key] = &value
		}
		if err != nil {
			return g, &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: fmt.Sprintf("Invalid value %s for configuration %s%s: %s", value, prefix, key, err)}
		}
	}
	if g.partitions == 0 || g.replication == 0 {
		key := prefix + "partitions"
		if g.replication == 0 {
			key = prefix + "replication.factor"
		}
		return g, &connect.Error{Class: connect.ClassConfig, Kind: connect.Config, Message: fmt.Sprintf("Missing required configuration %q which has no default value.", key)}
	}
	return g, nil
}

func creationCount(s string, bits int) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
	if err != nil {
		return 0, errors.New("not a whole number")
	}
	if n != -1 && n < 1 {
		return 0, errors.New("must be at least 1, or -1 for the broker's default")
	}
	return n, nil
}

func topicPatterns(list string) ([]*regexp.Regexp, error) {
	var all []*regexp.Regexp
	for p := range strings.SplitSeq(list, ",") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		re, err := regexp.Compile("^(?:" + p + ")$")
		if err != nil {
			return nil, err
		}
		all = append(all, re)
	}
	return all, nil
}

func (g *topicGroup) matches(topic string) bool {
	if g.name == "default" {
		return true
	}
	for _, re := range g.exclude {
		if re.MatchString(topic) {
			return false
		}
	}
	for _, re := range g.include {
		if re.MatchString(topic) {
			return true
		}
	}
	return false
}

// ensure is called with every flight. It creates topics that were not seen
// before, and reports all that are used, because a user may have reset what is
// known about them.
func (c *topicCreator) ensure(ctx context.Context, records []kgo.Record) error {
	last := ""
	for i := range records {
		topic := records[i].Topic
		if topic == last {
			continue
		}
		last = topic
		if !c.known[topic] {
			if err := c.create(ctx, topic); err != nil {
				return err
			}
			c.known[topic] = true
		}
		c.onTopic(topic)
	}
	return nil
}

func (c *topicCreator) create(ctx context.Context, topic string) error {
	for i := range c.groups {
		g := &c.groups[i]
		if !g.matches(topic) {
			continue
		}
		resp, err := c.admin.CreateTopic(ctx, g.partitions, g.replication, g.settings, topic)
		if err == nil {
			err = resp.Err
		}
		switch {
		case err == nil:
			c.log.Info("Created topic", zap.String("topic", topic), zap.String("group", g.name))
			return nil
		case errors.Is(err, kerr.TopicAlreadyExists):
			return nil
		case kerr.IsRetriable(err):
			return connect.NewRetriable("Topic "+topic+" could not be created", err)
		}
		return connect.NewError("Task failed to create new topic "+topic+". Ensure that the task is authorized to create topics or that the topic exists and restart the task", err)
	}
	return nil // the broker creates it, or the producer waits for it
}
