package intercom

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
)

const (
	apiVersion = "2.16" // of the REST API ("Versioning"); in this one place
	maxAnswer  = 16 << 20
	callTime   = 30 * time.Second
)

// A client makes HTTP calls and sorts answers by whose they are; what an answer to a
// contact's call means is the destination's to say.
type client struct {
	name   string // the connection's
	stored string // the secret's
	base   string
	secret func(context.Context) (map[string]string, error)
	http   *http.Client
	now    func() time.Time
	calls  atomic.Int64
	limit  atomic.Int64 // the last X-RateLimit-Limit: what the app may call in 10 seconds; 0 before

	mu    sync.Mutex
	token string // "" until the secret was read, and after it was refused
}

func newClient(cfg dest.Config) (*client, error) {
	address := cfg.Connection.URL
	if address == "" {
		address = hosts[cfg.Connection.Options[keyRegion]]
	}
	base, err := baseURL(address)
	if err != nil {
		return nil, err
	}
	c := &client{name: cfg.Connection.Name, stored: cfg.SecretName(), base: base, secret: cfg.Secret, now: cfg.Now}
	c.http = dest.HTTPClient(cfg, inFlight, callTime)
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// baseURL is the address that paths are appended to.
func baseURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("url: write the API's address, like https://api.intercom.io, https://api.eu.intercom.io or https://api.au.intercom.io, or leave it out and set region")
	case u.Scheme != "https" && (u.Scheme != "http" || !netguard.LoopbackHost(u.Hostname())):
		return "", errors.New("url: only https is allowed, except on this machine")
	}
	return strings.TrimRight(text, "/"), nil
}

// An answer is what came back: a 2xx body, or a refusal that is the record's.
type answer struct {
	status int
	body   []byte
	err    *refusal // nil for a 2xx
	link   string   // the id in Link: </contacts/ID>; rel="canonical"; "" without one
}

// do makes one request. The answer is a 2xx or a refusal of what was sent; anything
// else is a *dest.CallError, or the context's error when nothing was sent.
func (c *client) do(ctx context.Context, op, method, path string, body []byte) (*answer, error) {
	token, err := c.bearer(ctx, op)
	if err != nil {
		return nil, err
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(traced, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, &dest.CallError{Op: op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "url", Message: "the connection's url makes no address"}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Intercom-Version", apiVersion)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	c.calls.Add(1)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, dest.Unanswered(ctx, op, title, c.name, sent.Load(), err)
	}
	defer res.Body.Close()
	read, err := dest.ReadAnswer(res.Body, maxAnswer)
	if err != nil {
		return nil, dest.Unanswered(ctx, op, title, c.name, true, err)
	}
	c.note(res.Header)
	return c.judge(op, res, read)
}

// bearer reads the token, before the first request and after a refusal.
func (c *client) bearer(ctx context.Context, op string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" {
		return c.token, nil
	}
	var values map[string]string
	var err error
	if c.secret != nil {
		values, err = c.secret(ctx)
	}
	token := strings.TrimSpace(values["token"])
	switch {
	case err != nil && ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil || token == "":
		return "", dest.BadSecret(op, c.stored, `{"token": "..."}, an access token of an app in Intercom's Developer Hub`, err)
	}
	c.token = token
	return token, nil
}

// forget drops a token that was refused, so that the next call reads the secret again.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = ""
}

// note keeps what the vendor says of the app's limit; answers without valid
// credentials do not say it.
func (c *client) note(h http.Header) {
	if n, err := strconv.ParseInt(h.Get("X-RateLimit-Limit"), 10, 64); err == nil && n > 0 {
		c.limit.Store(n)
	}
}
