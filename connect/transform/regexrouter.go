package transform

import (
	"errors"

	"kconnect/connect"
	"kconnect/connect/config"
)

var regexRouterDef = config.NewDef(
	config.Key{Name: "regex", Type: config.String, Required: true, Importance: config.High, Validate: config.Regex(),
		Doc: "A Java regular expression for whole topic names; topics that do not match keep theirs."},
	config.Key{Name: "replacement", Type: config.String, Required: true, Importance: config.High,
		Doc: "The new name, in which $1 and ${name} stand for groups of the expression."},
)

// RegexRouter renames topics. The whole name must match; then what the
// expression finds first is replaced, as in Java. A record without a topic is
// an error there, too.
type RegexRouter struct {
	pattern     *config.Pattern
	replacement string
	from, to    string // the topic that was renamed last, if one was routed
	routed      bool
}

var _ connect.Transformation = (*RegexRouter)(nil)

// Configure implements connect.Transformation.
func (t *RegexRouter) Configure(m config.Map) error {
	v, err := parse(regexRouterDef, m)
	if err != nil {
		return err
	}
	if t.pattern, err = config.CompilePattern(v.String("regex")); err != nil {
		return config.Invalid("regex", v.String("regex"), "Invalid regex: "+err.Error())
	}
	t.replacement = v.String("replacement")
	return nil
}

// Apply implements connect.Transformation.
func (t *RegexRouter) Apply(r *connect.Record) (bool, error) {
	if t.routed && r.Topic == t.from {
		r.Topic = t.to
		return true, nil
	}
	if r.Topic == connect.NoTopic {
		return false, &connect.Error{Class: connect.ClassNullPointer, Kind: connect.Data, Message: `Cannot invoke "java.lang.CharSequence.length()" because "this.text" is null`}
	}
	to := r.Topic
	match, err := t.pattern.Matches(r.Topic)
	if err == nil && match {
		to, err = t.pattern.ReplaceFirst(r.Topic, t.replacement)
	}
	if err != nil {
		var bad *config.ReplacementError
		if errors.As(err, &bad) {
			return false, &connect.Error{Class: bad.Class, Kind: connect.Data, Message: bad.Message}
		}
		return false, err
	}
	t.from, t.to, t.routed = r.Topic, to, true
	r.Topic = to
	return true, nil
}
