package config

// Result is one entry of a validate answer.
type Result struct {
	Key         *Key     // the definition; must not be changed
	Value       *string  // as REST shows it: [hidden] for a secret, nil for null or unparsable
	Recommended []string // never nil
	Errors      []string // never nil; every fault, as Java words it
	Visible     bool
	Undefined   bool // no definition has the key, and Key tells no more than its name
}

// Validate checks m and returns one Result for every key, in definition order.
func (d *Def) Validate(m Map) []Result { return d.ValidateRaw(FromMap(m)) }

// ValidateRaw is Validate for a configuration with nulls: a null is parsed as
// null, it is not the absence of the key.
//
// As in Java the validator also sees the null of a value that does not parse,
// so that a bad number is named twice where the validator wants a value
// (golden rest 17-validate-jdbc, step "bad numbers").
func (d *Def) ValidateRaw(r Raw) []Result {
	results := make([]Result, len(d.keys))
	parsed := Map{}
	for i := range d.keys {
		k := &d.keys[i]
		res := Result{Key: k, Recommended: []string{}, Errors: []string{}, Visible: true}
		text, set := r[k.Name]
		v, err := d.value(i, text, set)
		if err != nil {
			res.Errors = append(res.Errors, err.Error())
		}
		if k.Validate != nil {
			if err := k.Validate.Check(k.Name, v); err != nil {
				res.Errors = append(res.Errors, err.Error())
			}
		}
		if res.Value = valueText(v); res.Value != nil {
			parsed[k.Name] = *res.Value
		}
		results[i] = res
	}
	// Recommenders look at each other's values, so they run after all are parsed.
	for i := range results {
		res := &results[i]
		if f := res.Key.Recommend; f != nil {
			res.Recommended = append(res.Recommended, f(parsed)...)
		}
		if f := res.Key.Visible; f != nil {
			res.Visible = f(parsed)
		}
	}
	return results
}
