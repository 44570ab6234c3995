// Package sqlite keeps everything that the pipeline stores in one SQLite file: the
// queue, the state of syncs and runs, the ledger, the errors and the token
// buckets. It is the storage of one machine, several processes included, and, in
// memory, of the simulation. What the methods promise is written at the
// interfaces in pipeline and its packages; shared/storetest holds it equal to shared/aws. Secrets
// are not kept here.
//
// Everything stored carries a format number: the file's layout stands for the rows
// and their JSON, ledger entries and sources of errors have their own.
package sqlite

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

//go:embed schema.sql
var schema string

// schemaVersion is stored in the file; a file of another version is refused.
const schemaVersion = 14

// A Store is one open file. Its methods may be called from many goroutines; they
// take turns on one connection, so that its page cache stays warm.
type Store struct {
	// MaxReceives is how often a message is handed out before it goes to the
	// dead letters; zero means 1,000, SQS's own upper bound. Set it before use.
	MaxReceives int

	turn    chan *conn // holds the connection while nobody uses it
	now     func() time.Time
	names   names     // guarded by turn
	late    late      // guarded by turn
	touched bool      // guarded by turn: the transaction writes what names or late hold
	expired time.Time // guarded by turn: when errors were last looked for that are too old

	path        string         // "" in memory
	beside      sync.WaitGroup // what goes on beside the calls; started with the turn in hand
	checkpoints checkpointer
	sorting     atomic.Int32 // sortNone, sortRuns or sortFailed

	lateMost, claimsMost int // the constants, but for tests
	slice                int // sliceMost, but for tests
	patience             int // of Shred: busyMillis, but for tests
}

// Open opens or creates a file, with owner-only rights because it holds row
// values. "" or ":memory:" keeps everything in memory until Close.
func Open(path string, now func() time.Time) (*Store, error) {
	if path == "" {
		path = ":memory:"
	}
	if path != ":memory:" {
		if err := private(path); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	c, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	if err := prepareSchema(c); err != nil {
		c.close()
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	s := &Store{turn: make(chan *conn, 1), now: now, names: newNames(), lateMost: lateMost, claimsMost: claimsMost, slice: sliceMost, patience: busyMillis, checkpoints: checkpointer{every: checkpointPages}}
	if path != ":memory:" {
		s.path = path
	}
	s.turn <- c
	_ = s.write(context.Background(), func(*conn) error { return nil }) // what is too old goes now, or with the next write
	return s, nil
}

// Close waits for the call that is running and closes the file. Calls after it
// return an error.
func (s *Store) Close() error {
	c, ok := <-s.turn
	if !ok {
		return nil
	}
	close(s.turn)
	s.beside.Wait()
	return c.close()
}

func (s *Store) inMemory() bool { return s.path == "" }

// private creates the file if need be, and takes the rights of others away.
// SQLite gives its WAL and index files the same rights.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(0o600)
}

// prepareSchema sets the connection up and creates the tables of a new file.
// NORMAL loses nothing when a process is killed: only a crash of the machine can
// take the last transactions, and the queue's senders and receivers repeat those. A page
// of 8 KiB holds one leaf of the ledger (leafMost). The cache of 40 MB is what penstock run
// has left of its 500 MB beside what waits (lateMost, make bench-parquet).
func prepareSchema(c *conn) error {
	if err := c.script(`PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-40960;
		PRAGMA wal_autocheckpoint=32768; PRAGMA temp_store=MEMORY;`); err != nil {
		return err
	}
	if err := c.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	found := int64(0)
	err := c.query(func(s *stmt) error { found = s.int(0); return nil }, "PRAGMA user_version")
	switch {
	case err != nil:
	case found == 0 && c.tables() > 0, found == schemaVersion && !c.ours():
		err = ErrForeign
	case found == 0:
		err = c.script(schema + fmt.Sprintf("PRAGMA user_version=%d;", schemaVersion))
	case found != schemaVersion:
		err = fmt.Errorf("the file has layout %d, this program knows layout %d: use the program that wrote it, or another file", found, schemaVersion)
	}
	if err != nil {
		return errors.Join(err, c.script("ROLLBACK"))
	}
	return c.script("COMMIT")
}

// write runs f in one transaction that holds the file's write lock from the start.
func (s *Store) write(ctx context.Context, f func(*conn) error) error {
	return s.transact(ctx, "BEGIN IMMEDIATE", func(c *conn) error {
		if now := s.now(); now.Sub(s.expired) >= expireEvery {
			if c.expireErrors(now) == nil { // else the next write tries again, and this one goes on
				s.expired = now
			}
		}
		return f(c)
	})
}

// read runs f on one snapshot.
func (s *Store) read(ctx context.Context, f func(*conn) error) error {
	return s.transact(ctx, "BEGIN", f)
}

func (s *Store) transact(ctx context.Context, begin string, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *conn
	var ok bool
	select {
	case c, ok = <-s.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !ok {
		return errClosed
	}
	committed := false
	defer func() { // also when f panics: the next call finds no transaction open
		if !committed {
			c.rollback()
			if s.touched { // they may hold what this transaction did
				s.names, s.late = newNames(), late{}
			}
		}
		s.touched = false
		s.turn <- c
	}()
	if _, err := c.exec(begin); err != nil {
		return err
	}
	if err := f(c); err != nil {
		return err
	}
	if _, err := c.exec("COMMIT"); err != nil {
		return err
	}
	committed = true
	s.checkpoint(c)
	if s.touched {
		s.sortBeside()
	}
	return nil
}

// tables counts the tables of the file, ours or not.
func (c *conn) tables() (n int64) {
	err := c.query(func(s *stmt) error { n = s.int(0); return nil }, "SELECT count(*) FROM sqlite_master")
	if err != nil {
		return 1 // a file that cannot be read is not taken for an empty one
	}
	return n
}

// ours reports whether the file has this package's tables.
func (c *conn) ours() bool {
	return c.query(func(*stmt) error { return nil }, "SELECT 1 FROM message, ledger, error LIMIT 0") == nil
}
