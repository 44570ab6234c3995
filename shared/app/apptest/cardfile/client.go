package cardfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

const (
	maxAnswer = 1 << 20
	callTime  = 30 * time.Second
	inFlight  = 2
)

// A client makes HTTP calls; what answers mean stands in errors.go.
type client struct {
	name   string // the connection's
	base   string
	secret func(context.Context) (map[string]string, error)
	http   *http.Client
	now    func() time.Time
	calls  atomic.Int64
}

func newClient(cfg dest.Config) (*client, error) {
	u, err := address(cfg.Connection.URL)
	if err != nil {
		return nil, err
	}
	c := &client{name: cfg.Connection.Name, base: strings.TrimRight(u.String(), "/"), secret: cfg.Secret, http: dest.HTTPClient(cfg, inFlight, callTime), now: cfg.Now}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// me asks whose the token is.
func (c *client) me(ctx context.Context, op string) (string, error) {
	body, err := c.do(ctx, op, http.MethodGet, "/v1/me", nil)
	if err != nil {
		return "", err
	}
	var me struct {
		Account string `json:"account"`
	}
	if json.Unmarshal(body, &me) != nil || me.Account == "" {
		return "", unreadable(op, body, http.StatusOK)
	}
	return me.Account, nil
}

// do makes one request and answers the body of a 200. The error is a
// *dest.CallError, or the context's.
func (c *client) do(ctx context.Context, op, method, path string, body []byte) ([]byte, error) {
	secret, err := c.secret(ctx)
	if err == nil && secret["token"] == "" {
		err = errors.New("the secret has no token")
	}
	if err != nil {
		return nil, &dest.CallError{Op: op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "secret", Message: err.Error() + `; it holds {"token": "..."}`}
	}
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(traced, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, &dest.CallError{Op: op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "url", Message: "the connection's url makes no address"}
	}
	req.Header.Set("Authorization", "Bearer "+secret["token"])
	req.Header.Set("Content-Type", "application/json")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	c.calls.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, dest.Unanswered(ctx, op, "the card file", c.name, sent.Load(), err)
	}
	defer resp.Body.Close()
	answer, err := dest.ReadAnswer(resp.Body, maxAnswer)
	if err != nil {
		return nil, dest.Unanswered(ctx, op, "the card file", c.name, true, err)
	}
	if failed := judge(op, resp, answer, c.now()); failed != nil {
		return nil, failed
	}
	return answer, nil
}
