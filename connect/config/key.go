package config

// Type is the type of a key's value.
type Type uint8

// The types of Kafka's configuration definitions.
const (
	String Type = iota
	Boolean
	Int    // 32 bits
	Short  // 16 bits
	Long   // 64 bits
	Double // 64 bits
	List   // texts separated by commas
	Class  // a class name, kept as text
	Password
)

var typeNames = [...]string{"STRING", "BOOLEAN", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}

// String returns the name that REST answers and messages show, in upper case.
func (t Type) String() string { return typeNames[t] }

// Importance tells readers of a reference which keys to look at first.
type Importance uint8

// The importances, the least first.
const (
	Low Importance = iota
	Medium
	High
)

// String returns the name that REST answers show.
func (i Importance) String() string { return [...]string{"LOW", "MEDIUM", "HIGH"}[i] }

// Width is a hint for user interfaces: how wide the input of a value should be.
type Width uint8

// The widths.
const (
	NoWidth Width = iota
	ShortWidth
	MediumWidth
	LongWidth
)

// String returns the name that REST answers show.
func (w Width) String() string { return [...]string{"NONE", "SHORT", "MEDIUM", "LONG"}[w] }

// Key defines one configuration key.
type Key struct {
	Name string
	Type Type

	// Default is the text that counts when the key is absent, read like a
	// user's text. nil means a null default, or none at all with Required.
	Default  *string
	Required bool // the key must be given; it has no default then

	Importance Importance
	Doc        string // one or two sentences for the reference; plain text
	Group      string // heading under which user interfaces show the key; empty for none
	Order      int    // place in Group; without a group REST shows -1
	Width      Width
	Display    string   // name for people; empty means Name
	Dependents []string // keys whose meaning depends on this one's value

	// Validate checks the parsed value. It also sees the null of a key that is
	// absent or does not parse, as in Java; nil accepts everything.
	Validate Validator

	// Resolve turns the text of a Class key into the full name of a class that
	// exists. nil keeps the text. An error becomes the key's error.
	Resolve func(text string) (string, error)

	// Recommend lists the values a user interface may offer; Visible says
	// whether the key matters under the configuration. cfg holds the parsed
	// values of the whole definition, written as text; secrets are [hidden] in
	// it and nulls absent. nil: no recommendation, always visible.
	Recommend func(cfg Map) []string
	Visible   func(cfg Map) bool

	// Internal keys are left out of the reference. REST lists them, as Java
	// does, in a group with an empty name (golden rest 15-plugins).
	Internal bool
}

// GroupName returns the group as REST shows it, and false for null.
func (k *Key) GroupName() (string, bool) { return k.Group, k.Internal || k.Group != "" }

// OrderInGroup returns the place in the group as REST shows it: -1 for a key
// without a group.
func (k *Key) OrderInGroup() int {
	if k.Group == "" {
		return -1
	}
	return k.Order
}

// DisplayName returns the name for people.
func (k *Key) DisplayName() string {
	if k.Display == "" {
		return k.Name
	}
	return k.Display
}

// DefaultText returns the default as REST shows it: nil for null and for
// none, [hidden] for a secret, a list without blanks around its commas.
func (k *Key) DefaultText() *string {
	if k.Default == nil {
		return nil
	}
	v, err := parseText(k, *k.Default, false)
	if err != nil {
		return k.Default // NewDef refuses such a key
	}
	return valueText(v)
}

// Default returns a pointer to s, for Key.Default.
func Default(s string) *string { return &s }
