package amplitude

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
)

const (
	maxAnswer = 8 << 20          // bytes: the indexes of 2,000 events many times over
	callTime  = 60 * time.Second // how long an answer to 20 MB is waited for
	inFlight  = 8                // calls of a process

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
	c := &client{name: cfg.Connection.Name, stored: cfg.Connection.Secret, base: base, secret: cfg.Secret, http: &http.Client{}, now: cfg.Now}
	if c.stored == "" {
		c.stored = c.name
	}
	if c.now == nil {
		c.now = time.Now
	}
	if cfg.HTTP != nil {
		*c.http = *cfg.HTTP
	} else {
		transport := netguard.Transport(cfg.Loopback)
		transport.MaxIdleConnsPerHost = inFlight
		c.http.Transport, c.http.Timeout = transport, callTime
	}
	// A redirect would carry the key and the rows to another place.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
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
	switch {
	case err != nil:
		return "", noSecret(op, c.stored, "cannot be read")
	case key == "":
		return "", noSecret(op, c.stored, "has no api_key")
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
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, c.base+pathBatch, bytes.NewReader(body))
	if err != nil {
		return nil, badURL(op)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if misdirected := dest.Misdirected(op, c.name, err); misdirected != nil {
		return nil, misdirected
	}
	if err != nil && !connected.Load() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, unreachable(op)
	}
	c.calls.Add(1)
	if err != nil {
		return nil, lost(op)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, lost(op)
	}
	return &reply{status: resp.StatusCode, header: resp.Header, body: answer}, nil
}
