// Package local is the rest of the cloud on one machine: an HTTP gateway that
// hands out API Gateway events, a poller that does what Lambda's SQS event source
// mapping does, a tick, and a host for built Lambda binaries. Handlers always get
// the JSON that Lambda would give them. It holds no rule of the road.
package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// An Invoker is a function as Lambda calls it: a payload in, an answer out.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// The limits of API Gateway (AWS documentation, "Amazon API Gateway quotas").
const (
	maxPayload         = 10 << 20
	integrationTimeout = 29 * time.Second
)

// Gateway serves each path by its function, POST and GET, as a REST API with
// Lambda proxy integration does.
func Gateway(routes map[string]Invoker) http.Handler {
	mux := http.NewServeMux()
	free := make(chan *payload, keptPayloads)
	for path, f := range routes {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			p := &payload{}
			select {
			case p = <-free:
			default:
			}
			if !proxy(w, r, f, p) {
				return
			}
			select {
			case free <- p:
			default:
			}
		})
	}
	return mux
}

// A payload is a request's body and the event that is made of it, megabytes both, kept
// for the next requests.
type payload struct {
	body  bytes.Buffer
	event []byte
}

// keptPayloads are a few MB each: a warehouse has some requests under way at a time.
const keptPayloads = 4

// proxy serves one request. It reports whether the payload may be used again: a
// function that was given up may still read it.
func proxy(w http.ResponseWriter, r *http.Request, f Invoker, p *payload) bool {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		http.Error(w, `{"message":"Missing Authentication Token"}`, http.StatusForbidden) // API Gateway's answer
		return false
	}
	p.body.Reset()
	p.body.Grow(int(min(max(r.ContentLength, 0), maxPayload)) + bytes.MinRead) // so that it need not grow
	_, err := p.body.ReadFrom(http.MaxBytesReader(w, r.Body, maxPayload))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		http.Error(w, `{"message":"Request Too Long"}`, http.StatusRequestEntityTooLarge)
		return false
	}
	if err != nil { // or the client went away
		http.Error(w, `{"message":"Bad Request: the body cannot be read"}`, http.StatusBadRequest)
		return false
	}
	if n := gateway.EventSize(r.Method, r.URL.Path, r.Header, r.URL.Query(), p.body.Len()); n > gateway.MaxEvent {
		http.Error(w, fmt.Sprintf(`{"message":"Request Too Long: %d bytes of body are an event of %d in base64, and a Lambda function takes %d: send fewer rows a request (MAX_BATCH_ROWS), or fewer columns"}`, p.body.Len(), n, gateway.MaxEvent), http.StatusRequestEntityTooLarge)
		return false
	}
	ctx, cancel := context.WithTimeout(r.Context(), integrationTimeout)
	defer cancel()
	p.event = gateway.AppendRequest(p.event[:0], r.Method, r.URL.Path, r.Header, r.URL.Query(), p.body.Bytes())
	raw, err := f.Invoke(ctx, p.event)
	if ctx.Err() != nil {
		http.Error(w, `{"message":"Endpoint request timed out"}`, http.StatusGatewayTimeout)
		return false
	}
	answer, decodeErr := gateway.DecodeResponse(raw)
	if err != nil || decodeErr != nil || len(raw) > gateway.MaxEvent {
		http.Error(w, `{"message":"Internal server error"}`, http.StatusBadGateway)
		return false
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // the client went away
	return true
}
