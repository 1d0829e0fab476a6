"""The messages of the tests, made without a compiler, and their JSON form."""
import datetime
import decimal

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2, wrappers_pb2
from google.type import date_pb2, timeofday_pb2
from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.confluent.types import decimal_pb2  # noqa: F401, it brings confluent.type.Decimal
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

F = descriptor_pb2.FieldDescriptorProto
TYPES = {n[5:].lower(): v for n, v in F.Type.items()}


def field(m, name, number, typ, label="optional", **more):
    f = m.field.add(name=name, number=number, label=F.Label.Value("LABEL_" + label.upper()))
    if typ in TYPES:
        f.type = TYPES[typ]
    else:
        f.type, f.type_name = (F.TYPE_ENUM if more.pop("enum", False) else F.TYPE_MESSAGE), "." + typ
    for k, v in more.items():
        setattr(f, k, v)
    return f


def entry(m, name, value):
    e = m.nested_type.add(name=name)
    field(e, "key", 1, "string")
    field(e, "value", 2, value)
    e.options.map_entry = True


SCALARS = ["double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "bytes", "uint32", "sfixed32", "sfixed64", "sint32", "sint64"]


def everything(name, extra):
    file = descriptor_pb2.FileDescriptorProto(name=name, package="com.example." + name.split(".")[0], syntax="proto3")
    file.dependency.extend(["google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto", "google/type/date.proto", "google/type/timeofday.proto", "confluent/type/decimal.proto"])
    full = file.package + ".Everything"
    first = file.message_type.add(name="First")
    field(first, "x", 1, "int32")
    m = file.message_type.add(name="Everything")
    for i, t in enumerate(SCALARS):
        field(m, t + "_field", i + 1, t)
    e = m.enum_type.add(name="Colour")
    for i, n in enumerate(["RED", "GREEN"]):
        e.value.add(name=n, number=i)
    inner = m.nested_type.add(name="Inner")
    field(inner, "a", 1, "string")
    entry(m, "CountsEntry", "int64")
    field(m, "colour", 20, full + ".Colour", enum=True)
    field(m, "inner", 21, full + ".Inner")
    field(m, "list", 22, "int32", "repeated")
    field(m, "inners", 23, full + ".Inner", "repeated")
    field(m, "counts", 24, full + ".CountsEntry", "repeated")
    field(m, "stamp", 25, "google.protobuf.Timestamp")
    field(m, "date", 26, "google.type.Date")
    field(m, "time", 27, "google.type.TimeOfDay")
    field(m, "amount", 28, "confluent.type.Decimal")
    field(m, "words", 29, "string", "repeated")
    m.oneof_decl.add(name="choice")
    field(m, "text", 30, "string", oneof_index=0)
    field(m, "number", 31, "int64", oneof_index=0)
    m.oneof_decl.add(name="_maybe")
    field(m, "maybe", 32, "int32", oneof_index=1, proto3_optional=True)
    if extra:
        field(m, "added", 40, "string")
    descriptor_pool.Default().Add(file)
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full))


def write(client, show):
    def case(name, topic, cls, value, expected):
        s = ProtobufSerializer(cls, client, {"use.deprecated.format": False})
        return name, topic, s(value, SerializationContext(topic, MessageField.VALUE)), show(expected)

    Old, New = everything("one.proto", False), everything("two.proto", True)
    empty = {t + "_field": {"bool": False, "string": "", "bytes": b""}.get(t, 0) for t in SCALARS}
    empty.update(colour="RED", inner=None, list=[], inners=[], counts={}, stamp=None, date=None, time=None, amount=None, words=[], choice_0=None, maybe=None)
    yield case("empty", "protobuf-all", Old, Old(), empty)
    numbers = dict(double_field=-2.5e-300, float_field=1.5, int64_field=-2**63, uint64_field=2**63 - 1, int32_field=-2**31, fixed64_field=5, fixed32_field=2**32 - 1, bool_field=True,
                   string_field="Grüße 🚀", bytes_field=b"\x00\xff", uint32_field=2**32 - 1, sfixed32_field=-7, sfixed64_field=-8, sint32_field=-2**31, sint64_field=-2**63)
    stamp = datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=datetime.timezone.utc)
    m = Old(colour=1, list=[1, -2, 3], words=["a", ""], counts={"one": 1, "minus": -1}, text="chosen", maybe=0, **numbers)
    m.inner.a = "in"
    m.inners.add(a="p")
    m.inners.add()
    m.stamp.FromDatetime(stamp)
    m.date.CopyFrom(date_pb2.Date(year=2024, month=2, day=29))
    m.time.CopyFrom(timeofday_pb2.TimeOfDay(hours=23, minutes=59, seconds=59, nanos=999000000))
    m.amount.value, m.amount.precision, m.amount.scale = (-12345).to_bytes(2, "big", signed=True), 5, 2
    expected = dict(empty, colour="GREEN", inner={"a": "in"}, list=[1, -2, 3], inners=[{"a": "p"}, {"a": ""}], counts={"one": 1, "minus": -1}, stamp=stamp, date=datetime.date(2024, 2, 29),
                    time=datetime.time(23, 59, 59, 999000), amount=decimal.Decimal("-123.45"), words=["a", ""], choice_0={"text": "chosen", "number": None}, maybe=0, **numbers)
    yield case("everything", "protobuf-all", Old, m, expected)
    m = New(number=9, added="new")
    expected = dict(empty, choice_0={"text": None, "number": 9}, added="new")
    yield case("version-2", "protobuf-new", New, m, expected)
    yield case("wrapper", "protobuf-string", wrappers_pb2.StringValue, wrappers_pb2.StringValue(value="top"), "top")


class reader:
    """Reads what was written by the schema that the registry has."""

    def __init__(self, client):
        self.client = client

    def __call__(self, b, ctx):
        id = int.from_bytes(b[1:5], "big")
        schema = self.client.get_schema(id, None, "serialized").schema_str
        import base64
        file = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(schema))
        file.name = "read%d.proto" % id
        pool = descriptor_pool.Default()
        if file.package == "google.protobuf":
            cls = getattr(wrappers_pb2, "StringValue")
        else:
            pool.Add(file)
            cls = message_factory.GetMessageClass(pool.FindMessageTypeByName(file.package + "." + file.message_type[0].name))
        m = ProtobufDeserializer(cls, {"use.deprecated.format": False})(b, ctx)
        from google.protobuf import json_format
        return json_format.MessageToDict(m, preserving_proto_field_name=True)
