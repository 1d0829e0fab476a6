package storage

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func openOffsets(t *testing.T, b testBroker) *Offsets {
	t.Helper()
	o, err := OpenOffsets(within(t), b.config(t, "offset", 25))
	if err != nil {
		t.Fatal(err)
	}
	start(t, o.Run, o.Close)
	return o
}

// The two spellings of one partition; the first is Java's.
var (
	items        = Fields{{"protocol", "1"}, {"table", "db.items"}}
	itemsSwapped = Fields{{"table", "db.items"}, {"protocol", "1"}}
	orders       = Fields{{"table", "db.orders"}, {"protocol", "1"}}
)

func at(n int64) Fields { return Fields{{"incrementing", n}} }

func TestOffsetsAreSeenByOthers(t *testing.T) {
	onBrokers(t, func(t *testing.T, b testBroker) {
		mine, others := openOffsets(t, b), openOffsets(t, b)
		ctx := within(t)
		full := Fields{{"ts", 1.5}, {"n", int64(5)}, {"b", true}, {"s", "é"}, {"nil", nil}}
		if err := mine.Set(ctx, []SourceOffset{
			{"a", itemsSwapped, at(5)},
			{"a", orders, full},
			{"a", Fields{{"gone", "x"}}, at(1)},
			{"b", items, at(7)},
		}); err != nil {
			t.Fatal(err)
		}
		if err := mine.Set(ctx, []SourceOffset{{"a", items, at(6)}, {"a", Fields{{"gone", "x"}}, nil}}); err != nil {
			t.Fatal(err)
		}
		got, err := others.Get(ctx, "a", []Fields{items, itemsSwapped, orders, {{"gone", "x"}}, {{"never", "x"}}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Fields{at(6), at(6), full, nil, nil}, got); diff != "" {
			t.Errorf("offsets (-want +got):\n%s", diff)
		}
		all, err := others.Partitions(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		want := []SourceOffset{{"a", items, at(6)}, {"a", orders.HashMapOrder(), full}}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("partitions (-want +got):\n%s", diff)
		}
		wantRecords := []string{
			`["a",{"gone":"x"}]=`,
			`["a",{"gone":"x"}]={"incrementing":1}`,
			`["a",{"protocol":"1","table":"db.items"}]={"incrementing":5}`,
			`["a",{"protocol":"1","table":"db.items"}]={"incrementing":6}`,
			`["a",{"protocol":"1","table":"db.orders"}]={"ts":1.5,"n":5,"b":true,"s":"é","nil":null}`,
			`["b",{"protocol":"1","table":"db.items"}]={"incrementing":7}`,
		}
		if diff := cmp.Diff(wantRecords, slices.Sorted(slices.Values(recordsOf(t, b, "offset")))); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})
}

const (
	javaKey    = `["a",{"protocol":"1","table":"db.items"}]`
	swappedKey = `["a",{"table":"db.items","protocol":"1"}]`
)

// written returns what is written for a partition, as "key=value".
func written(t *testing.T, x offsetIndex, partition, offset Fields) []string {
	t.Helper()
	records, err := x.records(SourceOffset{"a", partition, offset})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range records {
		lines = append(lines, string(r.Key)+"="+string(r.Value))
	}
	return lines
}

func TestSpellingsOfAPartition(t *testing.T) {
	type kv struct{ key, value string }
	tests := map[string]struct {
		read    []kv
		get     Fields
		set     []string // writing {"incrementing":9}
		removal []string
	}{
		"none yet": {
			nil, nil,
			[]string{javaKey + `={"incrementing":9}`},
			[]string{javaKey + `=`},
		},
		"another's spelling is kept": {
			[]kv{{swappedKey, `{"incrementing":1}`}}, at(1),
			[]string{swappedKey + `={"incrementing":9}`},
			[]string{swappedKey + `=`},
		},
		"Java's wins over a later one, and both are removed": {
			[]kv{{javaKey, `{"incrementing":1}`}, {swappedKey, `{"incrementing":2}`}}, at(1),
			[]string{javaKey + `={"incrementing":9}`},
			[]string{javaKey + `=`, swappedKey + `=`},
		},
		"a removed spelling does not count": {
			[]kv{{javaKey, `{"incrementing":1}`}, {swappedKey, `{"incrementing":2}`}, {javaKey, ""}}, at(2),
			[]string{swappedKey + `={"incrementing":9}`},
			[]string{swappedKey + `=`},
		},
		"all are removed": {
			[]kv{{swappedKey, `{"incrementing":2}`}, {swappedKey, "null"}}, nil,
			[]string{javaKey + `={"incrementing":9}`},
			[]string{javaKey + `=`},
		},
		"malformed records are ignored": {
			[]kv{
				{javaKey, `{"incrementing":1}`}, {javaKey, `{"incrementing":[1]}`}, {javaKey, `7`}, {javaKey, `{`},
				{`["a"]`, `{}`}, {`"a"`, `{}`}, {`[1,{}]`, `{}`}, {`["a",{"x":{}}]`, `{}`}, {`["a",5]`, `{}`}, {`[`, `{}`},
			}, at(1),
			[]string{javaKey + `={"incrementing":9}`},
			[]string{javaKey + `=`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x := offsetIndex{}
			for _, r := range test.read {
				_ = x.apply([]byte(r.key), []byte(r.value)) // the index shows what counted
			}
			var got Fields
			for _, o := range x.of("a") {
				got = o.Offset
			}
			if diff := cmp.Diff(test.get, got); diff != "" {
				t.Errorf("offset (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.set, written(t, x, itemsSwapped, at(9))); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.removal, written(t, x, itemsSwapped, nil)); diff != "" {
				t.Errorf("removal (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPartitionsWithoutFieldsAndNull(t *testing.T) {
	for want, partition := range map[string]Fields{`["a",{}]`: {}, `["a",null]`: nil} {
		key, err := offsetKey("a", partition)
		if err != nil {
			t.Fatal(err)
		}
		if string(key) != want {
			t.Errorf("key %s, want %s", key, want)
		}
		connector, back, err := decodeOffsetKey(key)
		if err != nil || connector != "a" || (back == nil) != (partition == nil) || len(back) != 0 {
			t.Errorf("%s read back as %q %v, %v", key, connector, back, err)
		}
	}
}

func TestOffsetOfAnUnknownTypeIsRefused(t *testing.T) {
	x := offsetIndex{}
	for _, o := range []SourceOffset{{"a", items, Fields{{"n", 5}}}, {"a", Fields{{"n", []byte{1}}}, at(1)}} {
		if _, err := x.records(o); err == nil {
			t.Errorf("%v: no error", o)
		}
	}
}

// TestOffsetsAreReadAsTheyWereWritten: whatever order a caller uses, what is
// set last is what is got.
func TestOffsetsAreReadAsTheyWereWritten(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 4).Draw(t, "type") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.Int64().Draw(t, "int")
		case 3:
			return rapid.Float64().Draw(t, "float")
		default:
			return rapid.String().Draw(t, "string")
		}
	})
	fields := rapid.Custom(func(t *rapid.T) Fields {
		f := Fields{}
		for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 20, rapid.ID[string]).Draw(t, "names") {
			f = append(f, Field{name, value.Draw(t, "value")})
		}
		return f
	})
	rapid.Check(t, func(t *rapid.T) {
		x := offsetIndex{}
		partition := fields.Draw(t, "partition")
		for range 3 {
			offset := fields.Draw(t, "offset")
			records, err := x.records(SourceOffset{"a", rapid.Permutation(partition).Draw(t, "order"), offset})
			if err != nil {
				t.Fatal(err)
			}
			if len(records) != 1 {
				t.Fatalf("%d records", len(records))
			}
			if err := x.apply(records[0].Key, records[0].Value); err != nil {
				t.Fatalf("%s: %v", records[0].Key, err)
			}
			all := x.of("a")
			if len(all) != 1 {
				t.Fatalf("%d partitions", len(all))
			}
			if diff := cmp.Diff(offset, all[0].Offset); diff != "" {
				t.Fatalf("offset (-want +got):\n%s", diff)
			}
		}
	})
}
