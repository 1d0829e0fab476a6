package dialect

import (
	"database/sql/driver"
	"unsafe"
)

// Args are the arguments of one statement. They are used again for the next,
// with all their memory: an argument has a cell of its kind at its place, and
// the driver.Value that the driver sees refers to that cell. Boxing each value
// instead costs an allocation an argument, and with its garbage a quarter of
// all that writing a row takes (BenchmarkPut of package sink).
//
// What Values returned must not be in use when the next argument is set; no
// driver keeps arguments beyond the call. Not safe for concurrent use.
type Args struct {
	named  []driver.NamedValue
	ints   cells[int64]
	reals  cells[float64]
	texts  cells[string]
	blobs  cells[[]byte]
	n      int
	bytes  int
	text   []byte  // formatted values
	arrays []array // of columns; then values go there
}

// Reset empties the arguments.
func (a *Args) Reset() { a.n, a.bytes, a.text, a.arrays = 0, 0, a.text[:0], a.arrays[:0] }

// Column says that the arguments are arrays, and of which type this one's
// elements are; the zero type says nothing. Called after Reset for each column;
// the values then set are those of the first row, those of the second, and so on.
func (a *Args) Column(t ElementType) {
	if t == 0 {
		return
	}
	if n := len(a.arrays); n < cap(a.arrays) { // with the memory that it has
		a.arrays = a.arrays[:n+1]
	} else {
		a.arrays = append(a.arrays, array{})
	}
	a.arrays[len(a.arrays)-1].reset(t)
}

// Len returns how many values there are.
func (a *Args) Len() int { return a.n }

// Bytes returns about how many bytes they take on the wire.
func (a *Args) Bytes() int { return a.bytes }

// Values returns the arguments that hold the first n values; of arrays, which
// hold all values, every one.
func (a *Args) Values(n int) []driver.NamedValue {
	if len(a.arrays) == 0 {
		return a.named[:n]
	}
	for i := range a.arrays {
		if i == len(a.named) {
			a.named = append(a.named, driver.NamedValue{Ordinal: i + 1})
		}
		a.named[i].Value = a.arrays[i].argument()
	}
	return a.named[:len(a.arrays)]
}

// Release lets go of what the arguments refer to.
func (a *Args) Release() {
	for i := range a.named {
		a.named[i].Value = nil
	}
	a.texts.clear()
	a.blobs.clear()
	for i := range a.arrays[:cap(a.arrays)] {
		a.arrays[:cap(a.arrays)][i].release()
	}
}

// next returns the array that the next value belongs to, and nil when there
// are none.
func (a *Args) next(bytes int) *array {
	if len(a.arrays) == 0 {
		return nil
	}
	p := &a.arrays[a.n%len(a.arrays)]
	a.n++
	a.bytes += bytes
	p.rows++
	return p
}

func (a *Args) add(v driver.Value, bytes int) {
	if a.n == len(a.named) {
		a.named = append(a.named, driver.NamedValue{Ordinal: a.n + 1})
	}
	a.named[a.n].Value = v
	a.n++
	a.bytes += bytes
}

// Null adds a null.
func (a *Args) Null() {
	if p := a.next(4); p != nil {
		p.null()
		return
	}
	a.add(nil, 1)
}

// Int adds an integer.
func (a *Args) Int(i int64) {
	if p := a.next(12); p != nil {
		p.int(i)
		return
	}
	a.add(a.ints.hold(a.n, i), 9)
}

// Float adds a double.
func (a *Args) Float(f float64) {
	if p := a.next(12); p != nil {
		p.float(f)
		return
	}
	a.add(a.reals.hold(a.n, f), 9)
}

// Text adds a string.
func (a *Args) Text(s string) {
	if p := a.next(4 + len(s)); p != nil {
		p.text(s)
		return
	}
	a.add(a.texts.hold(a.n, s), 5+len(s))
}

// Blob adds bytes.
func (a *Args) Blob(b []byte) {
	if p := a.next(4 + len(b)); p != nil {
		p.blob(b)
		return
	}
	a.add(a.blobs.hold(a.n, b), 5+len(b))
}

// formatted adds the text that was appended to a.text from start on.
func (a *Args) formatted(start int) {
	b := a.text[start:]
	a.Text(unsafe.String(unsafe.SliceData(b), len(b)))
}

// cells hold values of one kind by argument.
type cells[T any] []*T

func (c cells[T]) clear() {
	for _, p := range c {
		if p != nil {
			*p = *new(T)
		}
	}
}

// hold stores v in cell i and returns an interface that refers to the cell.
func (c *cells[T]) hold(i int, v T) driver.Value {
	for len(*c) <= i {
		*c = append(*c, nil)
	}
	p := (*c)[i]
	if p == nil {
		p = new(T)
		(*c)[i] = p
	}
	*p = v
	return refer(p)
}

// refer returns an interface of type T that shows what p refers to, also when
// that changes: what boxing makes with a new cell for each value.
func refer[T any](p *T) driver.Value {
	var boxed driver.Value = *new(T)
	(*[2]unsafe.Pointer)(unsafe.Pointer(&boxed))[1] = unsafe.Pointer(p)
	return boxed
}
