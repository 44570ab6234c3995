package apptest

import (
	"bytes"
	"context"
	"io"
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
	slow func(Requested) bool
}

func newNet(clock *Clock) *Net {
	return &Net{clock: clock, next: http.DefaultTransport.(*http.Transport).Clone()}
}

// Client is a client over the Net.
func (n *Net) Client() *http.Client { return &http.Client{Transport: n} }

// Slow makes the answers of some requests come too late: they are carried out, a
// minute passes, and the client has given up. nil ends it.
func (n *Net) Slow(which func(Requested) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slow = which
}

// A Requested is what a client sends.
type Requested struct{ Method, URL, Body string }

// RoundTrip implements http.RoundTripper.
func (n *Net) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.urls = append(n.urls, r.URL.String())
	slow := n.slow
	n.mu.Unlock()
	late := false
	if slow != nil {
		body, err := read(r)
		if err != nil {
			return nil, err
		}
		late = slow(Requested{r.Method, r.URL.String(), body})
	}
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

// read reads a request's body and puts it back.
func read(r *http.Request) (string, error) {
	if r.Body == nil {
		return "", nil
	}
	b, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(b))
	return string(b), err
}
