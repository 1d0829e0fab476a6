package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latency measures how long a record takes from its production into a table when records come one by one, an interval apart.
func (b *bench) latency(ctx context.Context, records int, interval time.Duration) error {
	topic, table := b.run+"-single", "single"
	if _, err := b.admin.CreateTopic(ctx, 1, 1, nil, topic); err != nil {
		return err
	}
	if _, err := b.db.ExecContext(ctx, "CREATE TABLE "+table+" ("+columns+")"); err != nil {
		return err
	}
	w, err := b.start(ctx, "latency", nil)
	if err != nil {
		return err
	}
	defer w.Stop(10 * time.Second) //nolint:errcheck // its work is done
	connector := b.run + "-single"
	cfg := b.account()
	cfg["connector.class"], cfg["tasks.max"], cfg["topics"], cfg["table.name.format"] = jdbcSink, "1", topic, table
	cfg["insert.mode"], cfg["pk.mode"], cfg["pk.fields"] = "upsert", "record_value", "id"
	if err := w.create(ctx, connector, cfg); err != nil {
		return err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer cl.Close()
	took := make([]time.Duration, 0, records)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for id := range records + 1 {
		began := time.Now()
		if err := cl.ProduceSync(ctx, &kgo.Record{Value: appendEnvelope(nil, id)}).FirstErr(); err != nil {
			return err
		}
		if err := b.lands(ctx, table, id); err != nil {
			return fmt.Errorf("record %d: %w\n%s", id, err, w.Tail(20))
		}
		if id > 0 { // the first waits for the connector
			took = append(took, time.Since(began))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	slices.Sort(took)
	at := func(percent int) float64 { return float64(took[(len(took)-1)*percent/100].Microseconds()) / 1000 }
	fmt.Printf("one record every %v, %d of them, from production to the row: median %.1f ms, 99th percentile %.1f ms, slowest %.1f ms\n",
		interval, records, at(50), at(99), at(100))
	_, _, err = w.call(ctx, http.MethodDelete, "/connectors/"+connector, nil)
	return err
}

// lands waits for the row of an id.
func (b *bench) lands(ctx context.Context, table string, id int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var n int
		if err := b.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE id = "+strconv.Itoa(id+1)).Scan(&n); err != nil || n > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// appendEnvelope appends a record of users1 as the source makes it.
func appendEnvelope(b []byte, n int) []byte {
	id := strconv.Itoa(n + 1)
	b = append(b, schema...)
	for _, part := range [...]string{`{"id":`, id, `,"user_id":"user`, id, `","pwd":"pwd`, id, `","name":"User number `, id, `","created_at":`} {
		b = append(b, part...)
	}
	b = strconv.AppendInt(b, 1_680_000_000_000+int64(n)*1000, 10)
	return append(b, `}}`...)
}
