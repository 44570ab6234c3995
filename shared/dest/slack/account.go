package slack

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// HistoryBucket and TestBucket are the token buckets of lookups and of probes. No
// channel has such a name, since a channel's name holds no dot.
const (
	HistoryBucket = "conversations.history"
	TestBucket    = "auth.test"
)

// An account is one bot token's workspace; it implements dest.Account.
type account struct {
	client *client
	now    func() time.Time
	odd    oddities
}

// Identity is the workspace's team id. Where the app is installed for a whole
// Enterprise organisation it is the organisation's: such a token posts to channels
// of any of its workspaces, so that another workspace is not another account.
func (a *account) Identity(ctx context.Context) (string, error) {
	id, err := a.client.test(ctx)
	if err != nil {
		return "", a.call(ctx, "ask for the Slack workspace", err)
	}
	return id, nil
}

// Probe calls auth.test, which needs no scope and fails when the token does.
func (a *account) Probe(ctx context.Context) error {
	if _, err := a.client.test(ctx); err != nil {
		return a.call(ctx, "test the Slack token", err)
	}
	return nil
}

// call is the error of a request of the account's own.
func (a *account) call(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ce := a.judge(err).callError(op, false)
	ce.Received = false // nothing was to be changed
	return ce
}

// Limits are Slack's: see the package comment for where the numbers come from. A probe is
// one call of auth.test; what is asked beyond the calls' costs are pages of histories and of
// channels.
func (a *account) Limits() dest.Limits {
	return dest.Limits{Concurrency: 1, InFlight: 1, Windows: windows, Probe: []dest.Cost{{Bucket: TestBucket, Tokens: 1}}, Beyond: HistoryBucket}
}

// windows gives a bucket's limits (I7): a method's or a channel's, or none for the
// bucket "", which pays for what Slack does not limit together.
func windows(bucket string) []pace.Window {
	switch bucket {
	case "":
		return nil
	case HistoryBucket:
		return []pace.Window{{Calls: perMinute - maxPages, Per: time.Minute}}
	case TestBucket:
		return []pace.Window{{Calls: 60, Per: time.Minute}}
	default:
		return []pace.Window{{Calls: 1, Per: time.Second}}
	}
}

// APICalls is how many requests have left: messages, pages of histories and of
// channels, tests, whether or not they were answered.
func (a *account) APICalls() int64 { return a.client.sent.Load() }

// Open makes the destination of a version.
func (a *account) Open(v syncdef.Version) (dest.Destination, error) {
	o, err := readOptions(&v.Definition)
	if err != nil {
		return nil, &dest.CallError{Op: "open Slack", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "invalid_definition", Message: err.Error()}
	}
	return &destination{account: a, def: v.Definition, options: o, text: fieldOf(&v.Definition, fieldText),
		everywhere: !maps(&v.Definition, fieldChannel), digests: map[digestKey]digestState{}}, nil
}

// oddLimit is how many rows running are answered with codes that are not known here
// before the connection is held to be at fault.
const oddLimit = 3

// oddities are the last rows that got an unknown code, while no row got another
// answer.
type oddities struct {
	mu   sync.Mutex
	rows []string
}

// met notes a row with an unknown code, and reports whether it is one of too many.
// A row that comes again counts once.
func (o *oddities) met(row string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rows) < oddLimit && !slices.Contains(o.rows, row) {
		o.rows = append(o.rows, row)
	}
	return len(o.rows) >= oddLimit
}

// clear forgets them: Slack gave an answer that is understood.
func (o *oddities) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows = nil
}

// Post posts a text as it stands; it implements dest.Poster. Slack has no idempotency
// key, and a notice is not searched for: one whose answer is lost may come twice.
func (a *account) Post(ctx context.Context, channel, text string) error {
	_, err := a.client.post(ctx, message{channel: channel, text: escape(text)})
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.judge(err).callError("post to "+channel, true)
}
