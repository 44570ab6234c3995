package salesforce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const (
	maxAnswer = 32 << 20 // bytes; five full query pages are about 2 MB
	// callTime is how long an answer is waited for. Calls of 20 seconds count as long
	// to Salesforce, which has few of them at once; one that takes over twice that is better
	// made of fewer records, and so is what was in it there within a minute.
	callTime = 45 * time.Second
)

// A client makes HTTP calls with a session. It knows no JSON; what an answer means
// is decided in errors.go and by who asked.
type client struct {
	conn   syncdef.Connection
	login  *url.URL
	data   string // /services/data/vXX.0/
	secret func(ctx context.Context) (map[string]string, error)
	http   *http.Client
	now    func() time.Time
	calls  atomic.Int64

	turn    chan struct{} // held during a login, so that one worker logs in once
	session session       // of who holds turn
}

// A session is a token, the host that takes it, and whose it is.
type session struct {
	token string
	base  string // scheme and host
	org   string // 18 characters; "" when the login did not say
}

var versionForm = regexp.MustCompile(`^[0-9]{2,3}\.0$`)

func newClient(cfg dest.Config) (*client, error) {
	conn := cfg.Connection
	u, err := myDomain(conn.URL)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", conn.Name, err)
	}
	version := conn.Options[keyVersion]
	if version == "" {
		version = defaultVersion
	}
	if !versionForm.MatchString(version) {
		return nil, fmt.Errorf("connection %s: api_version %q: write it like %s", conn.Name, version, defaultVersion)
	}
	switch auth := conn.Options[keyAuth]; auth {
	case "", authSecret, authJWT:
	default:
		return nil, fmt.Errorf("connection %s: auth %q: allowed are %s and %s", conn.Name, auth, authSecret, authJWT)
	}
	if cfg.Secret == nil {
		return nil, fmt.Errorf("connection %s: no way to read its secret", conn.Name)
	}
	c := &client{conn: conn, login: u, data: "/services/data/v" + version + "/", secret: cfg.Secret, now: cfg.Now, turn: make(chan struct{}, 1)}
	if c.now == nil {
		c.now = time.Now
	}
	c.http = dest.HTTPClient(cfg, 2*inFlight, callTime)
	return c, nil
}

// myDomain allows https, and http on this machine only: a token must not travel in
// the clear.
func myDomain(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("url: write the organisation's My Domain address, like https://acme.my.salesforce.com")
	}
	if u.Scheme == "https" || u.Scheme == "http" && netguard.LoopbackHost(u.Hostname()) {
		return u, nil
	}
	return nil, errors.New("url: only https is allowed, except on this machine")
}

// A request is one API call.
type request struct {
	op      string // for errors: "upsert Account"
	method  string
	path    string // below the version's address, or from / on
	body    []byte // JSON; nil is none
	header  http.Header
	records int // how many it is about; 0 when it is about none
}

// An answer is a 2xx body. free gives its memory back.
type answer struct {
	body []byte
	buf  *bytes.Buffer
}

var answers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (a *answer) free() { answers.Put(a.buf) }

// do makes one API call, logging in first where needed and again, once, when the
// session has ended. The error is a *dest.CallError, or the context's when nothing
// was sent.
func (c *client) do(ctx context.Context, r request) (*answer, error) {
	s, err := c.open(ctx, session{})
	if err != nil {
		return nil, err
	}
	a, status, err := c.once(ctx, r, s)
	if status != http.StatusUnauthorized {
		return a, err
	}
	if s, err = c.open(ctx, s); err != nil {
		return nil, err
	}
	a, status, err = c.once(ctx, r, s)
	if status == http.StatusUnauthorized {
		return nil, sessionRefused(r.op)
	}
	return a, err
}

// once makes the call and classes whatever comes back.
func (c *client) once(ctx context.Context, r request, s session) (*answer, int, error) {
	target := s.base + c.data + r.path
	if strings.HasPrefix(r.path, "/") {
		target = s.base + r.path // a nextRecordsUrl
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	var content io.Reader
	if r.body != nil {
		content = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(traced, r.method, target, content)
	if err != nil {
		return nil, 0, &dest.CallError{Op: r.op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "request", Message: "the request cannot be made: check the connection's url"}
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	c.calls.Add(1)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, 0, dest.Unanswered(ctx, r.op, title, c.conn.Name, sent.Load(), err)
	}
	defer res.Body.Close()
	a := &answer{buf: answers.Get().(*bytes.Buffer)}
	a.buf.Reset()
	_, err = a.buf.ReadFrom(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && a.buf.Len() > maxAnswer {
		err = dest.ErrTooLong
	}
	if err != nil {
		a.free()
		return nil, 0, dest.Unanswered(ctx, r.op, title, c.conn.Name, true, err)
	}
	a.body = a.buf.Bytes()
	if failure := classify(r, res, a.body, c.now()); failure != nil {
		a.free()
		return nil, res.StatusCode, failure
	}
	return a, res.StatusCode, nil
}
