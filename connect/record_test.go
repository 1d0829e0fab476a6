package connect

import (
	"testing"

	"kconnect/connect/data"
)

// The text of records stands in messages that users compare with those of the
// Java worker.
func TestARecordPrintsAsInJava(t *testing.T) {
	sink := &Record{
		Topic: "t", Partition: 3, Timestamp: NoTimestamp, KeySchema: nil, Key: data.Null, ValueSchema: data.StringSchema, Value: data.StringOf("v"),
		Origin: Origin{Topic: "o", Partition: 1, Offset: 7, TimestampType: "CreateTime"},
	}
	const want = "SinkRecord{kafkaOffset=7, timestampType=CreateTime, originalTopic=o, originalKafkaPartition=1, originalKafkaOffset=7} " +
		"ConnectRecord{topic='t', kafkaPartition=3, key=null, keySchema=null, value=v, valueSchema=Schema{STRING}, timestamp=null, headers=ConnectHeaders(headers=)}"
	if got := sink.String(); got != want {
		t.Errorf("a sink record is\n%s\nwant\n%s", got, want)
	}
	source := &Record{
		Topic: "t", Partition: NoPartition, Timestamp: 5, Value: data.Int32Of(1), ValueSchema: data.Int32Schema,
		Source:       &SourcePartition{Fields: []Field{{Name: "protocol", Value: data.StringOf("1")}, {Name: "table", Value: data.StringOf("d.u")}}},
		SourceOffset: SourceOffset{Names: []string{"incrementing"}, Values: []data.Value{data.Int64Of(9)}},
		Headers:      []Header{{Key: "h", Schema: data.StringSchema, Value: data.StringOf("x")}},
	}
	const from = "SourceRecord{sourcePartition={protocol=1, table=d.u}, sourceOffset={incrementing=9}} " +
		"ConnectRecord{topic='t', kafkaPartition=null, key=null, keySchema=null, value=1, valueSchema=Schema{INT32}, timestamp=5, headers=ConnectHeaders(headers=[ConnectHeader(key=h, value=x, schema=Schema{STRING})])}"
	if got := source.String(); got != from {
		t.Errorf("a source record is\n%s\nwant\n%s", got, from)
	}
}

func TestAnOffsetHasTheValuesOfItsNames(t *testing.T) {
	o := SourceOffset{Names: []string{"a", "b"}, Values: []data.Value{data.Int64Of(1), data.Null}}
	if o.Get("a").Int() != 1 || !o.Get("b").IsNull() || !o.Get("c").IsNull() || !(SourceOffset{}).Get("a").IsNull() {
		t.Errorf("the values of %s", o)
	}
}
