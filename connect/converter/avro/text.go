package avro

import (
	"strconv"

	"kconnect/connect/converter/jsontree"
)

// appendSchema appends the text of n as Java's Schema.toString writes it, to
// the order of the members: registries take texts apart by their bytes.
func appendSchema(dst []byte, n *node) []byte {
	w := textWriter{map[string]bool{}}
	return w.append(dst, n, "")
}

type textWriter struct{ defined map[string]bool }

func (w *textWriter) append(dst []byte, n *node, space string) []byte {
	if n.kind == unionKind {
		dst = append(dst, '[')
		for i, b := range n.branches {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = w.append(dst, b, space)
		}
		return append(dst, ']')
	}
	if n.kind.named() {
		if w.defined[n.fullName()] {
			if n.space == space {
				return jsontree.AppendString(dst, n.name)
			}
			return jsontree.AppendString(dst, n.fullName())
		}
		w.defined[n.fullName()] = true
		return w.appendNamed(dst, n, space)
	}
	if n.items == nil && len(n.props.Members) == 0 {
		return jsontree.AppendString(dst, n.kind.String())
	}
	dst = jsontree.AppendString(append(dst, `{"type":`...), n.kind.String())
	if n.items != nil {
		member := `,"items":`
		if n.kind == mapKind {
			member = `,"values":`
		}
		dst = w.append(append(dst, member...), n.items, space)
	}
	return append(appendProps(dst, n), '}')
}

func (w *textWriter) appendNamed(dst []byte, n *node, space string) []byte {
	dst = jsontree.AppendString(append(dst, `{"type":`...), n.kind.String())
	dst = jsontree.AppendString(append(dst, `,"name":`...), n.name)
	if n.space != space {
		dst = jsontree.AppendString(append(dst, `,"namespace":`...), n.space)
	}
	dst = appendDoc(dst, n.doc)
	switch n.kind {
	case recordKind:
		dst = append(dst, `,"fields":[`...)
		for i := range n.fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = w.appendField(dst, &n.fields[i], n.space)
		}
		dst = append(dst, ']')
	case enumKind:
		dst = appendTexts(append(dst, `,"symbols":`...), n.symbols)
		if n.enumDefault != nil {
			dst = jsontree.AppendString(append(dst, `,"default":`...), *n.enumDefault)
		}
	case fixedKind:
		dst = strconv.AppendInt(append(dst, `,"size":`...), int64(n.size), 10)
	}
	dst = appendProps(dst, n)
	if n.aliases != nil {
		dst = appendTexts(append(dst, `,"aliases":`...), n.aliases)
	}
	return append(dst, '}')
}

func (w *textWriter) appendField(dst []byte, f *field, space string) []byte {
	dst = jsontree.AppendString(append(dst, `{"name":`...), f.name)
	dst = w.append(append(dst, `,"type":`...), f.node, space)
	dst = appendDoc(dst, f.doc)
	if f.hasDefault {
		dst = jsontree.Append(append(dst, `,"default":`...), f.def)
	}
	return append(dst, '}')
}

func appendDoc(dst []byte, doc *string) []byte {
	if doc == nil {
		return dst
	}
	return jsontree.AppendString(append(dst, `,"doc":`...), *doc)
}

func appendTexts(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontree.AppendString(dst, s)
	}
	return append(dst, ']')
}

func appendProps(dst []byte, n *node) []byte {
	for _, m := range n.props.Members {
		dst = jsontree.AppendString(append(dst, ','), m.Name)
		dst = jsontree.Append(append(dst, ':'), m.Value)
	}
	return dst
}
