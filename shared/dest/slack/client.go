package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const (
	pageSize = 200 // messages or channels a page: what Slack's "Pagination" advises at most
	maxLists = 500 // pages of channels, against a cursor that never ends

	listEvery = time.Minute // how old a listing of the channels may be
)

// A client speaks HTTP with one workspace, through slack-go without its retries: a
// POST that is repeated blindly is a message sent twice.
type client struct {
	conn   syncdef.Connection
	secret func(context.Context) (map[string]string, error)
	base   string
	http   *http.Client
	now    func() time.Time
	sent   atomic.Int64 // requests that left

	mu     sync.Mutex
	api    *slackapi.Client  // nil until the token was read
	ids    map[string]string // channel, as it was given -> its id
	cutOff map[string]string // type of channels -> cursor at which a listing goes on
	listed time.Time         // when all channels were last listed, to the end
	scopes []string          // of the token, as Slack's last answer named them; nil when none did
}

func newClient(cfg dest.Config, base string) *client {
	sender := *cfg.HTTP
	// A redirect would carry the token and the message to another place.
	sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{conn: cfg.Connection, secret: cfg.Secret, base: base, http: &sender, now: cfg.Now, ids: map[string]string{}, cutOff: map[string]string{}}
}

// connect reads the token, once.
func (c *client) connect(ctx context.Context) (*slackapi.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.api != nil {
		return c.api, nil
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

// test calls auth.test and returns the id of the workspace, or of the organisation
// that the token is for.
func (c *client) test(ctx context.Context) (string, error) {
	api, err := c.connect(ctx)
	if err != nil {
		return "", err
	}
	answer, err := api.AuthTestContext(ctx)
	if err != nil {
		return "", err
	}
	if answer.TeamID == "" {
		return answer.EnterpriseID, nil
	}
	return answer.TeamID, nil
}

// post sends a message and returns "channel id:ts".
func (c *client) post(ctx context.Context, m message) (string, error) {
	api, err := c.connect(ctx)
	if err != nil {
		return "", err
	}
	options := []slackapi.MsgOption{slackapi.MsgOptionText(m.text, false)}
	if m.event != "" {
		options = append(options, slackapi.MsgOptionMetadata(slackapi.SlackMetadata{EventType: m.event, EventPayload: m.payload}))
	}
	id, ts, err := api.PostMessageContext(ctx, m.channel, options...)
	if err != nil {
		return "", err
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

// channels reads the ids of all channels of a type, under "#name". It goes on where an
// earlier reading was cut off: a workspace may have more channels than Slack lists in a
// minute.
func (c *client) channels(ctx context.Context, kind string) error {
	c.mu.Lock()
	from := c.cutOff[kind]
	c.mu.Unlock()
	_, next, err := c.list(ctx, kind, from)
	var refused *refusedError
	if errors.As(err, &refused) { // the cursor itself, perhaps
		next = ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutOff[kind] = next
	return err
}

// list reads all channels of a type from a cursor on, and learns their ids. After an error
// it says which cursor was to be next.
func (c *client) list(ctx context.Context, kind, cursor string) (all []slackapi.Channel, next string, err error) {
	api, err := c.connect(ctx)
	if err != nil {
		return nil, cursor, err
	}
	for range maxLists {
		page, next, err := api.GetConversationsContext(ctx, &slackapi.GetConversationsParameters{
			Cursor: cursor, Limit: pageSize, Types: []string{kind},
		})
		if err != nil {
			return nil, cursor, err
		}
		for _, ch := range page {
			c.learn("#"+ch.Name, ch.ID)
		}
		all = append(all, page...)
		if next == "" {
			return all, "", nil
		}
		cursor = next
	}
	return nil, "", &unreadableError{what: "a list of channels that does not end"}
}

// granted notes the scopes that an answer's header names (Slack, "Permission scopes":
// X-OAuth-Scopes).
func (c *client) granted(header string) {
	if header == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scopes = nil
	for scope := range strings.SplitSeq(header, ",") {
		c.scopes = append(c.scopes, strings.TrimSpace(scope))
	}
}

// has are the token's scopes, nil when they are not known.
func (c *client) has() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scopes
}

// stale reports whether it is time to list the channels: a name that is in none of
// them must not cost a listing each row.
func (c *client) stale() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Sub(c.listed) >= listEvery
}

// fresh notes that all channels were listed.
func (c *client) fresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed = c.now()
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
