package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strings"
	"sync/atomic"

	slackapi "github.com/slack-go/slack"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
)

// defaultURL is where the Web API is.
const defaultURL = slackapi.APIURL

const maxBody = 32 << 20 // bytes of an answer: a page of the longest messages

// baseURL is the address that methods are appended to; "" is Slack's own.
func baseURL(raw string) (string, error) {
	if raw == "" {
		return defaultURL, nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return "", fmt.Errorf("its url is not an address: write it as %s, or leave it out", defaultURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("its url holds more than scheme, host and path: put the token into the secret and leave the rest out")
	case u.Scheme != "https" && (u.Scheme != "http" || !netguard.LoopbackHost(u.Hostname())):
		return "", fmt.Errorf("its url %s://%s would send the token unencrypted: use https", u.Scheme, u.Host)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/api"
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/") + "/", nil
}

// Do is slack-go's way to the network. It tells a request that never left from one
// whose answer was lost, and lets through only whole answers that say yes: what
// Slack refuses, and what is not Slack's, is an error of this package's own.
func (c *client) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, &unsentError{err}
	}
	var asked, connected atomic.Bool
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil && asked.Load() && !connected.Load() {
		return nil, &unsentError{cause(err)}
	}
	c.sent.Add(1)
	if err != nil {
		return nil, &lostError{cause(err)}
	}
	c.granted(resp.Header.Get("X-OAuth-Scopes"))
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	resp.Body.Close() //nolint:errcheck // all of it was read
	if err != nil && resp.StatusCode == http.StatusOK {
		return nil, &lostError{err}
	}
	if err := c.answer(path.Base(req.URL.Path), resp, body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// An answer is what all of Slack's have, and the parts that make those of the four
// methods whole.
type answer struct {
	OK     *bool  `json:"ok"`
	Error  string `json:"error"`
	Needed string `json:"needed"`

	Channel  json.RawMessage `json:"channel"`
	TS       string          `json:"ts"`
	Team     string          `json:"team_id"`
	Org      string          `json:"enterprise_id"`
	Messages *[]struct {
		TS string `json:"ts"`
	} `json:"messages"`
	Channels *[]struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"channels"`
	HasMore  *bool `json:"has_more"`
	Metadata struct {
		NextCursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// answer is the error that an answer amounts to; nil when it is whole and says yes.
func (c *client) answer(method string, resp *http.Response, body []byte) error {
	var a answer
	err := json.Unmarshal(body, &a)
	after := dest.RetryAfter(resp.Header, c.now())
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return &statusError{code: resp.StatusCode, after: after}
	case err == nil && a.OK != nil && !*a.OK && a.Error != "":
		return &refusedError{code: a.Error, needed: a.Needed, after: after}
	case resp.StatusCode != http.StatusOK:
		return &statusError{code: resp.StatusCode, after: after, page: isPage(resp, body), small: resp.Request.ContentLength < dest.SmallRequest}
	case isPage(resp, body):
		return &unreadableError{what: webPage, stranger: true}
	case err != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		return &unreadableError{what: "JSON that is cut off"}
	case err != nil:
		return &unreadableError{what: "something other than a JSON object", stranger: true}
	case a.OK == nil:
		return &unreadableError{what: `JSON without "ok"`, stranger: true}
	}
	return a.whole(method)
}

// webPage is what a proxy or a mistaken address answers.
const webPage = "a web page (HTML)"

func isPage(resp *http.Response, body []byte) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// whole reports what an answer lacks: an absence is never taken for "nothing there".
func (a answer) whole(method string) error {
	lacks := ""
	switch {
	case !*a.OK:
		lacks = "its error"
	case method == "chat.postMessage":
		var channel string
		if json.Unmarshal(a.Channel, &channel) != nil || channel == "" || a.TS == "" {
			lacks = "channel or ts"
		}
	case method == "conversations.history":
		lacks = a.lacksMessages()
	case method == "conversations.list":
		lacks = a.lacksChannels()
	case method == "auth.test" && a.Team == "" && a.Org == "":
		lacks = "team_id"
	}
	if lacks == "" {
		return nil
	}
	return &unreadableError{what: "JSON without " + lacks}
}

func (a answer) lacksMessages() string {
	switch {
	case a.Messages == nil:
		return "messages"
	case a.HasMore == nil:
		return "has_more"
	case *a.HasMore && a.Metadata.NextCursor == "":
		return "the next_cursor that has_more promises"
	}
	for _, m := range *a.Messages {
		if m.TS == "" {
			return "a message's ts"
		}
	}
	return ""
}

func (a answer) lacksChannels() string {
	if a.Channels == nil {
		return "channels"
	}
	for _, c := range *a.Channels {
		if c.ID == "" || c.Name == "" {
			return "a channel's id or name"
		}
	}
	return ""
}
