// Package view answers what people see of a state: all syncs at a glance, one run, the
// errors, one sync, one record. It reads what is stored and answers plain values, the
// same for the console, the command line and SQL, so that their figures agree. It writes
// nothing, and knows neither HTML nor a vendor.
//
// Figures that only the sweeper's records give are as of its last turn, and say when that
// was; which runs go on, and how those ended that went on then, is read at the moment.
package view

import (
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// ErrNotFound says that nothing is stored under the name that was asked for. From all
// methods of Reader that name one thing.
var ErrNotFound = run.ErrNotFound

// Config says what a Reader reads.
type Config struct {
	Stores runs.Stores // required; those of a runs.Control
	// Link is the address of a record at its destination, for people; "" where there is
	// none. nil knows no addresses.
	Link func(kind string, url string, account, object, id string) string
	Now  func() time.Time // required
}

// A Reader answers pages. Its methods may be called from many goroutines.
type Reader struct {
	stores runs.Stores
	link   func(kind string, url string, account, object, id string) string
	now    func() time.Time

	mu    sync.Mutex       // held over no reading: who waits for the storage holds up nobody else
	drawn map[string]drawn // by sync
	// known are the overviews as they were read last: only what changed since is read whole.
	// The map is replaced, and never changed.
	known map[string]*run.Overview
}

// New makes a Reader; it reads nothing yet.
func New(c Config) *Reader {
	r := &Reader{stores: c.Stores, link: c.Link, now: c.Now, known: map[string]*run.Overview{}, drawn: map[string]drawn{}}
	if r.link == nil {
		r.link = func(string, string, string, string, string) string { return "" }
	}
	return r
}

// What one page reads at most. With 50 syncs a page asks five times at most; a record's asks
// once more for each sync whose ledger keeps record ids, and one that looks further for
// errors asks twice for each look.
const (
	mostItems  = 200
	mostOpen   = 50 // runs that go on, of all syncs
	mostErrors = 100
	// usualErrors are on a page where nothing else is asked for.
	usualErrors = 20
	mostLists   = 50 // entries of a list of errors
	// Where a look finds nothing, so many are made, each of so many entries, until they have
	// named so many rows: in all of a sync's last thousands of messages.
	mostLooks    = 10
	furtherLists = 1000
	mostRows     = 500_000
)
