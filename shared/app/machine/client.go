package machine

import (
	"bytes"
	"io"
	"net/http"
)

// Client calls a type's simulator within this process, whether or not it is served
// yet; nil when the simulator is off.
func (s *Sandbox) Client(kind string) *http.Client {
	sim := s.Simulated[kind]
	if sim == nil {
		return nil
	}
	return &http.Client{Transport: inProcess{sim}}
}

// inProcess answers requests by a handler.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &recorded{header: http.Header{}, status: http.StatusOK}
	incoming := r.Clone(r.Context())
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	p.handler.ServeHTTP(w, incoming)
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// recorded is an answer in memory.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorded) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorded) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *recorded) Write(b []byte) (int, error) { return w.body.Write(b) }
