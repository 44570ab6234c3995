package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/penstock-data/penstock/shared/syncdef"
)

const (
	pageSize = 200      // messages or channels a page: what Slack's "Pagination" advises at most
	maxLists = 500      // pages of channels, against a cursor that never ends
	maxBody  = 32 << 20 // bytes of an answer: a page of the longest messages
)

// A client speaks HTTP with one workspace, through slack-go without its retries: a
// POST that is repeated blindly is a message sent twice.
type client struct {
	conn   syncdef.Connection
	secret func(context.Context) (map[string]string, error)
	base   string
	fault  error // what is wrong with the connection's URL
	http   *http.Client
	sent   atomic.Int64 // requests that left

	mu  sync.Mutex
	api *slackapi.Client  // nil until the token was read
	ids map[string]string // channel, as it was given -> its id
}

func newClient(cfg Config) *client {
	sender := &http.Client{Timeout: 30 * time.Second}
	if cfg.HTTP != nil {
		*sender = *cfg.HTTP
	}
	// A redirect would carry the token and the message to another place.
	sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &client{conn: cfg.Connection, secret: cfg.Secret, http: sender, ids: map[string]string{}}
	c.base, c.fault = baseURL(cfg.Connection.URL)
	return c
}

// baseURL is the address that methods are appended to.
func baseURL(raw string) (string, error) {
	if raw == "" {
		return slackapi.APIURL, nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return "", fmt.Errorf("its url is not an address: write it as https://slack.com/api/, or leave it out")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("its url holds more than scheme, host and path: put the token into the secret and leave the rest out")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return "", fmt.Errorf("its url %s://%s would send the token unencrypted: use https", u.Scheme, u.Host)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/api"
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/") + "/", nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// connect reads the token, once.
func (c *client) connect(ctx context.Context) (*slackapi.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.api != nil {
		return c.api, nil
	}
	if c.fault != nil {
		return nil, &setupError{c.fault}
	}
	name := c.conn.Secret
	if name == "" {
		name = c.conn.Name
	}
	var values map[string]string
	if c.secret != nil {
		var err error
		if values, err = c.secret(ctx); err != nil {
			return nil, &secretError{name: name, cause: err}
		}
	}
	token := strings.TrimSpace(values["token"])
	if token == "" {
		return nil, &secretError{name: name}
	}
	c.api = slackapi.New(token, slackapi.OptionHTTPClient(c), slackapi.OptionAPIURL(c.base))
	return c.api, nil
}

// forget drops the token, so that the next call reads the secret again.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.api = nil
}

// post sends a message and returns "channel id:ts".
func (c *client) post(ctx context.Context, m message) (string, error) {
	api, err := c.connect(ctx)
	if err != nil {
		return "", err
	}
	id, ts, err := api.PostMessageContext(ctx, m.channel,
		slackapi.MsgOptionText(m.text, false),
		slackapi.MsgOptionMetadata(slackapi.SlackMetadata{EventType: m.event, EventPayload: m.payload}))
	if err != nil {
		return "", err
	}
	if id == "" || ts == "" {
		return "", fmt.Errorf("%w: accepted without a ts", errLost)
	}
	c.learn(m.channel, id)
	return id + ":" + ts, nil
}

// history reads one page of a channel, newest first, back to oldest.
func (c *client) history(ctx context.Context, id string, oldest time.Time, cursor string) ([]slackapi.Message, string, error) {
	api, err := c.connect(ctx)
	if err != nil {
		return nil, "", err
	}
	page, err := api.GetConversationHistoryContext(ctx, &slackapi.GetConversationHistoryParameters{
		ChannelID: id, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
		Oldest: fmt.Sprintf("%d.000000", oldest.Unix()),
	})
	if err != nil {
		return nil, "", err
	}
	if !page.HasMore {
		return page.Messages, "", nil
	}
	return page.Messages, page.ResponseMetaData.NextCursor, nil
}

// channels reads the ids of all channels of a type, under "#name".
func (c *client) channels(ctx context.Context, kind string) error {
	api, err := c.connect(ctx)
	if err != nil {
		return err
	}
	cursor := ""
	for range maxLists {
		page, next, err := api.GetConversationsContext(ctx, &slackapi.GetConversationsParameters{
			Cursor: cursor, Limit: pageSize, Types: []string{kind},
		})
		if err != nil {
			return err
		}
		for _, ch := range page {
			c.learn("#"+ch.Name, ch.ID)
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
	return nil
}

// learn remembers a channel's id.
func (c *client) learn(channel, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids[channel] = id
}

// known is the id of a channel, "" when it was never met.
func (c *client) known(channel string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id := c.ids[channel]; id != "" {
		return id
	}
	return c.ids["#"+strings.TrimPrefix(channel, "#")]
}

// Do is slack-go's way to the network. It tells a request that never left from one
// whose answer was lost, and an answer of Slack's from one of something else.
func (c *client) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotSent, err)
	}
	var asked, connected atomic.Bool
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil && asked.Load() && !connected.Load() {
		return nil, fmt.Errorf("%w: %w", errNotSent, cause(err))
	}
	c.sent.Add(1)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLost, cause(err))
	}
	if resp.StatusCode != http.StatusOK {
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	resp.Body.Close() //nolint:errcheck // all of it was read
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLost, err)
	}
	if err := recognise(resp.Header.Get("Content-Type"), body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// recognise reports why an answer with status 200 is not Slack's.
func recognise(contentType string, body []byte) error {
	start := bytes.TrimSpace(body)
	switch {
	case strings.HasPrefix(contentType, "text/html"), bytes.HasPrefix(start, []byte("<")):
		return &strangerError{"a web page (HTML)"}
	case len(start) > 0 && start[0] != '{':
		return &strangerError{"something other than a JSON object"}
	}
	var answer struct {
		OK *bool `json:"ok"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%w: cut off", errLost)
	}
	if answer.OK == nil {
		return &strangerError{`JSON without "ok"`}
	}
	return nil
}
