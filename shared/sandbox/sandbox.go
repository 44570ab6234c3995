// Package sandbox is what every simulated destination shares: a Core that takes
// injected faults, counts calls, measures its own handler time, keeps the clock,
// and journals committed changes so that a killed process loses nothing that it
// answered. Each vendor's simulator is a package below this one and supplies the
// vendor's API; the Core knows no vendor.
//
// Under every simulator's address:
//
//	POST   /_sandbox/faults    add a Fault (JSON); GET lists them, DELETE clears them
//	GET    /_sandbox/calls     Stats as JSON; DELETE starts counting afresh
//	GET    /_sandbox/records   the records, served by the vendor's own handler
//
// Faults, as the body of a POST (every field is Fault's):
//
//	{"match":"PATCH /composite","status":503,"count":2}       an outage of two calls
//	{"holding":"customer-17","status":500,"count":-1}         one poison record fails whatever call holds it
//	{"fail_records":["customer-17"],"code":"…","count":-1}    the same record is refused, the others are not
//	{"status":429,"headers":{"Retry-After":"Sun, 01 Mar 2026 12:00:30 GMT"}}
//	{"status":200,"body":"{}"}                                absence in place of an answer; HTML with content_type
//	{"after_commit":true,"status":502}                        carried out, and answered as if it was not
//	{"after_commit":true,"delay_ms":60000}                    carried out, and answered late
//	{"drop_after_commit":true}                                carried out, and the connection closed
//	{"cut":-5}, {"cut":20,"drop_after_commit":true}           JSON cut off; the connection broken within it
//	{"shorten":1}, {"lengthen":1}                             an element of the answer's list too few, too many
//	{"find":"\"done\":true","replace":"\"done\":false"}       anything else that an answer should not say
package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/netguard"
)

// Prefix is the path below which a simulator is inspected and controlled. Nothing
// below it is counted, delayed or failed.
const Prefix = "/_sandbox/"

// maxBody is the largest request body that a simulator reads: above every
// vendor's own cap, so that the vendor's handler answers first.
const maxBody = 64 << 20

// Options configure a Core.
type Options struct {
	// Journal is the file that committed changes are appended to; "" keeps
	// nothing. Its folder must exist.
	Journal string
	// Now is the simulator's clock; nil is time.Now.
	Now func() time.Time
	// Label names a request in Stats.By; nil is method and path.
	Label func(*http.Request) string
	// Actions are what Fault.Action may name, done before the request is handled:
	// a vendor's expire_sessions, for instance.
	Actions map[string]func()
	// ThreadCPU measures the CPU time of the handlers too (Linux only). It locks
	// each handler to its thread, which costs about a microsecond a request.
	ThreadCPU bool
}

// A Core is the shared half of one simulator. Its methods are safe for
// concurrent use.
type Core struct {
	opts    Options
	journal *journal

	mu     sync.Mutex
	faults []*Fault
	stats  Stats
}

// New makes a Core and opens its journal. Call Replay before the first Commit.
func New(opts Options) (*Core, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Label == nil {
		opts.Label = func(r *http.Request) string { return r.Method + " " + r.URL.Path }
	}
	c := &Core{opts: opts, stats: Stats{By: map[string]int64{}}}
	if opts.Journal == "" {
		return c, nil
	}
	j, err := openJournal(opts.Journal)
	if err != nil {
		return nil, fmt.Errorf("open the simulator's journal: %w", err)
	}
	c.journal = j
	return c, nil
}

// Now reads the simulator's clock.
func (c *Core) Now() time.Time { return c.opts.Now() }

// Replay calls apply with every committed entry, in order. The slice is valid
// during the call only. A torn last entry (the process died while writing it, so
// nothing was answered) is cut off.
func (c *Core) Replay(apply func(entry []byte) error) error {
	if c.journal == nil {
		return nil
	}
	return c.journal.replay(apply)
}

// Durable reports whether there is a journal, so that a vendor need not encode
// entries for nothing.
func (c *Core) Durable() bool { return c.journal != nil }

// Commit appends one entry with a single write. Vendors call it after changing
// their state and before answering, under the lock that orders their changes.
func (c *Core) Commit(entry []byte) error {
	if c.journal == nil {
		return nil
	}
	return c.journal.append(entry)
}

// Close closes the journal.
func (c *Core) Close() error {
	if c.journal == nil {
		return nil
	}
	return c.journal.close()
}

// Wrap serves the control paths and hands everything else to the vendor's
// handler, counted, timed and subject to faults. Requests below Prefix that the
// Core does not know (records) go to the vendor uncounted. Only requests to a
// loopback Host, and of no foreign page, are answered.
func (c *Core) Wrap(vendor http.Handler) http.Handler {
	return netguard.Door{What: "a simulator"}.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == Prefix+"faults":
			c.serveFaults(w, r)
		case r.URL.Path == Prefix+"calls":
			c.serveCalls(w, r)
		case strings.HasPrefix(r.URL.Path, Prefix):
			vendor.ServeHTTP(w, r)
		default:
			c.serve(w, r, vendor)
		}
	}))
}

// serve reads the body before the watch starts, so that a slow client is not
// booked as the simulator's time.
func (c *Core) serve(w http.ResponseWriter, r *http.Request, vendor http.Handler) {
	buf := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		http.Error(w, "request body cannot be read", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = &body{Reader: *bytes.NewReader(buf.Bytes()), raw: buf.Bytes()}
	label := c.opts.Label(r)
	fault := c.take(r)
	if fault != nil && !c.before(w, r, fault) {
		c.count(label, 0, 0)
		return
	}
	target, k := w, (*kept)(nil)
	if fault != nil {
		k = &kept{header: http.Header{}, status: http.StatusOK}
		target = k
	}
	watch := startWatch(c.opts.ThreadCPU)
	func() {
		defer func() { c.count(label, watch.wall(), watch.cpu()) }()
		vendor.ServeHTTP(target, r)
	}()
	if fault != nil {
		fault.after(w, r, k)
	}
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// body is a request body that was read already.
type body struct {
	bytes.Reader
	raw []byte
}

func (*body) Close() error { return nil }

// RequestBody makes a body that Body answers without a copy, for requests that a
// vendor's handler makes to itself.
func RequestBody(raw []byte) io.ReadCloser {
	return &body{Reader: *bytes.NewReader(raw), raw: raw}
}

// Body is the whole body of a request that came through Wrap, without a copy.
// It is valid until the handler returns. Other requests are read here.
func Body(r *http.Request) ([]byte, error) {
	if b, ok := r.Body.(*body); ok {
		return b.raw, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, maxBody))
}
