package slack

import (
	"context"
	"strings"
	"sync"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A destination is one version's end of the road at Slack; it implements
// dest.Destination. Its methods are safe for concurrent use.
type destination struct {
	account    *account
	def        syncdef.Definition
	options    options
	text       syncdef.Field // the mapping of text
	everywhere bool          // every record goes to the definition's channel

	mu      sync.Mutex
	digests map[digestKey]digestState
}

// Calls cuts records into messages: one call per record, or one per channel that
// gets a digest, in parts where most is less. Records that cannot be sent at all
// share calls without costs, which Push answers without a request.
func (d *destination) Calls(b dest.Batch, most int) []dest.Call {
	var calls []dest.Call
	var faulty []int
	for _, g := range d.groups(b) {
		faulty = append(faulty, g.faulty...)
		costs := []dest.Cost{{Bucket: bucket(g.channel), Tokens: 1}}
		if d.digested(g.total) {
			parts := split(g.records, most, costs)
			for i := range parts[min(1, len(parts)):] {
				parts[i+1].Costs = nil // the first has posted the message
			}
			calls = append(calls, parts...)
			continue
		}
		calls = append(calls, split(g.records, 1, costs)...)
	}
	return append(calls, split(faulty, most, nil)...)
}

// split cuts records into calls of at most so many; 0 is no bound.
func split(records []int, most int, costs []dest.Cost) []dest.Call {
	var calls []dest.Call
	for len(records) > 0 {
		n := len(records)
		if most > 0 {
			n = min(n, most)
		}
		calls = append(calls, dest.Call{Records: records[:n:n], Costs: costs})
		records = records[n:]
	}
	return calls
}

// Push posts one message, or answers the records that cannot be sent.
func (d *destination) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	out := make([]dest.Outcome, len(c.Records))
	var sound, at []int // records, and their positions in out
	for i, r := range c.Records {
		if fault := d.fault(b.Records[r]); fault != nil {
			out[i] = *fault
		} else {
			sound, at = append(sound, r), append(at, i)
		}
	}
	if len(sound) == 0 {
		return out, nil
	}
	outcome, err := d.post(ctx, b, sound)
	if err != nil {
		return nil, err
	}
	for _, i := range at {
		out[i] = outcome
	}
	return out, nil
}

// post sends the one message that carries the records, all of one channel.
func (d *destination) post(ctx context.Context, b dest.Batch, records []int) (dest.Outcome, error) {
	channel := d.channel(b.Records[records[0]])
	total := d.total(b, channel)
	if d.digested(total) {
		return d.postDigest(ctx, b, channel, total, records)
	}
	if len(records) > 1 {
		return dest.Outcome{}, &dest.CallError{Op: opPost, Class: dest.Refused, Code: "one_record", Message: "a message takes one record"}
	}
	return d.send(ctx, d.single(b.Run, b.Records[records[0]]), b.Records[records[0]])
}

// send posts a message; first is the first record that it carries.
func (d *destination) send(ctx context.Context, m message, first dest.Record) (dest.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return dest.Outcome{}, err
	}
	id, err := d.account.client.post(ctx, m)
	if err == nil {
		d.account.odd.clear()
		return dest.Outcome{Status: dest.Delivered, ID: id, Created: true}, nil
	}
	return d.refused(d.account.judge(err), first)
}

// A group is the records in hand for one channel, as its first record spells it.
type group struct {
	channel string
	total   int   // rows of the run for the channel
	records []int // that can be sent
	faulty  []int // that cannot
}

// groups sorts the records by channel, in the order in which channels appear.
func (d *destination) groups(b dest.Batch) []group {
	var out []group
	at := map[string]int{}
	for i, r := range b.Records {
		channel := d.channel(r)
		name := bucket(channel)
		g, met := at[name]
		if !met {
			g = len(out)
			at[name] = g
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
		g.total = max(queued(b, g.channel), len(g.records)+len(g.faulty))
	}
	return out
}

// total is how many rows the run has for a channel: what was queued, and never
// fewer than are in hand.
func (d *destination) total(b dest.Batch, channel string) int {
	inHand, of := 0, bucket(channel)
	for _, r := range b.Records {
		if bucket(d.channel(r)) == of {
			inHand++
		}
	}
	return max(queued(b, channel), inHand)
}

// queued is how many rows of the run were queued for a channel, however they spell it.
func queued(b dest.Batch, channel string) int { return b.Total[strings.TrimPrefix(channel, "#")] }

// digested reports whether a channel with so many rows gets a digest.
func (d *destination) digested(rows int) bool { return rows > d.options.DigestOver }

// channel is where a record goes, as the row or else the definition spells it; ""
// when neither names one.
func (d *destination) channel(r dest.Record) string {
	if c := field(r, fieldChannel); c != "" {
		return c
	}
	return d.options.Channel
}

// bucket is the token bucket of a channel, and what its digest goes by: alerts and #alerts
// are one.
func bucket(channel string) string {
	if channelID.MatchString(channel) {
		return channel
	}
	return "#" + strings.TrimPrefix(channel, "#")
}
