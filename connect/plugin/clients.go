package plugin

import (
	_ "embed"
	"strings"

	"kconnect/connect/config"
)

// clientKeys is what Java's producer, consumer and admin client can be told:
// the kinds of clients, name, type, default and importance of each key. A
// default is NULL, REQUIRED for none, or a text after an equals sign. It is
// here because a validate answer shows an override with its definition.
//
//go:embed clients.tsv
var clientKeys string

// clientDef returns the keys of one kind of client: producer, consumer or
// admin. Nothing in it checks values: the Java worker only reads overrides as
// what their type is.
func clientDef(kind string) *config.Def {
	types := map[string]config.Type{}
	for _, t := range []config.Type{config.String, config.Boolean, config.Int, config.Short, config.Long, config.Double, config.List, config.Class, config.Password} {
		types[t.String()] = t
	}
	importances := map[string]config.Importance{}
	for _, i := range []config.Importance{config.Low, config.Medium, config.High} {
		importances[i.String()] = i
	}
	var keys []config.Key
	for line := range strings.Lines(clientKeys) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if !strings.Contains(field[0], kind) {
			continue
		}
		k := config.Key{
			Name: field[1], Type: types[field[2]], Importance: importances[field[4]],
			Doc: "A setting of the connector's own " + kind + " client.",
		}
		if text, ok := strings.CutPrefix(field[3], "="); ok {
			k.Default = &text
		}
		k.Required = field[3] == "REQUIRED"
		keys = append(keys, k)
	}
	return config.NewDef(keys...)
}
