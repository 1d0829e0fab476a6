package group

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const golden = "../../test/testdata/golden/internal/group"

// recordings calls use with every line of a file of recorded group traffic.
func recordings[T any](t *testing.T, file string, use func(line int, v T)) {
	t.Helper()
	f, err := os.Open(filepath.Join(golden, file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s:%d: %v", file, n, err)
		}
		use(n, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// unhex makes bytes of a recording's hex text.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type described struct {
	Members []struct {
		Metadata   string `json:"metadata_hex"`
		Assignment string `json:"assignment_hex"`
	}
}

type requested struct {
	API     string
	Time    int64 `json:"t_ms"`
	Request struct {
		Group      string
		Member     string `json:"member_id"`
		Generation int32
		Protocols  []struct {
			Name     string
			Metadata string `json:"metadata_hex"`
		}
		Assignments []struct {
			Member     string `json:"member_id"`
			Assignment string `json:"assignment_hex"`
		}
	}
}

func TestBytesOfJavaWorkersAreReadToTheEnd(t *testing.T) {
	var read int
	metadata := func(where string, line int, hex string) {
		if hex == "" {
			return
		}
		read++
		b := unhex(t, hex)
		m, rest, err := decodeMetadata(b)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s:%d: metadata: %v, %d bytes left", where, line, err, len(rest))
		}
		if diff := cmp.Diff(b, m.Append(nil)); diff != "" && strings.HasPrefix(where, "describe") {
			t.Errorf("%s:%d: metadata is not written as it was read:\n%s", where, line, diff)
		}
	}
	assignment := func(where string, line int, hex string) {
		if hex == "" {
			return
		}
		read++
		b := unhex(t, hex)
		a, rest, err := decodeAssignment(b)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s:%d: assignment: %v, %d bytes left", where, line, err, len(rest))
		}
		if diff := cmp.Diff(b, a.Append(nil)); diff != "" && strings.HasPrefix(where, "describe") {
			t.Errorf("%s:%d: assignment is not written as it was read:\n%s", where, line, diff)
		}
	}
	for _, file := range []string{"describe-two-java-workers.jsonl", "describe-mixed-java-go.jsonl", "describe-v1-v0.jsonl"} {
		recordings(t, file, func(line int, d described) {
			for _, m := range d.Members {
				metadata(file, line, m.Metadata)
				assignment(file, line, m.Assignment)
			}
		})
	}
	const requests = "requests-java-4.2.0.jsonl"
	recordings(t, requests, func(line int, r requested) {
		for _, p := range r.Request.Protocols {
			metadata(requests, line, p.Metadata)
		}
		for _, a := range r.Request.Assignments {
			assignment(requests, line, a.Assignment)
		}
	})
	if read != 164 {
		t.Errorf("read %d blobs, the recordings hold 164", read)
	}
}

func TestAllocationTravelsInTheVersionOfItsProtocol(t *testing.T) {
	held := &Assignment{Version: V2, Leader: "a", LeaderURL: "http://a/", Offset: 5, Assigned: []ID{{"c", ConnectorTask}}, Delay: time.Second}
	for _, version := range []int16{V0, V1, V2} {
		m, err := DecodeMetadata(Metadata{Version: version, URL: "http://b/", Offset: 7, Allocation: held}.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		want := Metadata{Version: version, URL: "http://b/", Offset: 7}
		if version != V0 {
			a := *held
			a.Version = version
			want.Allocation = &a
		}
		if diff := cmp.Diff(want, m); diff != "" {
			t.Errorf("version %d:\n%s", version, diff)
		}
	}
}

func TestTasksOfAConnectorAreWrittenTogether(t *testing.T) {
	a := Assignment{Version: V1, Leader: "m", Assigned: []ID{{"b", 1}, {"a", 0}, {"b", ConnectorTask}, {"a", 3}, {"b", 0}}}
	got, err := DecodeAssignment(a.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []ID{{"b", ConnectorTask}, {"b", 1}, {"b", 0}, {"a", 0}, {"a", 3}}
	if diff := cmp.Diff(want, got.Assigned); diff != "" {
		t.Error(diff)
	}
}

func TestReadersTakeWhatOtherWritersLeaveOut(t *testing.T) {
	const head = "0002" + "0000" + "00016d" + "000175" + "0000000000000009" // version, error, leader m, URL u, offset 9
	want := Assignment{Version: V2, Leader: "m", LeaderURL: "u", Offset: 9}
	assigned := want
	assigned.Assigned = []ID{{"c", 0}}
	for name, test := range map[string]struct {
		hex  string
		want Assignment
	}{
		"nothing after the offset": {head, want},
		"null arrays":              {head + "ffffffff" + "ffffffff" + "00000000", want},
		"no revoked and no delay":  {head + "00000001" + "000163" + "00000001" + "00000000", assigned},
		"null tasks":               {head + "00000001" + "000163" + "ffffffff" + "ffffffff" + "00000000", want},
		"more than we know":        {head + "00000000" + "00000000" + "00000000" + "abcdef", want},
		"null strings": {"0002" + "0000" + "ffff" + "ffff" + "0000000000000009" + "00000000",
			Assignment{Version: V2, Offset: 9}},
		"a later version": {"0007" + head[4:] + "00000000" + "00000000" + "00000005",
			Assignment{Version: 7, Leader: "m", LeaderURL: "u", Offset: 9, Delay: 5 * time.Millisecond}},
	} {
		got, err := DecodeAssignment(unhex(t, test.hex))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	m, err := DecodeMetadata(unhex(t, "0001"+"000175"+"0000000000000009"))
	if diff := cmp.Diff(Metadata{Version: V1, URL: "u", Offset: 9}, m); err != nil || diff != "" {
		t.Errorf("metadata without an allocation: %v\n%s", err, diff)
	}
}

func TestBytesOfOthersAreRefused(t *testing.T) {
	const head = "0001" + "0000" + "00016d" + "000175" + "0000000000000009"
	for name, hex := range map[string]string{
		"nothing":                       "",
		"a negative version":            "ffff" + head[4:],
		"a leader longer than the rest": "0001" + "0000" + "7fff" + "6d",
		"more connectors than bytes":    head + "7fffffff",
		"more tasks than bytes":         head + "00000001" + "000163" + "7fffffff" + "00000000",
		"half a delay":                  head + "00000000" + "00000000" + "0000",
	} {
		if a, err := DecodeAssignment(unhex(t, hex)); err == nil {
			t.Errorf("%s is read as %+v", name, a)
		}
	}
	for name, hex := range map[string]string{
		"an allocation longer than the rest": "0001" + "000175" + "0000000000000009" + "7fffffff" + "00",
		"a broken allocation":                "0001" + "000175" + "0000000000000009" + "00000002" + "ffff",
	} {
		if m, err := DecodeMetadata(unhex(t, hex)); err == nil {
			t.Errorf("%s is read as %+v", name, m)
		}
	}
}

// FuzzDecode checks that no bytes make the decoders fail badly, and that what they accept survives a round trip.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(Metadata{Version: V2, URL: "http://a:1/", Offset: 3}.Append(nil))
	f.Add(Metadata{Version: V0, URL: "http://a:1/", Offset: 3, Classes: []string{"a.B"}}.Append(nil))
	f.Add(Metadata{Version: V1, URL: "http://a:1/", Offset: 3, Allocation: &Assignment{Leader: "m", Assigned: []ID{{"c", -1}, {"c", 0}}}}.Append(nil))
	f.Add(Assignment{Version: V2, Err: ConfigMismatch, Leader: "m", LeaderURL: "http://a:1/", Offset: 8, Assigned: []ID{{"c", -1}, {"d", 4}},
		Revoked: []ID{{"e", 2}}, Delay: time.Minute}.Append(nil))
	f.Add(Assignment{Version: V0, Leader: "m", Assigned: []ID{{"c", -1}}}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := DecodeMetadata(b); err == nil {
			once := m.Append(nil)
			again, err := DecodeMetadata(once)
			if err != nil || !bytes.Equal(once, again.Append(nil)) {
				t.Errorf("metadata %x -> %x: %v", b, once, err)
			}
		}
		if a, err := DecodeAssignment(b); err == nil {
			once := a.Append(nil)
			again, err := DecodeAssignment(once)
			if err != nil || !bytes.Equal(once, again.Append(nil)) {
				t.Errorf("assignment %x -> %x: %v", b, once, err)
			}
		}
	})
}
