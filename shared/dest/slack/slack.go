package slack

import (
	"context"
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// HistoryBucket is the token bucket of lookups. No channel has this name, since a
// channel's name holds no dot.
const HistoryBucket = "conversations.history"

// defaultDigestOver is slack.digest_over where the definition has none.
const defaultDigestOver = 20

// Config is what a Destination is made from.
type Config struct {
	// Connection gives the address: URL, by default https://slack.com/api/. Only
	// https is accepted, except to this machine itself. A URL without a path means
	// its /api/.
	Connection syncdef.Connection
	// Definition gives the sync's name, operation, channel and digest_over.
	Definition syncdef.Definition
	// Secret reads the connection's secret; the bot token is under "token". It is
	// called before the first request, and again after Slack refused the token.
	Secret func(context.Context) (map[string]string, error)
	// HTTP sends the requests; nil is a client with a timeout of 30 s. Redirects
	// are never followed.
	HTTP *http.Client
	// Now bounds how far back a lookup goes; nil is time.Now.
	Now func() time.Time
}

// A Destination is one sync's end of the road at Slack; it implements
// pipeline.Destination. Its methods are safe for concurrent use.
type Destination struct {
	def    syncdef.Definition
	client *client
	now    func() time.Time
}

// New makes a Destination. A fault in the configuration is reported by the first
// call that needs it, as a *dest.CallError of class Configuration.
func New(cfg Config) *Destination {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Destination{def: cfg.Definition, client: newClient(cfg), now: cfg.Now}
}

// Limits are Slack's: see the package comment for where the numbers come from.
func (d *Destination) Limits() dest.Limits {
	return dest.Limits{Concurrency: 1, Windows: windows}
}

// APICalls is how many requests have left since New: messages, pages of histories
// and of channels, whether or not they were answered.
func (d *Destination) APICalls() int64 { return d.client.sent.Load() }

// windows gives a bucket's limits: the history's, a channel's, or none for the
// bucket "" of records that are answered without a request (I7).
func windows(bucket string) []pace.Window {
	switch bucket {
	case "":
		return nil
	case HistoryBucket:
		return []pace.Window{{Calls: 40, Per: time.Minute}}
	default:
		return []pace.Window{{Calls: 1, Per: 1050 * time.Millisecond}}
	}
}

// Calls cuts records into messages: one call per record, or one per channel that
// gets a digest. Records that cannot be sent at all share one call in bucket "",
// which Push answers without a request.
func (d *Destination) Calls(b dest.Batch) []dest.Call {
	var calls []dest.Call
	var faulty []int
	for _, g := range d.groups(b) {
		faulty = append(faulty, g.faulty...)
		switch {
		case len(g.records) == 0:
		case d.digests(g.total):
			calls = append(calls, dest.Call{Bucket: g.channel, Records: g.records})
		default:
			for _, i := range g.records {
				calls = append(calls, dest.Call{Bucket: g.channel, Records: []int{i}})
			}
		}
	}
	if len(faulty) > 0 {
		calls = append(calls, dest.Call{Records: faulty})
	}
	return calls
}

// Push posts one message, or answers the records that cannot be sent.
func (d *Destination) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	out := make([]dest.Outcome, len(c.Records))
	var sound []int // positions in c.Records
	for i, r := range c.Records {
		if fault := d.fault(b.Records[r]); fault != nil {
			out[i] = *fault
		} else {
			sound = append(sound, i)
		}
	}
	if len(sound) == 0 {
		return out, nil
	}
	records := make([]int, len(sound))
	for i, s := range sound {
		records[i] = c.Records[s]
	}
	outcome, err := d.post(ctx, b, records)
	if err != nil {
		return nil, err
	}
	for _, s := range sound {
		out[s] = outcome
	}
	return out, nil
}

// post sends the one message that carries the records, all of one channel.
func (d *Destination) post(ctx context.Context, b dest.Batch, records []int) (dest.Outcome, error) {
	channel := d.channel(b.Records[records[0]])
	total := d.total(b, channel)
	m := d.single(b.Run, b.Records[records[0]])
	switch {
	case d.digests(total):
		m = d.digest(b, channel, total, records)
	case len(records) > 1:
		return dest.Outcome{}, &dest.CallError{Op: opPost, Class: dest.Refused,
			Message: "a message takes one record"}
	}
	id, err := d.client.post(ctx, m)
	if err == nil {
		return dest.Outcome{Status: dest.Delivered, ID: id, Created: true}, nil
	}
	return d.judge(err).push(d.allFromColumn(b, records))
}

// A group is the records in hand for one channel.
type group struct {
	channel string
	total   int   // rows of the run for the channel
	records []int // that can be sent
	faulty  []int // that cannot
}

// groups sorts the records by channel, in the order in which channels appear.
func (d *Destination) groups(b dest.Batch) []group {
	var out []group
	at := map[string]int{}
	for i, r := range b.Records {
		channel := d.channel(r)
		g, met := at[channel]
		if !met {
			g = len(out)
			at[channel] = g
			out = append(out, group{channel: channel})
		}
		if d.fault(r) != nil {
			out[g].faulty = append(out[g].faulty, i)
		} else {
			out[g].records = append(out[g].records, i)
		}
	}
	for i := range out {
		g := &out[i]
		g.total = max(b.Total[g.channel], len(g.records)+len(g.faulty))
	}
	return out
}

// total is how many rows the run has for a channel: what was queued, and never
// fewer than are in hand.
func (d *Destination) total(b dest.Batch, channel string) int {
	inHand := 0
	for _, r := range b.Records {
		if d.channel(r) == channel {
			inHand++
		}
	}
	return max(b.Total[channel], inHand)
}

// digests reports whether a channel with so many rows gets a digest.
func (d *Destination) digests(rows int) bool {
	over := defaultDigestOver
	if d.def.Slack != nil && d.def.Slack.DigestOver > 0 {
		over = d.def.Slack.DigestOver
	}
	return rows > over
}

// channel is where a record goes, as the row or else the definition spells it; ""
// when neither names one.
func (d *Destination) channel(r dest.Record) string {
	if c := field(r, fieldChannel); c != "" {
		return c
	}
	if d.def.Slack != nil {
		return d.def.Slack.Channel
	}
	return ""
}

// allFromColumn reports whether each record names its channel itself: then a bad
// channel is the rows' fault, not the sync's.
func (d *Destination) allFromColumn(b dest.Batch, records []int) bool {
	for _, i := range records {
		if field(b.Records[i], fieldChannel) == "" {
			return false
		}
	}
	return true
}
