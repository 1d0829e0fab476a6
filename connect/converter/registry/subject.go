package registry

import (
	"strings"

	"kconnect/connect"
)

// strategy is how subjects are named.
type strategy uint8

const (
	byTopic strategy = iota
	byRecord
	byTopicAndRecord
)

func strategyOf(class string) strategy {
	switch strings.TrimPrefix(class, subjects) {
	case "RecordNameStrategy":
		return byRecord
	case "TopicRecordNameStrategy":
		return byTopicAndRecord
	}
	return byTopic
}

// NamedByRecord reports whether the subject depends on the name of a record.
func (c *Client) NamedByRecord() bool { return c.strategy != byTopic }

// Subject returns the name under which the schemas of a topic are registered.
// record is the full name of the record that the schema describes; empty when
// it describes none.
func (c *Client) Subject(topic, record string) (string, error) {
	if c.strategy == byTopic {
		return topic + "-" + c.role, nil
	}
	if record == "" {
		class := "RecordNameStrategy"
		if c.strategy == byTopicAndRecord {
			class = "TopicRecordNameStrategy"
		}
		key := c.role + ".subject.name.strategy"
		return "", &connect.Error{
			Class: connect.ClassSerialization, Kind: connect.Data,
			Message: "In configuration " + key + " = " + subjects + class + ", the message " + c.role + " must only be a record schema",
		}
	}
	if c.strategy == byRecord {
		return record, nil
	}
	return topic + "-" + record, nil
}
