package local_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A tap stands before a service and sees every request go by: a test can look,
// answer in the service's place, or cut the connection.
type tap struct {
	URL    string
	client *http.Client
	target string

	mu    sync.Mutex
	sees  []func(*passing) *reply
	after []func(*passing) *reply
}

// A passing is one request; status and answer are set once the service has answered.
type passing struct {
	op     string // "PutItem", or "PATCH /services/data/..."
	body   string
	status int
	answer string
}

// A reply takes the place of the service's; one without a status cuts the connection.
type reply struct {
	status int
	kind   string
	body   string
}

// newTap serves a tap of the service at a URL, until the test ends.
func newTap(t testing.TB, target string) *tap {
	t.Helper()
	p := &tap{target: target, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// before makes f see every request before the service does; the first reply holds.
func (p *tap) before(f func(*passing) *reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sees = append(p.sees, f)
}

// behind makes f see every request after the service has answered it.
func (p *tap) behind(f func(*passing) *reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = append(p.after, f)
}

func (p *tap) ask(w http.ResponseWriter, all []func(*passing) *reply, seen *passing) (answered bool) {
	for _, f := range all {
		r := f(seen)
		if r == nil {
			continue
		}
		if r.status == 0 {
			panic(http.ErrAbortHandler) // cuts the connection
		}
		w.Header().Set("Content-Type", r.kind)
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.body) // the client is gone
		return true
	}
	return false
}

// ServeHTTP implements http.Handler.
func (p *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	seen := &passing{op: r.Method + " " + r.URL.Path, body: string(body)}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, seen.op, _ = strings.Cut(target, ".")
	}
	p.mu.Lock()
	sees, after := p.sees, p.after
	p.mu.Unlock()
	if p.ask(w, sees, seen) {
		return
	}
	// A client that dies takes nothing back: what it sent is carried out.
	out, err := http.NewRequest(r.Method, p.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header, out.Host = r.Header.Clone(), r.Host
	in, err := p.client.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	answer, err := io.ReadAll(in.Body)
	_ = in.Body.Close() // read wholly
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	seen.status, seen.answer = in.StatusCode, string(answer)
	if p.ask(w, after, seen) {
		return
	}
	maps.Copy(w.Header(), in.Header)
	w.WriteHeader(in.StatusCode)
	_, _ = w.Write(answer) // the client is gone
}

// clear makes nobody see requests any more.
func (p *tap) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sees, p.after = nil, nil
}
