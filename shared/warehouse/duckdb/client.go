package duckdb

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

const (
	retryFor  = 2 * time.Minute
	firstWait = 200 * time.Millisecond
	longest   = 10 * time.Second
	patience  = 5 * time.Second // before Config.Repeats is told
	maxReply  = 10 << 20        // bytes: what Snowflake takes of one batch
	maxShown  = 2 << 10         // bytes of a refusal's body that go into the SQL error
	plainMost = 2 << 20         // bytes of a body that goes uncompressed: see pack

	keptExchanges = 4 // of a few MB each: DuckDB's threads on small machines
)

// A client calls the gateway as Snowflake would.
type client struct {
	gateway string
	token   string
	role    string
	http    *http.Client
	total   time.Duration
	sleep   func(context.Context, time.Duration) error
	now     func() time.Time
	free    chan *exchange // kept for the next batches

	answered func(Batch)
	repeats  func(error)
}

func newClient(cfg Config) *client {
	c := &client{
		gateway: strings.TrimRight(cfg.Gateway, "/"), token: cfg.Token, role: cfg.Role,
		http: cfg.HTTP, total: cfg.RetryFor, sleep: cfg.Sleep, now: cfg.Now,
		free: make(chan *exchange, keptExchanges),
	}
	if c.http == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64
		c.http = &http.Client{Transport: t}
	}
	if c.total == 0 {
		c.total = retryFor
	}
	if c.sleep == nil {
		c.sleep = wait
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.answered = cfg.Answered; c.answered == nil {
		c.answered = func(Batch) {}
	}
	if c.repeats = cfg.Repeats; c.repeats == nil {
		c.repeats = func(error) {}
	}
	return c
}

// take is an exchange to work with; give keeps it for the next batch, unless enough
// are kept. A sync.Pool would forget them with every collection, and their buffers
// are what a statement allocates most of.
func (c *client) take() *exchange {
	select {
	case x := <-c.free:
		return x
	default:
		return &exchange{}
	}
}

func (c *client) give(x *exchange) {
	select {
	case c.free <- x:
	default:
	}
}

// call sends the body in x.plain as one batch of a function and leaves the
// answer's body in x.reply. Network errors, 5xx and 429 are tried again under the
// same batch id; any other status fails with the body's text.
func (c *client) call(ctx context.Context, f *function, s *statement, x *exchange) error {
	if c.gateway == "" {
		return fmt.Errorf("%s: no gateway is configured, so there is nothing to call; start one with `penstock local`", f.name)
	}
	header := c.headers(f, s)
	if err := x.pack(header); err != nil {
		return fmt.Errorf("%s: compress the batch: %w", f.name, err)
	}
	began, told := c.now(), false
	end := began.Add(c.total)
	for pause := firstWait; ; pause = min(2*pause, longest) {
		again, err := c.attempt(ctx, f, header, x)
		if err == nil || !again {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", f.name, context.Cause(ctx))
		}
		if c.now().Add(pause).After(end) {
			return fmt.Errorf("%w; given up after %s of attempts", err, c.total)
		}
		if !told && c.now().Sub(began) >= patience {
			told = true
			c.repeats(err)
		}
		if err := c.sleep(ctx, pause); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
}

func (c *client) headers(f *function, s *statement) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Accept-Encoding", "identity") // Content-MD5 is over the bytes as they are sent
	h.Set("sf-external-function-format", "json")
	h.Set("sf-external-function-format-version", "1.0")
	h.Set("sf-external-function-current-query-id", s.query)
	h.Set("sf-external-function-query-batch-id", s.next())
	for name, value := range map[string]string{"name": f.name, "signature": f.signature, "return-type": "VARIANT"} {
		h.Set("sf-external-function-"+name, value)
		h.Set("sf-external-function-"+name+"-base64", base64.StdEncoding.EncodeToString([]byte(value)))
	}
	if c.role != "" {
		h.Set(snowflake.HeaderRole, blanked.ReplaceAllString(c.role, " "))
		h.Set(snowflake.HeaderRole+"-base64", base64.StdEncoding.EncodeToString([]byte(c.role)))
	}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	return h
}

// blanked is what Snowflake leaves out of a context header: each run becomes a blank.
var blanked = regexp.MustCompile(`[^\x20-\x7e]+`)

// attempt sends once. again reports whether the same batch may be sent again.
func (c *client) attempt(ctx context.Context, f *function, header http.Header, x *exchange) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.gateway+f.path, bytes.NewReader(x.body))
	if err != nil {
		return false, fmt.Errorf("%s: the gateway's address: %w", f.name, err)
	}
	req.Header = header
	resp, err := c.http.Do(req)
	if err != nil {
		return true, fmt.Errorf("%s: call the gateway: %w", f.name, err)
	}
	defer resp.Body.Close()
	x.reply.Reset()
	if _, err := x.reply.ReadFrom(io.LimitReader(resp.Body, maxReply+1)); err != nil {
		return true, fmt.Errorf("%s: read the gateway's answer: %w", f.name, err)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		if err := checkReply(f, resp.Header.Get("Content-MD5"), x.reply.Bytes()); err != nil {
			return false, err
		}
		x.translate()
		return false, nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return true, refused(f, resp.StatusCode, x.reply.Bytes())
	}
	return false, refused(f, resp.StatusCode, x.reply.Bytes())
}

func checkReply(f *function, sum string, body []byte) error {
	if len(body) > maxReply {
		return fmt.Errorf("%s: the gateway's answer is over %d MB", f.name, maxReply>>20)
	}
	if sum == "" {
		return nil
	}
	if got := md5.Sum(body); base64.StdEncoding.EncodeToString(got[:]) != sum {
		return fmt.Errorf("%s: the gateway's answer does not match its Content-MD5 header: it was changed on the way", f.name)
	}
	return nil
}

func refused(f *function, status int, body []byte) error {
	text := row.InDuckDB(strings.TrimSpace(strings.ToValidUTF8(string(body), "\uFFFD")))
	if len(text) > maxShown {
		cut := maxShown
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + " ..."
	}
	if text == "" {
		text = http.StatusText(status)
	}
	return fmt.Errorf("%s: the gateway answered %d: %w", f.name, status, errors.New(text))
}

// wait is the default Sleep.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
