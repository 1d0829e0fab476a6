package transform

import (
	"kconnect/connect"
	"kconnect/connect/config"
)

var (
	hasHeaderDef = config.NewDef(config.Key{Name: "name", Type: config.String, Required: true, Importance: config.Medium, Validate: config.NonEmpty(),
		Doc: "The key of the header."})
	tombstoneDef  = config.NewDef()
	topicMatchDef = config.NewDef(config.Key{Name: "pattern", Type: config.String, Required: true, Importance: config.Medium, Validate: config.All(config.NonEmpty(), config.Regex()),
		Doc: "A Java regular expression that the whole topic name must match."})
)

// HasHeaderKey holds for records that have a header of a key.
type HasHeaderKey struct{ name string }

var _ connect.Predicate = (*HasHeaderKey)(nil)

// Configure implements connect.Predicate.
func (p *HasHeaderKey) Configure(m config.Map) error {
	v, err := parse(hasHeaderDef, m)
	if err == nil {
		p.name = v.String("name")
	}
	return err
}

// Test implements connect.Predicate.
func (p *HasHeaderKey) Test(r *connect.Record) (bool, error) {
	for i := range r.Headers {
		if r.Headers[i].Key == p.name {
			return true, nil
		}
	}
	return false, nil
}

// RecordIsTombstone holds for records whose value is null.
type RecordIsTombstone struct{}

var _ connect.Predicate = RecordIsTombstone{}

// Configure implements connect.Predicate.
func (RecordIsTombstone) Configure(config.Map) error { return nil }

// Test implements connect.Predicate.
func (RecordIsTombstone) Test(r *connect.Record) (bool, error) { return r.Value.IsNull(), nil }

// TopicNameMatches holds for records of topics whose whole name matches. It
// remembers the answer for the topic that it was asked about last.
type TopicNameMatches struct {
	pattern *config.Pattern
	topic   string
	match   bool
	asked   bool
}

var _ connect.Predicate = (*TopicNameMatches)(nil)

// Configure implements connect.Predicate.
func (p *TopicNameMatches) Configure(m config.Map) error {
	v, err := parse(topicMatchDef, m)
	if err != nil {
		return err
	}
	if p.pattern, err = config.CompilePattern(v.String("pattern")); err != nil {
		return config.Invalid("pattern", v.String("pattern"), "Invalid regex: "+err.Error())
	}
	return nil
}

// Test implements connect.Predicate.
func (p *TopicNameMatches) Test(r *connect.Record) (bool, error) {
	if r.Topic == connect.NoTopic {
		return false, nil // no topic has no name
	}
	if !p.asked || r.Topic != p.topic {
		match, err := p.pattern.Matches(r.Topic)
		if err != nil {
			return false, err
		}
		p.topic, p.match, p.asked = r.Topic, match, true
	}
	return p.match, nil
}
