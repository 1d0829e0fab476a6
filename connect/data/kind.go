package data

// Type is the type of a schema.
type Type uint8

// The types of schemas, in the order of their Java enumeration.
const (
	Int8 Type = iota + 1
	Int16
	Int32
	Int64
	Float32
	Float64
	Boolean
	String
	Bytes
	Array
	MapType
	StructType
)

var typeNames = [...]string{"", "INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64", "BOOLEAN", "STRING", "BYTES", "ARRAY", "MAP", "STRUCT"}

// String returns the upper-case name that messages use, such as INT32.
func (t Type) String() string { return typeNames[t] }

// Primitive reports whether t is neither array, map nor struct.
func (t Type) Primitive() bool { return t >= Int8 && t <= Bytes }

// Kind is the runtime type of a Value.
type Kind uint8

// The kinds of values. KindInstant is the one runtime type of the logical
// types Date, Time and Timestamp; KindObject stands for an object that is
// outside the data model and of which only the class name is known.
const (
	KindNull Kind = iota
	KindBool
	KindInt8
	KindInt16
	KindInt32
	KindInt64
	KindFloat32
	KindFloat64
	KindString
	KindBytes
	KindDecimal
	KindBigInt
	KindInstant
	KindArray
	KindMap
	KindStruct
	KindObject
)

// javaClasses are the classes of the Java worker for each kind, by which
// messages name values of the wrong type.
var javaClasses = [...]string{
	KindNull:    "null",
	KindBool:    "java.lang.Boolean",
	KindInt8:    "java.lang.Byte",
	KindInt16:   "java.lang.Short",
	KindInt32:   "java.lang.Integer",
	KindInt64:   "java.lang.Long",
	KindFloat32: "java.lang.Float",
	KindFloat64: "java.lang.Double",
	KindString:  "java.lang.String",
	KindBytes:   "[B",
	KindDecimal: "java.math.BigDecimal",
	KindBigInt:  "java.math.BigInteger",
	KindInstant: "java.util.Date",
	KindArray:   "java.util.ArrayList",
	KindMap:     "java.util.LinkedHashMap",
	KindStruct:  "org.apache.kafka.connect.data.Struct",
}

// JavaClass returns the class name that messages of the Java worker have for v.
func (v Value) JavaClass() string {
	if v.kind == KindObject {
		return v.Str()[:v.scale]
	}
	return javaClasses[v.kind]
}

// The names by which logical types are recognised; neither version nor base
// type matters (golden data-model, "logical by name").
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"
)

// DecimalScale is the schema parameter that holds the scale of a Decimal.
const DecimalScale = "scale"
