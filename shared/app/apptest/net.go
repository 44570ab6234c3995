package apptest

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A Net is the network between the workers and the services. It notes every
// address that is called, and can be slow.
type Net struct {
	clock *Clock
	next  http.RoundTripper

	mu   sync.Mutex
	urls []string
	slow func(*http.Request) bool
}

func newNet(clock *Clock) *Net {
	return &Net{clock: clock, next: http.DefaultTransport.(*http.Transport).Clone()}
}

// Client is a client over the Net.
func (n *Net) Client() *http.Client { return &http.Client{Transport: n} }

// Slow makes the answers of some requests come too late: they are carried out, a
// minute passes, and the client has given up. nil ends it.
func (n *Net) Slow(which func(*http.Request) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slow = which
}

// RoundTrip implements http.RoundTripper.
func (n *Net) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.urls = append(n.urls, r.URL.String())
	slow := n.slow
	n.mu.Unlock()
	late := slow != nil && slow(r) // it may read the body, so before it is sent
	answer, err := n.next.RoundTrip(r)
	if err != nil || !late {
		return answer, err
	}
	_ = answer.Body.Close() // nobody reads it
	n.clock.Advance(time.Minute)
	return nil, context.DeadlineExceeded
}

// URLs are the addresses that were called.
func (n *Net) URLs() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.urls...)
}
