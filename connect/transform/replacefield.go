package transform

import (
	"strings"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

const replacePurpose = "field replacement"

var replaceFieldDef = config.NewDef(
	config.Key{Name: "exclude", Type: config.List, Default: config.Default(""), Importance: config.Medium, Validate: config.UniqueList(),
		Doc: "Fields that are left out; they win over include."},
	config.Key{Name: "include", Type: config.List, Default: config.Default(""), Importance: config.Medium, Validate: config.UniqueList(),
		Doc: "Fields that are kept; empty keeps all."},
	config.Key{Name: "renames", Type: config.List, Default: config.Default(""), Importance: config.Medium, Validate: pairs("renames", "rename mapping"),
		Doc: "New names, as old:new."},
	replaceNullKey,
)

// pairs checks a list of a:b.
func pairs(key, what string) config.Validator {
	return config.Func("list of colon-delimited pairs, e.g. foo:bar,abc:xyz", func(_ string, v any) error {
		list, _ := v.([]string)
		for _, p := range list {
			if parts := strings.Split(p, ":"); len(parts) != 2 || parts[1] == "" {
				return config.Invalid(key, list, "Invalid "+what+": "+p)
			}
		}
		return nil
	})
}

// ReplaceField leaves out, keeps and renames the fields of the top level.
type ReplaceField struct {
	side             side
	exclude, include map[string]bool
	renames, origin  map[string]string
	replace          bool
	schemas          derived[*arrangement]
}

var _ connect.Transformation = (*ReplaceField)(nil)

// Configure implements connect.Transformation.
func (t *ReplaceField) Configure(m config.Map) error {
	v, err := parse(replaceFieldDef, m)
	if err != nil {
		return err
	}
	t.exclude, t.include = set(v.List("exclude")), set(v.List("include"))
	t.renames, t.origin = make(map[string]string), make(map[string]string)
	for _, p := range v.List("renames") {
		from, to, _ := strings.Cut(p, ":")
		t.renames[from], t.origin[to] = to, from
	}
	t.replace = v.Bool("replace.null.with.default")
	return nil
}

func set(list []string) map[string]bool {
	s := make(map[string]bool, len(list))
	for _, x := range list {
		s[x] = true
	}
	return s
}

func (t *ReplaceField) keeps(field string) bool {
	return !t.exclude[field] && (len(t.include) == 0 || t.include[field])
}

func (t *ReplaceField) renamed(field string) string {
	if to, ok := t.renames[field]; ok {
		return to
	}
	return field
}

// original is the name that a field had before.
func (t *ReplaceField) original(field string) string {
	if from, ok := t.origin[field]; ok {
		return from
	}
	return field
}

// Apply implements connect.Transformation.
func (t *ReplaceField) Apply(r *connect.Record) (bool, error) {
	schema, value := t.side.get(r)
	if value.IsNull() {
		return true, nil
	}
	if schema == nil {
		from, err := mapOf(value, replacePurpose)
		if err != nil {
			return false, err
		}
		to := &data.Map{Entries: make([]data.Entry, 0, len(from.Entries))}
		for _, e := range from.Entries {
			switch e.Key.Kind() {
			case data.KindString:
				if name := e.Key.Str(); t.keeps(name) {
					to.Put(t.renamed(name), e.Value)
				}
			case data.KindNull: // has no name to exclude or rename
				if len(t.include) == 0 {
					to.Entries = append(to.Entries, e)
				}
			default:
				return false, wrongClass(e.Key, stringClass)
			}
		}
		t.side.set(r, nil, data.MapOf(to))
		return true, nil
	}
	from, err := structOf(value, replacePurpose)
	if err != nil {
		return false, err
	}
	return true, rearrange(t, &t.schemas, r, from.Schema(), from)
}

func (t *ReplaceField) arranges() side { return t.side }

func (t *ReplaceField) arrange(s *data.Schema) (*arrangement, error) {
	b := data.NewStructBuilder().Like(s)
	for _, f := range s.Fields() {
		if t.keeps(f.Name) {
			b.Field(t.renamed(f.Name), f.Schema)
		}
	}
	to, err := b.Build()
	if err != nil {
		return nil, err
	}
	a := &arrangement{schema: to}
	for _, f := range to.Fields() {
		o := copied(&f, s.Field(t.original(f.Name)), t.replace)
		if o.from < 0 {
			missing := connect.NewDataError(t.original(f.Name)+" is not a valid field name", nil)
			o.made = func(*connect.Record) (data.Value, error) { return data.Null, missing }
		}
		a.fields = append(a.fields, o)
	}
	return a, nil
}
