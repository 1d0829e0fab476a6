package worker

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kconnect/connect"
)

// topicCreator sees to the topics of a source task before the first record:
// it creates them by the connector's topic.creation.* rules, or leaves them to
// the broker where there are none, as the Java worker does.
type topicCreator struct {
	groups  []topicGroup // the default group last; empty: left to the broker
	admin   *kadm.Client
	onTopic func(topic string)
	health  *health
	log     *zap.Logger
	known   map[string]bool
}

// ensure is called with every flight. It creates topics that were not seen
// before, and reports all that are used, because a user may have reset what is
// known about them. With an error it returns how many of the records have
// their topics. A Kafka that cannot be asked is waited for until ctx ends,
// which is an *interrupted.
func (c *topicCreator) ensure(ctx context.Context, records []kgo.Record) (ready int, err error) {
	last := ""
	for i := range records {
		topic := records[i].Topic
		if topic == last {
			continue
		}
		last = topic
		if !c.known[topic] {
			if err := c.await(ctx, topic); err != nil {
				return i, err
			}
			c.known[topic] = true
		}
		c.onTopic(topic)
	}
	return len(records), nil
}

// await creates a topic as soon as that can be done (Promise 4).
func (c *topicCreator) await(ctx context.Context, topic string) error {
	defer c.health.move(&c.health.topics)
	for attempt := 0; ; attempt++ {
		err := c.create(ctx, topic)
		if connect.KindOf(err) != connect.Retriable {
			return err
		}
		c.health.wait(&c.health.topics, c.health.now(), err)
		c.log.Warn("A topic cannot be created now and is tried again", zap.String("topic", topic), zap.Error(err))
		if !sleep(ctx, backoff(attempt)) {
			return &interrupted{err}
		}
	}
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
		refusal := (*kerr.Error)(nil)
		switch {
		case err == nil:
			c.log.Info("Created topic", zap.String("topic", topic), zap.String("group", g.name))
			return nil
		case errors.Is(err, kerr.TopicAlreadyExists):
			return nil
		case errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.UnsupportedVersion):
			// Who may not create topics may use those that are there.
			if topics, e := c.admin.ListTopics(ctx, topic); e == nil && topics.Has(topic) {
				return nil
			}
		case !errors.As(err, &refusal), kerr.IsRetriable(err): // Kafka did not answer, or not for good
			return connect.NewRetriable("Topic "+topic+" could not be created", err)
		default:
			reason := resp.ErrMessage
			if reason == "" {
				reason = err.Error()
			}
			return connect.NewError("Unable to create topic(s) '"+topic+"': "+reason, err)
		}
		return connect.NewError("Task failed to create new topic "+topic+". Ensure that the task is authorized to create topics or that the topic exists and restart the task", err)
	}
	return nil // the broker creates it, or the producer waits for it
}
