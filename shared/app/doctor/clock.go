package doctor

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// The bounds of a clock's error. AWS refuses a request that was signed more than 5
// minutes off (AWS documentation, "Troubleshoot Signature Version 4 signing"), and so
// do those who are sent a signed token that is not valid yet.
const (
	skewWarns = 30 * time.Second
	skewFails = 5 * time.Minute
)

// Clocks remembers what servers said the time is, by their Date headers (RFC 9110,
// 6.6.1). It is safe for concurrent use.
type Clocks struct {
	Now func() time.Time

	mu   sync.Mutex
	seen []seen
}

// seen is one server's time against ours.
type seen struct {
	host string
	skew time.Duration // ours less theirs
}

// Watch is a transport that looks at each answer's Date.
func (c *Clocks) Watch(next http.RoundTripper) http.RoundTripper { return watcher{c, next} }

type watcher struct {
	clocks *Clocks
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w watcher) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := w.clocks.Now()
	answer, err := w.next.RoundTrip(r)
	if err == nil {
		w.clocks.See(r.URL.Hostname(), answer.Header.Get("Date"), sent, w.clocks.Now())
	}
	return answer, err
}

// See notes the Date of an answer to a request that was sent and answered then; one
// that cannot be read says nothing.
func (c *Clocks) See(host, date string, sent, answered time.Time) {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return
	}
	theirs = theirs.Add(500 * time.Millisecond) // the header has whole seconds, cut off
	var skew time.Duration
	switch { // the server wrote it at some time in between
	case theirs.Before(sent):
		skew = sent.Sub(theirs)
	case theirs.After(answered):
		skew = answered.Sub(theirs)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, seen{host, skew})
}

// Finding judges the clock by the server that is nearest to it: one server that is
// wrong is not this machine's fault.
func (c *Clocks) Finding() Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := Finding{Check: "clock", Verdict: OK, Detail: "no server was asked for the time"}
	if len(c.seen) == 0 {
		return f
	}
	best := c.seen[0]
	for _, s := range c.seen {
		if s.skew.Abs() < best.skew.Abs() {
			best = s
		}
	}
	off := best.skew.Abs().Round(time.Second)
	if off < skewWarns {
		f.Detail = fmt.Sprintf("within %v of %s", skewWarns, best.host)
		return f
	}
	word := "ahead of"
	if best.skew < 0 {
		word = "behind"
	}
	f.Verdict, f.Detail = Warn, fmt.Sprintf("this machine is %v %s %s", off, word, best.host)
	f.Remedy = "set the clock by NTP: timedatectl set-ntp true, or sudo sntp -sS time.apple.com"
	if off > skewFails {
		f.Verdict = Fail
		f.Detail += "; signed requests and tokens are refused from 5 minutes on"
	}
	return f
}
