package sqlite

import (
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	_ "modernc.org/sqlite" // its init prepares the library for use from Go
	sqlite3 "modernc.org/sqlite/lib"
)

// What is wrong with the file, wrapped by every method.
var (
	ErrFull     = errors.New("the disk is full")
	ErrForeign  = errors.New("the file is not a state of Penstock")
	ErrDamaged  = errors.New("the file is damaged")
	ErrReadOnly = errors.New("the file cannot be opened for writing")
)

// busyMillis is how long a call waits for another process's transaction.
const busyMillis = 15_000

var (
	errBusy   = errors.New("the file is locked by another process; it did not let go within 15 s")
	errClosed = errors.New("the store is closed")
)

// A conn is one SQLite connection, used by one goroutine at a time. It talks to
// the library below database/sql, whose per-row cost is larger than SQLite's own
// on the ledger's path (BenchmarkLedger).
type conn struct {
	tls   *libc.TLS
	db    uintptr
	stmts map[string]*stmt
	arena uintptr // memory of the library's side that bound values are copied to
	size  int
}

// open opens or creates a database file; ":memory:" is private to the connection.
func open(path string) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), stmts: map[string]*stmt{}}
	name, err := libc.CString(path)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	out := libc.Xmalloc(c.tls, 8)
	defer libc.Xfree(c.tls, out)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, out, flags, 0)
	c.db = *(*uintptr)(pointer(out))
	if rc != sqlite3.SQLITE_OK {
		err := c.error(rc)
		c.close()
		return nil, err
	}
	c.patience(busyMillis)
	return c, nil
}

// patience is how many milliseconds its calls wait for other processes.
func (c *conn) patience(millis int) { sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, int32(millis)) }

func (c *conn) close() error {
	for _, s := range c.stmts {
		sqlite3.Xsqlite3_finalize(c.tls, s.p)
	}
	rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	if c.arena != 0 {
		libc.Xfree(c.tls, c.arena)
	}
	c.tls.Close()
	if rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("sqlite code %d", rc)
	}
	return nil
}

// others is a number, never 0, that stays as long as no other connection writes to the file;
// what this one writes does not change it.
func (c *conn) others() (n int64, err error) {
	err = c.query(func(q *stmt) error { n = q.int(0) + 1; return nil }, "PRAGMA data_version")
	return n, err
}

// script runs several statements without parameters.
func (c *conn) script(text string) error {
	p, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, p)
	if rc := sqlite3.Xsqlite3_exec(c.tls, c.db, p, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	return nil
}

// exec runs one statement and returns how many rows it changed.
func (c *conn) exec(query string, args ...any) (int, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	defer s.reset()
	if err := s.bind(args...); err != nil {
		return 0, err
	}
	if _, err := s.step(); err != nil {
		return 0, err
	}
	return c.changes(), nil
}

// query calls each for every row of the result.
func (c *conn) query(each func(*stmt) error, query string, args ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	defer s.reset()
	if err := s.bind(args...); err != nil {
		return err
	}
	for {
		row, err := s.step()
		if err != nil || !row {
			return err
		}
		if err := each(s); err != nil {
			return err
		}
	}
}

// rollback ends the transaction, if one is open: some errors have ended it already.
// It cannot fail where SQLite still has the pages of before.
func (c *conn) rollback() {
	if sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 {
		_ = c.script("ROLLBACK")
	}
}

func (c *conn) changes() int { return int(sqlite3.Xsqlite3_changes(c.tls, c.db)) }

// prepare compiles a statement once per connection.
func (c *conn) prepare(query string) (*stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	text, err := libc.CString(query)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	out := libc.Xmalloc(c.tls, 8)
	defer libc.Xfree(c.tls, out)
	if rc := sqlite3.Xsqlite3_prepare_v2(c.tls, c.db, text, -1, out, 0); rc != sqlite3.SQLITE_OK {
		return nil, c.error(rc)
	}
	s := &stmt{c: c, p: *(*uintptr)(pointer(out))}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) error(rc int32) error {
	if c.db == 0 {
		return fmt.Errorf("sqlite code %d", rc)
	}
	text := libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	switch rc & 0xff {
	case sqlite3.SQLITE_BUSY:
		return errBusy
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_NOTADB:
		return ErrForeign
	case sqlite3.SQLITE_CORRUPT:
		return ErrDamaged
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w (%s)", ErrReadOnly, text)
	}
	return fmt.Errorf("%s (sqlite code %d)", text, rc)
}

// scratch returns memory of at least n bytes that stays valid until the next call.
func (c *conn) scratch(n int) (uintptr, error) {
	if c.arena == 0 || n > c.size {
		if c.arena != 0 {
			libc.Xfree(c.tls, c.arena)
		}
		c.size = max(n, 2*c.size, 4096)
		if c.arena = libc.Xmalloc(c.tls, libc.Tsize_t(c.size)); c.arena == 0 {
			c.size = 0
			return 0, fmt.Errorf("no memory for %d bytes", n)
		}
	}
	return c.arena, nil
}

// pointer turns an address of the library's memory, which Go's collector neither
// owns nor moves, into a pointer.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
