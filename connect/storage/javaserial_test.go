package storage

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What Java's ObjectOutputStream (JDK 17) writes for HashMaps of byte arrays.
const (
	javaHead     = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c647870"
	javaEmpty    = javaHead + "3f400000000000007708000000100000000078"
	javaOne      = javaHead + "3f4000000000000c77080000001000000001757200025b42acf317f8060854e00200007870000000026b307571007e0002000000017678" // k0: v
	recordedFile = "testdata/java-4.2.0.offsets"
)

func TestMapsAreSerializedByteForByteAsInJava(t *testing.T) {
	for want, m := range map[string]map[string][]byte{
		javaEmpty: {},
		javaOne:   {"k0": []byte("v")},
	} {
		if got := hex.EncodeToString(encodeJavaMap(m)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", m, got, want)
		}
	}
	// Threshold, block and capacity of larger maps.
	for n, want := range map[int]string{
		12: "0000000c7708000000100000000c", 13: "000000187708000000200000000d", 24: "0000001877080000002000000018",
		25: "0000003077080000004000000019", 100: "000000c0770800000100" + "00000064",
	} {
		m := make(map[string][]byte)
		for i := range n {
			m[fmt.Sprint(i)] = nil
		}
		at := len(javaHead)/2 + 4
		if got := hex.EncodeToString(encodeJavaMap(m)[at : at+14]); got != want {
			t.Errorf("%d entries: got %s, want %s", n, got, want)
		}
	}
}

func TestWhatJavaWroteIsRead(t *testing.T) {
	b, err := os.ReadFile(recordedFile)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeJavaMap(b)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{
		`["rec-a",{"filename":"rec/a.txt"}]`: []byte(`{"position":8}`),
		`["rec-b",{"filename":"rec/b.txt"}]`: nil, // was reset
		`["rec-c",{"filename":"rec/c.txt"}]`: []byte(`{"position":8}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Java's order of entries is arbitrary; all else is the same.
	if again := encodeJavaMap(got); len(again) != len(b) {
		t.Errorf("%d bytes became %d", len(b), len(again))
	}
}

func TestAReferenceToAnEarlierArrayIsRead(t *testing.T) {
	one, err := hex.DecodeString(javaOne)
	if err != nil {
		t.Fatal(err)
	}
	b := append(bytes.TrimSuffix(one, []byte("\x75\x71\x00\x7e\x00\x02\x00\x00\x00\x01v\x78")), 0x71, 0x00, 0x7e, 0x00, 0x03, 0x78)
	got, err := decodeJavaMap(b)
	if diff := cmp.Diff(map[string][]byte{"k0": []byte("k0")}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWhatIsNoMapOfByteArraysIsRefused(t *testing.T) {
	one, err := hex.DecodeString(javaOne)
	if err != nil {
		t.Fatal(err)
	}
	for n := range one {
		if m, err := decodeJavaMap(one[:n]); err == nil {
			t.Errorf("cut off after %d bytes it is %q", n, m)
		}
	}
	for name, b := range map[string][]byte{
		"a key is null":       bytes.Replace(one, append([]byte{serialArray}, serialBytes...), []byte{serialNull}, 1),
		"more follows":        append(bytes.Clone(one), 0),
		"a reference forward": bytes.Replace(one, []byte("\x75\x71\x00\x7e\x00\x02\x00\x00\x00\x01v"), []byte{0x71, 0x00, 0x7e, 0x00, 0x09}, 1),
		"an object as value":  bytes.Replace(one, []byte("\x75\x71\x00\x7e"), []byte("\x73\x71\x00\x7e"), 1),
		"more entries":        bytes.Replace(one, []byte("\x77\x08\x00\x00\x00\x10\x00\x00\x00\x01"), []byte("\x77\x08\x00\x00\x00\x10\xff\xff\xff\xff"), 1),
		"another class":       bytes.Replace(one, []byte("HashMap"), []byte("TreeMap"), 1),
		"text":                []byte("bootstrap.servers=localhost:9092\n"),
	} {
		if m, err := decodeJavaMap(b); err == nil {
			t.Errorf("%s: it is %q", name, m)
		}
	}
}

func TestEveryMapSurvivesSerialization(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Just[[]byte](nil), rapid.SliceOfN(rapid.Byte(), 0, 20))
		m := rapid.MapOfN(rapid.StringN(0, 20, 40), value, 0, 40).Draw(t, "map")
		got, err := decodeJavaMap(encodeJavaMap(m))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzJavaMap(f *testing.F) {
	for _, h := range []string{javaEmpty, javaOne} {
		b, err := hex.DecodeString(h)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	b, err := os.ReadFile(recordedFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeJavaMap(b)
		if err != nil {
			return
		}
		again, err := decodeJavaMap(encodeJavaMap(m))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
