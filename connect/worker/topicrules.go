package worker

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"kconnect/connect/config"
)

// topicGroup is one rule of topic.creation.groups.
type topicGroup struct {
	name             string
	include, exclude []*config.Pattern
	partitions       int32
	replication      int16
	settings         map[string]*string
}

// defaultGroup is the rule for all topics that no other one matches.
const defaultGroup = "default"

// newTopicGroups reads the topic.creation.* keys, the default group last. A
// configuration without any has no rules (nil).
func newTopicGroups(m config.Map) ([]topicGroup, error) {
	const prefix = "topic.creation."
	if len(m.WithPrefix(prefix)) == 0 {
		return nil, nil
	}
	base, err := newTopicGroup(m, prefix, defaultGroup, nil)
	if err != nil {
		return nil, err
	}
	listed, err := groupsDef.Parse(m)
	if err != nil {
		return nil, err
	}
	var all []topicGroup
	for _, name := range listed.List(prefix + "groups") {
		if name == defaultGroup || slices.ContainsFunc(all, func(g topicGroup) bool { return g.name == name }) {
			continue
		}
		g, err := newTopicGroup(m, prefix, name, &base)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return append(all, base), nil
}

var groupsDef = config.NewDef(config.Key{Name: "topic.creation.groups", Type: config.List, Default: config.Default("")})

// newTopicGroup reads one rule. Without a base it is the default one.
func newTopicGroup(m config.Map, prefix, name string, base *topicGroup) (topicGroup, error) {
	prefix += name + "."
	replication := config.Key{Name: prefix + "replication.factor", Type: config.Short, Validate: unprefixed("replication.factor", config.ReplicationFactor())}
	partitions := config.Key{Name: prefix + "partitions", Type: config.Int, Validate: unprefixed("partitions", config.Partitions())}
	include := config.Key{Name: prefix + "include", Type: config.List, Default: config.Default(""), Validate: unprefixed("include", patterns)}
	exclude := config.Key{Name: prefix + "exclude", Type: config.List, Default: config.Default(""), Validate: unprefixed("exclude", patterns)}
	if base == nil {
		replication.Required, partitions.Required = true, true
		include.Validate, exclude.Validate = nil, nil // the default rule is for all topics
	} else {
		replication.Default = config.Default(strconv.Itoa(int(base.replication)))
		partitions.Default = config.Default(strconv.Itoa(int(base.partitions)))
	}
	v, err := config.NewDef(replication, partitions, include, exclude).Parse(m)
	if err != nil {
		var first *config.Error
		if errors.As(err, &first) {
			err = first // Java names one at a time
		}
		return topicGroup{}, err
	}
	g := topicGroup{name: name, settings: make(map[string]*string),
		partitions: int32(v.Int(partitions.Name)), replication: v.Short(replication.Name)}
	if base != nil {
		g.include, g.exclude = compiled(v.List(include.Name)), compiled(v.List(exclude.Name))
	}
	for key, value := range m.WithPrefix(prefix) {
		switch key {
		case "include", "exclude", "partitions", "replication.factor":
		default:
			g.settings[key] = &value
		}
	}
	return g, nil
}

// unprefixed lets a validator name its key without the group, as Java's do.
func unprefixed(name string, v config.Validator) config.Validator {
	return config.Func(v.String(), func(_ string, value any) error { return v.Check(name, value) })
}

// patterns checks a list of regular expressions.
var patterns = config.Func("a list of regular expressions", func(key string, v any) error {
	list, _ := v.([]string)
	for _, p := range list {
		if _, err := config.CompilePattern(p); err != nil {
			return config.Invalid(key, "["+strings.Join(list, ", ")+"]", "Syntax error in regular expression: "+err.Error())
		}
	}
	return nil
})

// compiled returns expressions that were checked.
func compiled(list []string) []*config.Pattern {
	var all []*config.Pattern
	for _, text := range list {
		if p, err := config.CompilePattern(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// matches reports whether the rule is for a topic. What is excluded is not,
// whatever includes it.
func (g *topicGroup) matches(topic string) bool {
	matching := func(p *config.Pattern) bool {
		ok, err := p.Matches(topic)
		return ok && err == nil // a match that explodes is none
	}
	if g.name == defaultGroup {
		return true
	}
	return !slices.ContainsFunc(g.exclude, matching) && slices.ContainsFunc(g.include, matching)
}
