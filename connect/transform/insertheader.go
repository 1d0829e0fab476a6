package transform

import (
	"slices"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

var (
	insertHeaderDef = config.NewDef(
		config.Key{Name: "header", Type: config.String, Required: true, Importance: config.High, Validate: config.NonNull(), Doc: "The key of the header."},
		config.Key{Name: "value.literal", Type: config.String, Required: true, Importance: config.High, Validate: config.NonNull(),
			Doc: "The value, read as header values are: numbers, true and false, dates, lists and maps, otherwise text."},
	)
	dropHeadersDef = config.NewDef(config.Key{Name: "headers", Type: config.List, Required: true, Importance: config.High, Validate: config.NonEmptyUniqueList(),
		Doc: "The keys of the headers that are removed."})
)

// InsertHeader adds the same header to every record.
type InsertHeader struct{ header connect.Header }

var _ connect.Transformation = (*InsertHeader)(nil)

// Configure implements connect.Transformation.
func (t *InsertHeader) Configure(m config.Map) error {
	v, err := parse(insertHeaderDef, m)
	if err != nil {
		return err
	}
	schema, value, isNull := data.ParseText(v.String("value.literal"))
	if isNull {
		schema, value = nil, data.Null
	}
	t.header = connect.Header{Key: v.String("header"), Schema: schema, Value: value}
	return nil
}

// Apply implements connect.Transformation.
func (t *InsertHeader) Apply(r *connect.Record) (bool, error) {
	r.Headers = append(slices.Clip(r.Headers), t.header)
	return true, nil
}

// DropHeaders removes headers by their keys.
type DropHeaders struct{ keys map[string]bool }

var _ connect.Transformation = (*DropHeaders)(nil)

// Configure implements connect.Transformation.
func (t *DropHeaders) Configure(m config.Map) error {
	v, err := parse(dropHeadersDef, m)
	if err != nil {
		return err
	}
	t.keys = make(map[string]bool)
	for _, k := range v.List("headers") {
		t.keys[k] = true
	}
	return nil
}

// Apply implements connect.Transformation.
func (t *DropHeaders) Apply(r *connect.Record) (bool, error) {
	drop := func(h connect.Header) bool { return t.keys[h.Key] }
	if slices.ContainsFunc(r.Headers, drop) {
		r.Headers = slices.DeleteFunc(slices.Clone(r.Headers), drop)
	}
	return true, nil
}
