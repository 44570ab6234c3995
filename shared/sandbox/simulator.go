package sandbox

import (
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
}

// A Simulated is a running simulator.
type Simulated interface {
	http.Handler
	Core() *Core
	Close() error
}
