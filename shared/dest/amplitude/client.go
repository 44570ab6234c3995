package amplitude

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

const (
	maxAnswer = 8 << 20          // bytes: the indexes of 2,000 events many times over
	callTime  = 60 * time.Second // how long an answer to 20 MB is waited for
	inFlight  = 8                // calls of a process

	concurrency = 4  // calls of an invocation
	perSecond   = 10 // calls that Penstock makes at the most: see the package comment

	pathBatch = "/batch"
)

// A client makes HTTP calls with the project's API key; what answers mean stands in
// errors.go and decode.go.
type client struct {
	name   string // the connection's
	stored string // the secret's
	base   string
	secret func(context.Context) (map[string]string, error)
	http   *http.Client
	now    func() time.Time
	calls  atomic.Int64

	mu  sync.Mutex
	key string // "" until the secret was read, and after it was refused
}

func newClient(cfg dest.Config) (*client, error) {
	base, err := address(cfg.Connection.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Secret == nil {
		return nil, errors.New("no way to read its secret")
	}
	c := &client{name: cfg.Connection.Name, stored: cfg.SecretName(), base: base, secret: cfg.Secret, now: cfg.Now}
	if c.now == nil {
		c.now = time.Now
	}
	c.http = dest.HTTPClient(cfg, inFlight, callTime)
	return c, nil
}

// apiKey reads the secret, once.
func (c *client) apiKey(ctx context.Context, op string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key != "" {
		return c.key, nil
	}
	values, err := c.secret(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	key := strings.TrimSpace(values["api_key"])
	if err != nil || key == "" {
		return "", dest.BadSecret(op, c.stored, `{"api_key": "..."}, the project's`, err)
	}
	c.key = key
	return key, nil
}

// forget drops the key, so that the next call reads the secret again.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key = ""
}

// A reply is an answer of any status, wholly read.
type reply struct {
	sent   int // bytes of the request's body
	status int
	header http.Header
	body   []byte
}

// post sends a body to /batch and answers whatever comes back. The error is a
// *dest.CallError for a call that has no answer, or the context's.
func (c *client) post(ctx context.Context, op string, body []byte) (*reply, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, c.base+pathBatch, bytes.NewReader(body))
	if err != nil {
		return nil, badURL(op)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	c.calls.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, dest.Unanswered(ctx, op, title, c.name, sent.Load(), err)
	}
	defer resp.Body.Close()
	answer, err := dest.ReadAnswer(resp.Body, maxAnswer)
	if err != nil {
		return nil, dest.Unanswered(ctx, op, title, c.name, true, err)
	}
	return &reply{sent: len(body), status: resp.StatusCode, header: resp.Header, body: answer}, nil
}
