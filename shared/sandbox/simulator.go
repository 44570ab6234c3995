package sandbox

import (
	"iter"
	"net/http"
	"time"
)

// A Simulator is one vendor's simulator as a value, for programs that have a list
// of them.
type Simulator struct {
	Type   string            // the connection's type
	Title  string            // for people
	Secret map[string]string // what a connection's secret must hold; it guards nothing
	// Open starts one.
	Open func(Settings) (Simulated, error)
	// Hints are commands that look at one, printed after its address; URL stands for it.
	Hints []string
}

// Settings are what every simulator is opened with.
type Settings struct {
	Journal string            // file that keeps what it was told; "" keeps it in memory only
	Names   string            // file with objects, fields or channels of one's own; "" none
	Accept  bool              // names that are not known are made when they are first used
	Notice  func(line string) // is told so, once a name; nil tells nobody
	Now     func() time.Time  // nil is time.Now
	// Faster says how many times faster the windows of the vendor's limits go by, with
	// as many calls in each; 0 and 1 are as the vendor's.
	Faster int
}

// LeastWindow is the shortest window that is made faster: what a busy machine delays a
// call by must not be half of one.
const LeastWindow = 100 * time.Millisecond

// Window is how long a window of the vendor's lasts: d, divided by Faster, but not less
// than LeastWindow. Windows of a day or more are left.
func (s Settings) Window(d time.Duration) time.Duration {
	if s.Faster <= 1 || d <= LeastWindow || d >= 24*time.Hour {
		return d
	}
	return max(d/time.Duration(s.Faster), LeastWindow)
}

// A Simulated is a running simulator.
type Simulated interface {
	http.Handler
	Core() *Core
	Close() error
}

// A Holder is a simulator whose records can be looked at in one form, whatever its
// vendor. All known simulators are.
type Holder interface {
	// Records are those of an object that are there, in the order of their making. The
	// store is locked meanwhile, and a record is valid until the next one.
	Records(object string) iter.Seq[Record]
}

// A Record is one record as it lies in a simulator's store.
type Record interface {
	// ID is the record's id.
	ID() string
	// Text is a field's value as text, of a list or an object as JSON; ok is false for
	// null and for a field that there is not. The bytes are read before the next call.
	Text(field string) (text []byte, ok bool)
}
