package hubspot

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
)

// apiVersion is the dated version of every path: the one place that names it. It is
// kept for 18 months.
const apiVersion = "2026-09"

const (
	standardURL = "https://api.hubapi.com"
	maxAnswer   = 16 << 20         // bytes; 100 records of 100 long texts are about 1 MB
	callTime    = 45 * time.Second // so that what was in a call that hangs is there within a minute
	tokenKey    = "token"          // of the secret
)

// A client makes HTTP calls; what answers mean stands in errors.go and by who asked.
type client struct {
	name   string // the connection's
	stored string // the secret's
	base   string // scheme and host
	secret func(context.Context) (map[string]string, error)
	http   *http.Client
	now    func() time.Time
	calls  atomic.Int64

	mu    sync.Mutex
	token string // "" until it is first needed, and after it was refused
}

func newClient(cfg dest.Config) (*client, error) {
	base, err := baseURL(cfg.Connection.URL)
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
	c.http = dest.HTTPClient(cfg, 2*inFlight, callTime)
	return c, nil
}

// baseURL allows https, and http on this machine only: a token must not travel in
// the clear. "" is HubSpot's own address.
func baseURL(text string) (string, error) {
	if text == "" {
		return standardURL, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("url: leave it out, or write an address without a path, like " + standardURL)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !netguard.LoopbackHost(u.Hostname())) {
		return "", errors.New("url: only https is allowed, except on this machine")
	}
	return u.Scheme + "://" + u.Host, nil
}

// A request is one API call.
type request struct {
	op     string // for errors: "upsert contacts"
	method string
	path   string
	body   []byte // JSON; nil is none
	object bool   // the path names an object
	// records is how many records it is about; 0 when it is about none.
	records int
	// holds reports whether a text is a value of the rows that are sent; nil where none are.
	holds func(string) bool
}

// told is a code or a name out of an answer as it may be passed on: "" where it is none,
// or a row's value (I6).
func (r *request) told(s string) string {
	if s = dest.Code(s); s != "" && r.holds != nil && r.holds(s) {
		return ""
	}
	return s
}

// An answer is a status and a body of JSON, or what was sent in its place.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes one API call and answers whatever came with a status; a token that is
// refused is read anew, once. The error is a *dest.CallError, or the context's when
// nothing was sent.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	token, err := c.open(ctx, r.op, "")
	if err != nil {
		return answer{}, err
	}
	a, err := c.once(ctx, r, token)
	if err != nil || a.status != http.StatusUnauthorized {
		return a, err
	}
	again, err := c.open(ctx, r.op, token)
	if err != nil || again == token {
		return a, err
	}
	return c.once(ctx, r, again)
}

// open answers the token, read anew when it is the refused one.
func (c *client) open(ctx context.Context, op, refused string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && c.token != refused {
		return c.token, nil
	}
	secret, err := c.secret(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	token := strings.TrimSpace(secret[tokenKey])
	if err != nil || token == "" || strings.ContainsAny(token, "\r\n") {
		return "", dest.BadSecret(op, c.stored, `{"token": "pat-..."}, a HubSpot Service Key`, err)
	}
	c.token = token
	return token, nil
}

// once makes the call.
func (c *client) once(ctx context.Context, r request, token string) (answer, error) {
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(traced, r.method, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, &dest.CallError{Op: r.op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "request", Message: "the request cannot be made: check the connection's url"}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	c.calls.Add(1)
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, dest.Unanswered(ctx, r.op, title, c.name, sent.Load(), err)
	}
	defer res.Body.Close()
	body, err := dest.ReadAnswer(res.Body, maxAnswer)
	if err != nil {
		return answer{}, dest.Unanswered(ctx, r.op, title, c.name, true, err)
	}
	return answer{status: res.StatusCode, header: res.Header, body: body}, nil
}
