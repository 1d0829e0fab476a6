package transform

import (
	"kconnect/connect"
	"kconnect/connect/config"
)

var filterDef = config.NewDef()

// Filter drops every record that reaches it; a predicate decides which do.
type Filter struct{}

var _ connect.Transformation = Filter{}

// Configure implements connect.Transformation.
func (Filter) Configure(config.Map) error { return nil }

// Apply implements connect.Transformation.
func (Filter) Apply(*connect.Record) (bool, error) { return false, nil }
