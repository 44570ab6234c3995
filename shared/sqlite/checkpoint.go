package sqlite

import (
	"sync/atomic"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// After so many pages, 128 MB, what was committed is brought from the write-ahead log into
// the file. It waits for the disk, so that it is done beside the store's calls; a call
// that finds twice as many in the log does it itself (prepareSchema).
const checkpointPages = 16384

// A checkpointer brings the write-ahead log of one file into it.
type checkpointer struct {
	every   int // checkpointPages, but for tests
	pages   int // how many the connection had written at the last start; guarded by turn
	working atomic.Bool
}

// checkpoint starts one where it is time; the caller has the turn.
func (s *Store) checkpoint(c *conn) {
	if s.inMemory() { // which has no log
		return
	}
	k := &s.checkpoints
	if n := c.written(); n-k.pages >= k.every && k.working.CompareAndSwap(false, true) {
		k.pages = n
		s.beside.Go(func() {
			defer k.working.Store(false)
			s.bring()
		})
	}
}

// bring copies what is in the log on a connection of its own, once more what came
// meanwhile, and then, in a turn, the little that is left: only then is the log begun anew.
// The second time halves how long the turn is held, which waits for the disk (66 to 30 ms).
// What goes wrong is left to the next one.
func (s *Store) bring() {
	const passive = "PRAGMA wal_checkpoint(PASSIVE)"
	own, err := open(s.path)
	if err != nil {
		return
	}
	err = own.script(passive)
	if err == nil {
		err = own.script(passive)
	}
	if own.close() != nil || err != nil {
		return
	}
	if c, ok := <-s.turn; ok {
		_ = c.script(passive)
		s.turn <- c
	}
}

// written is how many pages the connection has written.
func (c *conn) written() int {
	out := libc.Xmalloc(c.tls, 8)
	defer libc.Xfree(c.tls, out)
	if sqlite3.Xsqlite3_db_status(c.tls, c.db, sqlite3.SQLITE_DBSTATUS_CACHE_WRITE, out, out+4, 0) != sqlite3.SQLITE_OK {
		return 0
	}
	return int(*(*int32)(pointer(out)))
}
