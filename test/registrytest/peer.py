"""The other end of the tests: the serializers and deserializers of confluent-kafka, as its users run them.

peer.py write URL FORMAT    writes every case and prints a JSON line for each: case, topic, hex, expect
peer.py read URL FORMAT     reads JSON lines (topic, hex) and prints one with the value for each

Values are shown alike on both sides: bytes as 0x..., decimals as text, dates and times in ISO form, maps sorted.
"""
import datetime
import decimal
import json
import math
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.serialization import MessageField, SerializationContext

UTC = datetime.timezone.utc
D = decimal.Decimal


def show(v):
    if isinstance(v, bool) or v is None or isinstance(v, (int, str)):
        return v
    if isinstance(v, float):
        if math.isnan(v) or math.isinf(v):
            return repr(v)
        return v
    if isinstance(v, (bytes, bytearray)):
        return "0x" + bytes(v).hex()
    if isinstance(v, D):
        return str(v)
    if isinstance(v, datetime.datetime):
        return v.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (v.microsecond // 1000)
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, datetime.time):
        return v.strftime("%H:%M:%S.") + "%03d" % (v.microsecond // 1000)
    if isinstance(v, dict):
        return {k: show(e) for k, e in sorted(v.items())}
    if isinstance(v, (list, tuple)):
        return [show(e) for e in v]
    raise TypeError(type(v))


def record(name, *fields):
    return json.dumps({"type": "record", "name": name, "namespace": "com.example", "fields": [dict(zip(("name", "type", "default"), f)) for f in fields]})


def avro_cases():
    """(case, topic, schema text, references, value, expected)"""
    logical = lambda t, l, **k: dict(type=t, logicalType=l, **k)
    everything = record(
        "Everything",
        ("b", "boolean"), ("i", "int"), ("l", "long"), ("f", "float"), ("d", "double"), ("s", "string"), ("by", "bytes"),
        ("e", {"type": "enum", "name": "Colour", "symbols": ["RED", "GREEN"]}),
        ("fx", {"type": "fixed", "name": "Four", "size": 4}),
        ("a", {"type": "array", "items": "string"}), ("m", {"type": "map", "values": "long"}),
        ("n", {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": ["null", "string"]}]}),
        ("date", logical("int", "date")), ("time", logical("int", "time-millis")), ("ts", logical("long", "timestamp-millis")),
        ("dec", logical("bytes", "decimal", precision=20, scale=3)), ("uuid", logical("string", "uuid")),
        ("opt", ["null", "int"], None), ("uni", ["null", "string", "long", "Inner"], None), ("last", ["string", "null"], "none"),
    )
    value = dict(
        b=True, i=-2147483648, l=9223372036854775807, f=1.5, d=-2.25e-300, s="Grüße, 世界 🚀", by=b"\x00\xff",
        e="GREEN", fx=b"abcd", a=["x", "", "y"], m={"one": 1, "minus": -1}, n={"x": 7, "y": None},
        date=datetime.date(2024, 2, 29), time=datetime.time(23, 59, 59, 999000), ts=datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        dec=D("-12345678901234567.890"), uuid="123e4567-e89b-12d3-a456-426614174000", opt=None, uni=None, last="x",
    )
    yield "everything", "avro-all", everything, [], value, value
    other = dict(value, b=False, i=0, l=-1, a=[], m={}, n={"x": 0, "y": "z"}, opt=5, uni=12, last=None, dec=D("0.000"), date=datetime.date(1900, 1, 1), ts=datetime.datetime(9999, 12, 31, tzinfo=UTC))
    yield "everything-else", "avro-all", everything, [], other, other
    union = dict(value, uni={"x": 1, "y": "in a union"})
    yield "union-record", "avro-all", everything, [], union, union
    for name, text, v in [
        ("string", '{"type":"string"}', "top"), ("long", '{"type":"long"}', -5), ("double", '{"type":"double"}', 0.1), ("boolean", '{"type":"boolean"}', True), ("int", '{"type":"int"}', 300),
        ("array", '{"type":"array","items":"int"}', [1, 2, 3]), ("map", '{"type":"map","values":"string"}', {"k": "v"}),
    ]:
        yield "top-" + name, "avro-" + name, text, [], v, v
    yield "version-1", "avro-evolving", record("Person", ("id", "int"), ("name", "string")), [], dict(id=1, name="a"), dict(id=1, name="a")
    v = dict(id=2, name="b", mail="b@example.com", age=30)
    yield "version-2", "avro-evolving", record("Person", ("id", "int"), ("name", "string"), ("mail", ["null", "string"], None), ("age", "int", -1)), [], v, v
    address = record("Address", ("street", "string"))
    referring = record("Customer", ("name", "string"), ("home", "com.example.Address"), ("work", ["null", "com.example.Address"], None))
    v = dict(name="c", home={"street": "s"}, work={"street": "t"})
    yield "references", "avro-references", referring, [("com.example.Address", "address", address)], v, v


JSON_SCHEMA = json.dumps({
    "$schema": "http://json-schema.org/draft-07/schema#", "title": "Everything", "type": "object", "additionalProperties": False,
    "properties": {
        "b": {"type": "boolean"}, "i": {"type": "integer"}, "n": {"type": "number"}, "s": {"type": "string"},
        "e": {"type": "string", "enum": ["RED", "GREEN"]}, "a": {"type": "array", "items": {"type": "string"}},
        "o": {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}},
        "nullable": {"oneOf": [{"type": "null"}, {"type": "integer"}]}, "uni": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "types": {"type": ["null", "string"]},
    },
    "required": ["b", "i"],
})


def json_cases():
    value = dict(b=True, i=12345678901, n=-0.5, s="Grüße \"quoted\" 🚀\n", e="GREEN", a=["x", ""], o={"x": 1, "y": "z"}, nullable=None, uni=7, types="t")
    yield "everything", "json-all", JSON_SCHEMA, [], value, value
    other = dict(value, b=False, uni="text", nullable=3, types=None, a=[])
    yield "everything-else", "json-all", JSON_SCHEMA, [], other, other
    few = dict(b=False, i=0)
    yield "missing", "json-all", JSON_SCHEMA, [], few, dict(dict.fromkeys(value), **few)
    person = lambda **more: json.dumps({"title": "Person", "type": "object", "properties": dict({"id": {"type": "integer"}, "name": {"type": "string"}}, **more)})
    yield "version-1", "json-evolving", person(), [], dict(id=1, name="a"), dict(id=1, name="a")
    v = dict(id=2, name="b", mail="m")
    yield "version-2", "json-evolving", person(mail={"type": "string"}), [], v, v
    address = json.dumps({"title": "Address", "type": "object", "properties": {"street": {"type": "string"}}})
    customer = json.dumps({"title": "Customer", "type": "object", "properties": {"name": {"type": "string"}, "home": {"$ref": "address.json"}}})
    v = dict(name="c", home={"street": "s"})
    yield "references", "json-references", customer, [("address.json", "address", address)], v, v
    local = json.dumps({"title": "Local", "type": "object", "definitions": {"p": {"type": "object", "properties": {"x": {"type": "number"}}}}, "properties": {"p": {"$ref": "#/definitions/p"}}})
    yield "local-reference", "json-local", local, [], dict(p={"x": 1.5}), dict(p={"x": 1.5})


def serializer(client, form, text, references):
    for name, subject, referred in references:
        client.register_schema(subject, Schema(referred, "AVRO" if form == "avro" else "JSON"))
    refs = [SchemaReference(name, subject, 1) for name, subject, _ in references]
    if form == "avro":
        from confluent_kafka.schema_registry.avro import AvroSerializer
        return AvroSerializer(client, Schema(text, "AVRO", refs))
    from confluent_kafka.schema_registry.json_schema import JSONSerializer
    return JSONSerializer(Schema(text, "JSON", refs), client)


def write(client, form):
    if form == "protobuf":
        import peer_protobuf
        cases = peer_protobuf.write(client, show)
    else:
        cases = ((case, topic, serializer(client, form, text, refs)(value, SerializationContext(topic, MessageField.VALUE)), show(expected))
                 for case, topic, text, refs, value, expected in {"avro": avro_cases, "json": json_cases}[form]())
    for case, topic, b, expected in cases:
        print(json.dumps({"case": case, "topic": topic, "hex": b.hex(), "expect": expected}))


def read(client, form):
    if form == "avro":
        from confluent_kafka.schema_registry.avro import AvroDeserializer
        deserializer = AvroDeserializer(client)
    elif form == "json":
        from confluent_kafka.schema_registry.json_schema import JSONDeserializer
        deserializer = None
    else:
        import peer_protobuf
        deserializer = peer_protobuf.reader(client)
    for line in sys.stdin:
        r = json.loads(line)
        b = bytes.fromhex(r["hex"])
        if form == "json":
            text = client.get_schema(int.from_bytes(b[1:5], "big")).schema_str
            v = JSONDeserializer(text, schema_registry_client=client)(b, SerializationContext(r["topic"], MessageField.VALUE))
        else:
            v = deserializer(b, SerializationContext(r["topic"], MessageField.VALUE))
        print(json.dumps({"value": v if form == "protobuf" else show(v)}), flush=True)


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](SchemaRegistryClient({"url": sys.argv[2]}), sys.argv[3])
