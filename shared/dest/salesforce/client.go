package salesforce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const (
	defaultVersion = "v62.0"
	maxAnswer      = 32 << 20 // bytes; five full query pages are about 2 MB
)

// A client makes HTTP calls with a session. It knows JSON only as far as errors
// and logins go.
type client struct {
	conn   syncdef.Connection
	login  *url.URL
	data   string // /services/data/vXX.0/
	secret func(ctx context.Context) (map[string]string, error)
	http   *http.Client
	now    func() time.Time
	calls  atomic.Int64

	mu      sync.Mutex // held during a login, so that one worker logs in once
	session session
}

// A session is a token and the host that takes it.
type session struct {
	token string
	base  string // scheme and host
}

var versionForm = regexp.MustCompile(`^v?\d{2,3}\.0$`)

func newClient(cfg Config) (*client, error) {
	u, err := checkURL(cfg.Connection.URL)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", cfg.Connection.Name, err)
	}
	version := defaultVersion
	if v := cfg.Connection.APIVer; v != "" {
		if !versionForm.MatchString(v) {
			return nil, fmt.Errorf("connection %s: api_version %q: write it like 62.0", cfg.Connection.Name, v)
		}
		version = "v" + strings.TrimPrefix(v, "v")
	}
	switch cfg.Connection.Auth {
	case "", authSecret, authJWT:
	default:
		return nil, fmt.Errorf("connection %s: auth %q: allowed are %s and %s", cfg.Connection.Name, cfg.Connection.Auth, authSecret, authJWT)
	}
	if cfg.Secret == nil {
		return nil, fmt.Errorf("connection %s: no way to read its secret", cfg.Connection.Name)
	}
	c := &client{conn: cfg.Connection, login: u, data: "/services/data/" + version + "/", secret: cfg.Secret, now: cfg.Now}
	if c.now == nil {
		c.now = time.Now
	}
	c.http = &http.Client{}
	if cfg.HTTP != nil {
		*c.http = *cfg.HTTP
	} else {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 2 * concurrency
		c.http.Transport = transport
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// checkURL allows https, and http on this machine only: a token must not travel in
// the clear.
func checkURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return nil, errors.New("url: write the organisation's My Domain address, like https://acme.my.salesforce.com")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return u, nil
	}
	return nil, errors.New("url: only https is allowed, except on this machine")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// An answer is a 2xx body that is JSON. free gives its memory back.
type answer struct {
	body []byte
	buf  *bytes.Buffer
}

var answers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (a *answer) free() { answers.Put(a.buf) }

// A lostError says that a request was sent and no usable answer came.
type lostError struct {
	code  string
	cause string
}

func (e *lostError) Error() string { return e.cause }

// do makes one API call, logging in first where needed and again, once, when the
// session has ended. The errors are *dest.CallError (nothing was done) and
// *lostError (it may have been).
func (c *client) do(ctx context.Context, op, method, path string, body []byte) (*answer, error) {
	s, err := c.open(ctx, session{})
	if err != nil {
		return nil, err
	}
	a, status, err := c.once(ctx, op, method, path, body, s)
	if status != http.StatusUnauthorized {
		return a, err
	}
	if s, err = c.open(ctx, s); err != nil {
		return nil, err
	}
	a, status, err = c.once(ctx, op, method, path, body, s)
	if status == http.StatusUnauthorized {
		return nil, &dest.CallError{Op: op, Class: dest.Configuration, Code: "INVALID_SESSION_ID",
			Message: "Salesforce refuses the session right after a login: check that the connected app's user may use the API (permission API Enabled) and that the app's IP rules admit this host"}
	}
	return a, err
}

// once makes the call and classes whatever comes back.
func (c *client) once(ctx context.Context, op, method, path string, body []byte, s session) (*answer, int, error) {
	target := s.base + c.data + path
	if strings.HasPrefix(path, "/") {
		target = s.base + path // a nextRecordsUrl
	}
	sent := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent = true }})
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, 0, &dest.CallError{Op: op, Class: dest.Configuration, Code: "request", Message: "the request cannot be made: check the connection's url"}
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	c.calls.Add(1)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, 0, unanswered(op, sent, err)
	}
	defer res.Body.Close()
	a := &answer{buf: answers.Get().(*bytes.Buffer)}
	a.buf.Reset()
	_, err = a.buf.ReadFrom(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && a.buf.Len() > maxAnswer {
		err = fmt.Errorf("the answer is over %d MiB", maxAnswer>>20)
	}
	if err != nil {
		a.free()
		return nil, 0, unanswered(op, true, err)
	}
	a.body = a.buf.Bytes()
	if failure := classify(op, method, path, res, a.body); failure != nil {
		a.free()
		return nil, res.StatusCode, failure
	}
	return a, res.StatusCode, nil
}

// unanswered tells a request that never left from one whose answer is missing.
func unanswered(op string, sent bool, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without the address
	}
	if sent {
		return &lostError{code: "no_answer", cause: "sent, but no answer came: " + err.Error()}
	}
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "network", Message: "Salesforce cannot be reached: " + err.Error()}
}
