package transform

import (
	"errors"
	"strings"
	"time"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/transform/simpledate"
)

var timestampRouterDef = config.NewDef(
	config.Key{Name: "topic.format", Type: config.String, Default: config.Default("${topic}-${timestamp}"), Importance: config.High,
		Doc: "The new topic name; ${topic} and ${timestamp} stand for the old one and the record's timestamp."},
	config.Key{Name: "timestamp.format", Type: config.String, Default: config.Default("yyyyMMdd"), Importance: config.High,
		Doc: "How the timestamp is written, as a pattern of Java's SimpleDateFormat; in UTC."},
)

// TimestampRouter puts the timestamp of a record into its topic's name.
type TimestampRouter struct {
	topic, pattern string
	format         *simpledate.Format // compiled at the first record, as in Java
	text           []byte
}

var _ connect.Transformation = (*TimestampRouter)(nil)

// Configure implements connect.Transformation.
func (t *TimestampRouter) Configure(m config.Map) error {
	v, err := parse(timestampRouterDef, m)
	if err != nil {
		return err
	}
	t.topic, t.pattern = v.String("topic.format"), v.String("timestamp.format")
	return nil
}

// Apply implements connect.Transformation.
func (t *TimestampRouter) Apply(r *connect.Record) (bool, error) {
	if r.Timestamp == connect.NoTimestamp {
		return false, connect.NewDataError("Timestamp missing on record: "+r.String(), nil)
	}
	if t.format == nil {
		f, err := simpledate.Compile(t.pattern, time.Now())
		if err != nil {
			return false, badPattern(err)
		}
		t.format = f
	}
	if r.Topic == connect.NoTopic {
		return false, &connect.Error{Class: connect.ClassNullPointer, Kind: connect.Data, Message: `Cannot invoke "String.indexOf(int)" because "s" is null`}
	}
	t.text = t.format.Append(t.text[:0], r.Timestamp)
	// One after the other: a topic's own ${timestamp} is filled in too.
	topic := strings.ReplaceAll(t.topic, "${topic}", r.Topic)
	r.Topic = strings.ReplaceAll(topic, "${timestamp}", string(t.text))
	return true, nil
}

func badPattern(err error) error {
	var bad simpledate.PatternError
	if errors.As(err, &bad) {
		return &connect.Error{Class: connect.ClassIllegalArgument, Kind: connect.Data, Message: string(bad)}
	}
	return err
}
