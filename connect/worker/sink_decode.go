package worker

import (
	"context"

	"kconnect/connect"
	"kconnect/connect/data"
)

// decode converts and transforms what was polled from a record on. The error
// fails the task.
func (s *sink) decode(ctx context.Context, d *delivery, from int) error {
	topic := ""
	done := len(d.records) // of earlier polls
	for i := from; i < len(d.raw); i++ {
		k := d.raw[i]
		if k.Topic != topic {
			topic = k.Topic
			s.onTopic(topic)
		}
		d.records = append(d.records, connect.Record{})
		last := len(d.records) - 1
		ok, err := s.convert(ctx, i, k, &d.records[last], func() error {
			// Records before this one come first, also with their failures.
			_, err := s.transform(ctx, d, d.records[done:last])
			return err
		})
		if err != nil {
			return err
		}
		if !ok {
			d.records = d.records[:last]
		}
	}
	kept, err := s.transform(ctx, d, d.records[done:])
	d.records = d.records[:done+len(kept)]
	return err
}

func (s *sink) transform(ctx context.Context, d *delivery, records []connect.Record) ([]connect.Record, error) {
	return s.chain.Apply(records, s.tolerance.retries(ctx), func(r *connect.Record, class string, err error) error {
		return s.tolerance.handle(ctx, newFailure(StageTransformation, class, err, d.raw[r.Origin.Index]))
	})
}

// convert fills r from k. It returns false when the record is to be skipped.
// before is called ahead of a failure that ends the task.
func (s *sink) convert(ctx context.Context, index int, k *consumed, r *connect.Record, before func() error) (bool, error) {
	fail := func(stage Stage, class string, err error) (bool, error) {
		if !s.tolerance.all && !wasInterrupted(err) {
			if err := before(); err != nil {
				return false, err
			}
		}
		return false, s.tolerance.handle(ctx, newFailure(stage, class, err, k))
	}
	r.Topic, r.Partition, r.Timestamp = k.Topic, k.Partition, connect.NoTimestamp
	r.Origin = connect.Origin{Topic: k.Topic, Partition: k.Partition, Offset: k.Offset, TimestampType: "NoTimestampType", Index: index}
	switch k.Attrs.TimestampType() {
	case 0:
		r.Origin.TimestampType, r.Timestamp = "CreateTime", k.Timestamp.UnixMilli()
	case 1:
		r.Origin.TimestampType, r.Timestamp = "LogAppendTime", k.Timestamp.UnixMilli()
	}
	if r.Timestamp < 0 { // -1 on the wire is none
		r.Timestamp = connect.NoTimestamp
	}
	var err error
	if r.KeySchema, r.Key, err = s.decodeValue(ctx, s.key, k.Topic, k.Key); err != nil {
		return fail(StageKeyConverter, s.classes.key, err)
	}
	if r.ValueSchema, r.Value, err = s.decodeValue(ctx, s.value, k.Topic, k.Value); err != nil {
		return fail(StageValueConverter, s.classes.value, err)
	}
	for _, h := range k.Headers {
		schema, v, err := s.header.DecodeHeader(k.Topic, h.Key, h.Value)
		if err != nil {
			err = s.outlast(ctx, err, func() (e error) {
				schema, v, e = s.header.DecodeHeader(k.Topic, h.Key, h.Value)
				return e
			})
		}
		if err != nil {
			return fail(StageHeaderConverter, s.classes.header, err)
		}
		r.Headers = append(r.Headers, connect.Header{Key: h.Key, Schema: schema, Value: v})
	}
	return true, nil
}

func (s *sink) decodeValue(ctx context.Context, c connect.Converter, topic string, b []byte) (schema *data.Schema, v data.Value, err error) {
	schema, v, err = c.Decode(topic, b)
	if err != nil {
		err = s.outlast(ctx, err, func() (e error) {
			schema, v, e = c.Decode(topic, b)
			return e
		})
	}
	return schema, v, err
}
