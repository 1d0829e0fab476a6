package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Markdown writes the reference of the keys: a table for each group, in
// definition order, without internal keys. A group without a name has no
// heading. The error is w's.
func (d *Def) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	var groups []string
	members := map[string][]*Key{}
	for i := range d.keys {
		k := &d.keys[i]
		if k.Internal {
			continue
		}
		if members[k.Group] == nil {
			groups = append(groups, k.Group)
		}
		members[k.Group] = append(members[k.Group], k)
	}
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(b)
		}
		if g != "" {
			fmt.Fprintf(b, "### %s\n\n", g)
		}
		fmt.Fprint(b, "| Key | Type | Default | Valid values | Importance | Meaning |\n|---|---|---|---|---|---|\n")
		for _, k := range members[g] {
			valid := ""
			if k.Validate != nil {
				valid = k.Validate.String()
			}
			fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s |\n", k.Name, strings.ToLower(k.Type.String()),
				markdownDefault(k), markdownCell(valid), strings.ToLower(k.Importance.String()), markdownCell(k.Doc))
		}
	}
	return b.Flush()
}

func markdownDefault(k *Key) string {
	text := k.DefaultText()
	switch {
	case k.Required:
		return "(required)"
	case text == nil:
		return "null"
	case *text == "":
		return "(empty)"
	}
	return "`" + strings.ReplaceAll(*text, "|", `\|`) + "`"
}

// markdownCell keeps a text from ending its cell or starting markup.
func markdownCell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`).Replace(s)
}
