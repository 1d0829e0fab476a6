package protobuf

import (
	"context"
	"embed"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"kconnect/connect/converter/registry"
)

//go:embed known/*.proto
var known embed.FS

// knownFiles may be imported without being registered, beside those of
// google/protobuf.
var knownFiles = map[string]string{
	"confluent/meta.proto": "meta", "confluent/type/decimal.proto": "decimal", "confluent/types/decimal.proto": "decimal",
	"google/type/date.proto": "date", "google/type/timeofday.proto": "timeofday",
}

// mainFile is the name of the schema itself; nothing can import it.
const mainFile = "/schema.proto"

var errMissing = errors.New("it is not among the references of the schema: register it as one")

// compile makes descriptors of a schema: the text of a .proto file, or a file
// descriptor in Base64, as some clients register it.
func compile(text string, references []registry.Named) (protoreflect.FileDescriptor, error) {
	files := map[string]string{mainFile: text}
	for _, r := range references {
		files[r.Name] = r.Text
	}
	resolver := protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) {
		if text, ok := files[path]; ok {
			return source(path, text)
		}
		if name, ok := knownFiles[path]; ok {
			b, err := known.ReadFile("known/" + name + ".proto")
			return protocompile.SearchResult{Source: strings.NewReader(string(b))}, err
		}
		return protocompile.SearchResult{}, errMissing
	})
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(resolver), MaxParallelism: 1}
	compiled, err := c.Compile(context.Background(), mainFile)
	if err != nil {
		return nil, err
	}
	return compiled[0], nil
}

func source(path, text string) (protocompile.SearchResult, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(b) == 0 {
		return protocompile.SearchResult{Source: strings.NewReader(text)}, nil
	}
	file := &descriptorpb.FileDescriptorProto{}
	if err := proto.Unmarshal(b, file); err != nil {
		return protocompile.SearchResult{}, err
	}
	file.Name = proto.String(path)
	for _, m := range file.MessageType {
		nameForJSON(m)
	}
	return protocompile.SearchResult{Proto: file}, nil
}

// nameForJSON gives the fields of a message the names that they have in JSON,
// which the compiler wants to see and file descriptors of Python lack.
func nameForJSON(m *descriptorpb.DescriptorProto) {
	for _, f := range m.Field {
		if f.GetJsonName() == "" {
			f.JsonName = proto.String(lowerCamel(f.GetName()))
		}
	}
	for _, inner := range m.NestedType {
		nameForJSON(inner)
	}
}

// lowerCamel writes a name in lower camel case.
func lowerCamel(name string) string {
	var b strings.Builder
	upper := false
	for _, r := range name {
		if r == '_' {
			upper = true
			continue
		}
		if upper && r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		upper = false
		b.WriteRune(r)
	}
	return b.String()
}

// params returns the parameters that a field has in its options. They are
// read from the bytes of the options, which need no type for that.
func params(fd protoreflect.FieldDescriptor) map[string]string {
	b, err := proto.Marshal(fd.Options())
	if err != nil || len(b) == 0 {
		return nil
	}
	var out map[string]string
	eachField(b, 1088, func(meta []byte) {
		eachField(meta, 2, func(entry []byte) {
			var key, value string
			eachField(entry, 1, func(b []byte) { key = string(b) })
			eachField(entry, 2, func(b []byte) { value = string(b) })
			if out == nil {
				out = map[string]string{}
			}
			out[key] = value
		})
	})
	return out
}

// eachField calls f with every occurrence of a field that has a length.
func eachField(b []byte, number protowire.Number, f func([]byte)) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		size := protowire.ConsumeFieldValue(num, typ, b)
		if size < 0 {
			return
		}
		if num == number && typ == protowire.BytesType {
			if content, n := protowire.ConsumeBytes(b); n >= 0 {
				f(content)
			}
		}
		b = b[size:]
	}
}

// isMap reports whether a repeated message is the entries of a map: by the
// word of the file, or by its form, which the Java converter goes by.
func isMap(fd protoreflect.FieldDescriptor) bool {
	if fd.IsMap() {
		return true
	}
	if !fd.IsList() || fd.Kind() != protoreflect.MessageKind {
		return false
	}
	m := fd.Message()
	fields := m.Fields()
	return strings.HasSuffix(string(m.Name()), entrySuffix) && fields.Len() == 2 &&
		fields.Get(0).Name() == "key" && fields.Get(1).Name() == "value" && !fields.Get(0).IsList() && !fields.Get(1).IsList()
}

// realOneof returns the oneof of a field that is not one made for the keyword
// optional.
func realOneof(fd protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if o := fd.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o
	}
	return nil
}
