package sqlite

import (
	"fmt"
	"unsafe"

	sqlite3 "modernc.org/sqlite/lib"
)

// A stmt is one compiled statement. Values that were bound, and blobs that were
// read, are valid until the next step or reset of any statement that binds.
type stmt struct {
	c *conn
	p uintptr
}

// bind sets the parameters ?1, ?2, ... to ints, bools, strings and byte slices.
func (s *stmt) bind(args ...any) error {
	n := 1
	for _, a := range args {
		switch v := a.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	at, err := s.c.scratch(n)
	if err != nil {
		return err
	}
	for i, a := range args {
		switch v := a.(type) {
		case int:
			err = s.bindInt(i+1, int64(v))
		case int64:
			err = s.bindInt(i+1, v)
		case bool:
			b := int64(0)
			if v {
				b = 1
			}
			err = s.bindInt(i+1, b)
		case string:
			copy(unsafe.Slice((*byte)(pointer(at)), len(v)), v)
			err = s.ok(sqlite3.Xsqlite3_bind_text(s.c.tls, s.p, int32(i+1), at, int32(len(v)), sqlite3.SQLITE_STATIC))
			at += uintptr(len(v))
		case []byte:
			copy(unsafe.Slice((*byte)(pointer(at)), len(v)), v)
			err = s.bindBlob(i+1, at, len(v))
			at += uintptr(len(v))
		default:
			err = fmt.Errorf("parameter %d: no binding for %T", i+1, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stmt) bindInt(i int, v int64) error {
	return s.ok(sqlite3.Xsqlite3_bind_int64(s.c.tls, s.p, int32(i), v))
}

// bindBlob binds n bytes of the library's memory, which must outlive the step.
func (s *stmt) bindBlob(i int, at uintptr, n int) error {
	return s.ok(sqlite3.Xsqlite3_bind_blob(s.c.tls, s.p, int32(i), at, int32(n), sqlite3.SQLITE_STATIC))
}

// step runs to the next row; false at the end.
func (s *stmt) step() (row bool, err error) {
	switch rc := sqlite3.Xsqlite3_step(s.c.tls, s.p); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.error(rc)
	}
}

// reset makes the statement ready for its next run; its error was step's.
func (s *stmt) reset() { sqlite3.Xsqlite3_reset(s.c.tls, s.p) }

func (s *stmt) int(i int) int64 { return sqlite3.Xsqlite3_column_int64(s.c.tls, s.p, int32(i)) }

func (s *stmt) bool(i int) bool { return s.int(i) != 0 }

func (s *stmt) text(i int) string { return string(s.view(i)) }

// bytes copies a blob; nil when it is empty.
func (s *stmt) bytes(i int) []byte { return append([]byte(nil), s.view(i)...) }

// view is a column's bytes in the library's memory, until the next step.
func (s *stmt) view(i int) []byte {
	p := sqlite3.Xsqlite3_column_blob(s.c.tls, s.p, int32(i))
	if p == 0 {
		return nil
	}
	n := sqlite3.Xsqlite3_column_bytes(s.c.tls, s.p, int32(i))
	return unsafe.Slice((*byte)(pointer(p)), int(n))
}

func (s *stmt) ok(rc int32) error {
	if rc != sqlite3.SQLITE_OK {
		return s.c.error(rc)
	}
	return nil
}
