package group

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// ConnectorTask is the task number that stands for the connector itself.
const ConnectorTask = -1

// Versions of the protocol bytes, one for each protocol name.
const (
	V0 int16 = 0 // "default": eager, the assignment is the complete work
	V1 int16 = 1 // "compatible": incremental cooperative (KIP-415)
	V2 int16 = 2 // "sessioned": the layout of V1, and requests between workers are signed (KIP-507)
)

// Values of Assignment.Err.
const (
	NoError        int16 = 0
	ConfigMismatch int16 = 1 // the leader had not read the configuration that another member knows
)

// ID names one piece of work: a task, or the connector itself as task ConnectorTask.
type ID struct {
	Connector string
	Task      int
}

func (id ID) String() string {
	if id.Task == ConnectorTask {
		return id.Connector
	}
	return fmt.Sprintf("%s-%d", id.Connector, id.Task)
}

// compareIDs orders by connector, the connector itself first, then its tasks by number.
func compareIDs(a, b ID) int {
	if c := strings.Compare(a.Connector, b.Connector); c != 0 {
		return c
	}
	return a.Task - b.Task
}

// Assignment is what the leader tells one member, and what a member reports about itself as its allocation.
type Assignment struct {
	Version   int16
	Err       int16  // NoError or ConfigMismatch
	Leader    string // member id
	LeaderURL string
	Offset    int64         // of the configuration that was assigned from
	Assigned  []ID          // V0: the complete work; V1, V2: only what is new. In an allocation: all that is held
	Revoked   []ID          // to be stopped and given back. Never in V0
	Delay     time.Duration // until a scheduled rebalance, whole milliseconds; 0 is none. Never in V0
}

// Metadata is what a member says about itself when it joins.
type Metadata struct {
	Version    int16
	URL        string      // of the member's REST server, as the other workers reach it
	Offset     int64       // of the configuration it has read, -1 when none
	Allocation *Assignment // what it holds; nil before the first assignment, and always in V0
	Classes    []string    // every name by which configurations can name a plugin of it; nil: it does not say
}

// statement begins the classes, which follow the struct of the protocol. Java's readers look at nothing behind the struct;
// the mark keeps ours from taking what a later version may put there for classes.
const statement = "kconnect.classes:"

const noAllocation = "\xff\xff\xff\xff" // its length, where there is none

// Append writes the bytes of a JoinGroup protocol after dst. The allocation takes the version of m.
// Promise 2: these bytes are the Java worker's, so that both can be members of one group.
func (m Metadata) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.Version))
	dst = appendString(dst, m.URL)
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.Offset))
	switch {
	case m.Version == V0 && m.Classes == nil:
	case m.Version == V0, m.Allocation == nil:
		// Java's leader of an eager group reads an allocation in V0, too, where
		// there is anything to read.
		dst = binary.BigEndian.AppendUint32(dst, math.MaxUint32)
	default:
		a := *m.Allocation
		a.Version = m.Version
		at := len(dst)
		dst = a.Append(append(dst, 0, 0, 0, 0))
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	if m.Classes != nil {
		dst = append(dst, statement...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(m.Classes)))
		for _, class := range m.Classes {
			dst = appendString(dst, class)
		}
	}
	return dst
}

// Append writes the bytes of a SyncGroup assignment after dst. Entries of one connector are written together,
// the connector itself before its tasks; apart from that the order of the slices is kept.
func (a Assignment) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(a.Version))
	dst = binary.BigEndian.AppendUint16(dst, uint16(a.Err))
	dst = appendString(dst, a.Leader)
	dst = appendString(dst, a.LeaderURL)
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.Offset))
	dst = appendIDs(dst, a.Assigned)
	if a.Version == V0 {
		return dst
	}
	dst = appendIDs(dst, a.Revoked)
	return binary.BigEndian.AppendUint32(dst, uint32(min(a.Delay.Milliseconds(), math.MaxInt32)))
}

func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

func appendIDs(dst []byte, ids []ID) []byte {
	var names []string // in order of appearance
	tasks := make(map[string][]int)
	for _, id := range ids {
		of, seen := tasks[id.Connector]
		if !seen {
			names = append(names, id.Connector)
		}
		if id.Task == ConnectorTask {
			of = append([]int{ConnectorTask}, of...)
		} else {
			of = append(of, id.Task)
		}
		tasks[id.Connector] = of
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(names)))
	for _, name := range names {
		dst = appendString(dst, name)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(tasks[name])))
		for _, task := range tasks[name] {
			dst = binary.BigEndian.AppendUint32(dst, uint32(int32(task)))
		}
	}
	return dst
}

// DecodeMetadata reads what a member sent with JoinGroup. It accepts null strings and arrays, fields that are
// missing at the end, and versions above V2, which it reads as V1; it keeps nothing of b.
func DecodeMetadata(b []byte) (Metadata, error) {
	m, _, err := decodeMetadata(b)
	return m, err
}

// DecodeAssignment reads what the leader sent with SyncGroup, as tolerant as DecodeMetadata.
func DecodeAssignment(b []byte) (Assignment, error) {
	a, _, err := decodeAssignment(b)
	return a, err
}

func decodeMetadata(b []byte) (m Metadata, rest []byte, err error) {
	r := reader{b: b}
	m.Version = r.version()
	m.URL = r.string()
	m.Offset = r.int64()
	if r.more() && (m.Version != V0 || bytes.HasPrefix(r.b, []byte(noAllocation+statement))) {
		if size := r.int32(); size >= 0 && r.need(int(size)) {
			a, _, err := decodeAssignment(r.b[:size])
			if err != nil {
				return Metadata{}, nil, fmt.Errorf("allocation of a Connect worker: %w", err)
			}
			m.Allocation = &a
			r.b = r.b[size:]
		}
	}
	if r.err != nil {
		return Metadata{}, nil, fmt.Errorf("metadata of a Connect worker: %w", r.err)
	}
	if classes, stated := bytes.CutPrefix(r.b, []byte(statement)); stated {
		c := reader{b: classes}
		names := []string{}
		for range c.count() {
			names = append(names, c.string())
			if c.err != nil {
				break
			}
		}
		if c.err == nil { // what is broken is no statement
			m.Classes, r.b = names, c.b
		}
	}
	return m, r.b, nil
}

func decodeAssignment(b []byte) (a Assignment, rest []byte, err error) {
	r := reader{b: b}
	a.Version = r.version()
	a.Err = r.int16()
	a.Leader = r.string()
	a.LeaderURL = r.string()
	a.Offset = r.int64()
	if r.more() {
		a.Assigned = r.ids()
	}
	if a.Version != V0 {
		if r.more() {
			a.Revoked = r.ids()
		}
		if r.more() {
			a.Delay = time.Duration(r.int32()) * time.Millisecond
		}
	}
	if r.err != nil {
		return Assignment{}, nil, fmt.Errorf("assignment of a Connect worker: %w", r.err)
	}
	return a, r.b, nil
}

var errShort = errors.New("the bytes end too early; is another kind of client in the group?")

// reader takes fields off the front of b. After the first error it yields zeros, so that callers check once.
// It never sizes anything by a length that b claims: bytes of other groups' members reach it by mistake.
type reader struct {
	b   []byte
	err error
}

// more says whether a further field can be read: fields at the end may be missing.
func (r *reader) more() bool { return r.err == nil && len(r.b) > 0 }

func (r *reader) need(n int) bool {
	if r.err == nil && len(r.b) < n {
		r.err = errShort
	}
	return r.err == nil
}

func (r *reader) int16() int16 {
	if !r.need(2) {
		return 0
	}
	v := int16(binary.BigEndian.Uint16(r.b))
	r.b = r.b[2:]
	return v
}

func (r *reader) int32() int32 {
	if !r.need(4) {
		return 0
	}
	v := int32(binary.BigEndian.Uint32(r.b))
	r.b = r.b[4:]
	return v
}

func (r *reader) int64() int64 {
	if !r.need(8) {
		return 0
	}
	v := int64(binary.BigEndian.Uint64(r.b))
	r.b = r.b[8:]
	return v
}

func (r *reader) version() int16 {
	v := r.int16()
	if v < 0 && r.err == nil {
		r.err = fmt.Errorf("version %d is not one of the Connect protocol", v)
	}
	return v
}

func (r *reader) string() string {
	n := int(r.int16())
	if n < 0 || !r.need(n) { // -1 is null
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) ids() []ID {
	var ids []ID
	for range r.count() {
		connector := r.string()
		for range r.count() {
			ids = append(ids, ID{Connector: connector, Task: int(r.int32())})
			if r.err != nil {
				return nil
			}
		}
		if r.err != nil {
			return nil
		}
	}
	return ids
}

// count reads the length of an array; null counts as empty.
func (r *reader) count() int32 { return max(r.int32(), 0) }
