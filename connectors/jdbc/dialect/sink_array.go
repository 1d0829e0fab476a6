package dialect

import (
	"database/sql/driver"
	"encoding/binary"
	"math"

	"github.com/jackc/pgx/v5/pgtype"
)

// ElementType is the type of an array's elements: the number that PostgreSQL
// has for it.
type ElementType uint32

// elementNames are the element types that values travel in, as statements name
// them.
var elementNames = map[ElementType]string{
	pgtype.BoolOID: "bool", pgtype.Int2OID: "int2", pgtype.Int4OID: "int4", pgtype.Int8OID: "int8",
	pgtype.Float4OID: "float4", pgtype.Float8OID: "float8", pgtype.ByteaOID: "bytea", pgtype.VarcharOID: "varchar",
	pgtype.DateOID: "date", pgtype.TimeOID: "time", pgtype.TimestampOID: "timestamp", pgtype.TimestamptzOID: "timestamptz",
}

// arrayHeader is what stands before the elements: dimensions, whether there are
// nulls, the element type, length, lower bound; four bytes each.
const arrayHeader = 20

// array is an array in the binary form of the protocol. Its memory is used
// again.
type array struct {
	element ElementType
	buf     []byte
	rows    int
	nulls   bool
}

func (p *array) reset(t ElementType) {
	p.element, p.rows, p.nulls = t, 0, false
	if cap(p.buf) == 0 {
		p.buf = make([]byte, 0, 1<<10)
	}
	p.buf = p.buf[:arrayHeader]
}

// release lets go of the memory that a row of unusual size took.
func (p *array) release() {
	const usual = 4 << 20
	if cap(p.buf) > usual {
		p.buf = nil
	}
}

func (p *array) null() {
	p.nulls = true
	p.buf = append(p.buf, 0xff, 0xff, 0xff, 0xff)
}

func (p *array) int(i int64) {
	switch p.element {
	case pgtype.BoolOID:
		p.buf = append(p.buf, 0, 0, 0, 1, byte(i))
	case pgtype.Int2OID:
		p.buf = append(p.buf, 0, 0, 0, 2, byte(i>>8), byte(i))
	case pgtype.Int4OID, pgtype.DateOID:
		p.buf = binary.BigEndian.AppendUint32(append(p.buf, 0, 0, 0, 4), uint32(i))
	default:
		p.buf = binary.BigEndian.AppendUint64(append(p.buf, 0, 0, 0, 8), uint64(i))
	}
}

func (p *array) float(f float64) {
	if p.element == pgtype.Float4OID {
		p.buf = binary.BigEndian.AppendUint32(append(p.buf, 0, 0, 0, 4), math.Float32bits(float32(f)))
		return
	}
	p.buf = binary.BigEndian.AppendUint64(append(p.buf, 0, 0, 0, 8), math.Float64bits(f))
}

func (p *array) text(s string) {
	p.buf = append(binary.BigEndian.AppendUint32(p.buf, uint32(len(s))), s...)
}

func (p *array) blob(b []byte) {
	p.buf = append(binary.BigEndian.AppendUint32(p.buf, uint32(len(b))), b...)
}

// argument completes the array.
func (p *array) argument() driver.Value {
	nulls := uint32(0)
	if p.nulls {
		nulls = 1
	}
	for i, n := range [...]uint32{1, nulls, uint32(p.element), uint32(p.rows), 1} {
		binary.BigEndian.PutUint32(p.buf[4*i:], n)
	}
	return pgBinary(p.buf)
}
