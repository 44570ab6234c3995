package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/penstock-data/penstock/shared/dest"
)

const (
	lookBack = 14 * 24 * time.Hour // how long a queue keeps a row
	maxPages = 20                  // of one lookup

	perMinute = 50 // calls of conversations.history: Slack's tier 3
)

// channelID is the shape of a conversation's id; names have no capitals.
var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{7,}$`)

// Lookups gives one call per channel: for all its records where it gets a digest,
// else for those that an earlier attempt may have sent.
func (d *destination) Lookups(b dest.Batch) []dest.Call {
	var calls []dest.Call
	for _, g := range d.groups(b) {
		records := g.records
		if !d.digested(g.total) {
			records = nil
			for _, i := range g.records {
				if b.Records[i].Intent {
					records = append(records, i)
				}
			}
		}
		calls = append(calls, split(records, 0, []dest.Cost{{Bucket: HistoryBucket, Tokens: 1}})...)
	}
	return calls
}

// Lookup searches one channel for what was sent: Delivered where the message is
// there, else Pending. An intent is Unknown when the channel has more messages than a
// lookup reads, or it is older than these: sending again might send twice.
func (d *destination) Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]dest.Outcome, len(c.Records))
	channel := d.channel(b.Records[c.Records[0]])
	id, err := d.resolve(ctx, channel)
	whole, oldest := true, d.account.now().Add(-lookBack)
	if err == nil {
		whole, err = d.search(ctx, id, oldest, d.wanted(b, c, channel), func(i int, ts string) {
			out[i] = dest.Outcome{Status: dest.Delivered, ID: id + ":" + ts}
		})
	}
	if err != nil {
		return d.unread(ctx, d.account.judge(err), c)
	}
	for i, r := range c.Records {
		switch r := b.Records[r]; {
		case !r.Intent || out[i].Status != dest.Pending:
		case r.Tried.At.Before(oldest):
			out[i] = dest.Outcome{Status: dest.Unknown, Message: "the message was tried longer ago than the 14 days that are searched"}
		case !whole:
			out[i] = dest.Outcome{Status: dest.Unknown, Message: fmt.Sprintf("the channel has more messages of the last 14 days than the %d pages that are searched", maxPages)}
		}
	}
	d.settle(digestKey{b.Run, bucket(channel)})
	return out, nil
}

// unread answers a lookup that failed: a bad channel is the rows' fault where they
// name it, anything else the call's. So is a channel of a kind that the app lacks the
// scope to read: posting goes on without it, and so do other channels.
func (d *destination) unread(ctx context.Context, v verdict, c dest.Call) ([]dest.Outcome, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if v.code == missingScope {
		v.kind = badChannel
	}
	if v.kind != badChannel || d.everywhere {
		ce := v.callError(opLook, d.everywhere)
		ce.Received = false // a lookup changes nothing
		return nil, ce
	}
	out := make([]dest.Outcome, len(c.Records))
	for i := range out {
		if out[i] = v.rejection(); v.code == missingScope {
			out[i].Status = dest.Retry // until somebody adds it
		}
	}
	return out, nil
}

// wanted says under which marks the records of a call are found: positions in
// c.Records by the mark of their message.
func (d *destination) wanted(b dest.Batch, c dest.Call, channel string) map[mark][]int {
	want := map[mark][]int{}
	add := func(m mark, i int) { want[m] = append(want[m], i) }
	digest := d.digested(d.total(b, channel))
	for i, r := range c.Records {
		record := b.Records[r]
		if digest {
			add(mark{eventDigest, d.def.Sync, b.Run, bucket(channel)}, i)
		}
		if record.Intent { // by itself, once ever, or in a digest of the run that tried it
			add(mark{eventRow, d.def.Sync, "", record.RecordID}, i)
			add(mark{eventDigest, d.def.Sync, tries(cmp.Or(record.Tried.Run, b.Run)), bucket(channel)}, i)
		}
	}
	return want
}

// A mark is what a message's metadata says of it.
type mark struct {
	event, sync, run string
	name             string // record id, or the bucket of a digest's channel
}

// tries stands for a run and all later tries of its rows, whose ids are the run's
// and what follows a ~.
func tries(run string) string {
	first, _, _ := strings.Cut(run, "~")
	return first + "~"
}

// marks are what a message is found under: a row's by its record id alone, a
// digest's by its run, and by the tries of that run.
func marks(m slackapi.SlackMetadata) []mark {
	text := func(key string) string {
		s, _ := m.EventPayload[key].(string)
		return s
	}
	sync := text("sync")
	switch m.EventType {
	case eventDigest:
		return []mark{{eventDigest, sync, text("run"), text("channel")}, {eventDigest, sync, tries(text("run")), text("channel")}}
	case eventRow:
		return []mark{{eventRow, sync, "", text("record_id")}}
	}
	return nil
}

// search reads a channel's history back to oldest until everything wanted is found; it is
// not whole when there was more to read.
func (d *destination) search(ctx context.Context, id string, oldest time.Time, want map[mark][]int, found func(i int, ts string)) (whole bool, err error) {
	missing := map[int]bool{}
	for _, records := range want {
		for _, i := range records {
			missing[i] = true
		}
	}
	cursor := ""
	for range maxPages {
		messages, next, err := d.account.client.history(ctx, id, oldest, cursor)
		if err != nil {
			return false, err
		}
		for _, message := range messages {
			for _, m := range marks(message.Metadata) {
				for _, i := range want[m] {
					if missing[i] {
						found(i, message.Timestamp)
						delete(missing, i)
					}
				}
			}
		}
		if len(missing) == 0 || next == "" {
			return true, nil
		}
		cursor = next
	}
	return false, nil
}

// resolve finds a channel's id, which conversations.history insists on.
func (d *destination) resolve(ctx context.Context, channel string) (string, error) {
	client := d.account.client
	if channelID.MatchString(channel) {
		return channel, nil
	}
	if id := client.known(channel); id != "" {
		return id, nil
	}
	if !client.stale() {
		return "", &refusedError{code: unresolved(channel)}
	}
	for _, kind := range []string{"public_channel", "private_channel"} {
		err := client.channels(ctx, kind)
		var refused *refusedError
		if kind == "private_channel" && errors.As(err, &refused) && refused.code == missingScope {
			break // groups:read is optional
		}
		if err != nil {
			return "", err
		}
		if id := client.known(channel); id != "" {
			return id, nil
		}
	}
	client.fresh()
	return "", &refusedError{code: unresolved(channel)}
}

// unresolved is the code for a channel that has no id. The first is our own: Slack
// posts to a person, but gives no history under a person's id.
func unresolved(channel string) string {
	if strings.HasPrefix(channel, "U") || strings.HasPrefix(channel, "@") {
		return "user_not_a_channel"
	}
	return "channel_not_found"
}
