package slack

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const (
	lookBack = 14 * 24 * time.Hour // how long a queue keeps a row
	maxPages = 20                  // of one lookup
)

// channelID is the shape of a conversation's id; names have no capitals.
var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{7,}$`)

// Lookups gives one call per channel: for all its records where it gets a digest,
// else for those that an earlier attempt may have sent.
func (d *Destination) Lookups(b dest.Batch) []dest.Call {
	var calls []dest.Call
	for _, g := range d.groups(b) {
		records := g.records
		if !d.digests(g.total) {
			records = nil
			for _, i := range g.records {
				if b.Records[i].Intent {
					records = append(records, i)
				}
			}
		}
		if len(records) > 0 {
			calls = append(calls, dest.Call{Bucket: HistoryBucket, Records: records})
		}
	}
	return calls
}

// Lookup searches one channel for what was sent: Delivered where the message is
// there, else Pending.
func (d *Destination) Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	out := make([]dest.Outcome, len(c.Records))
	channel := d.channel(b.Records[c.Records[0]])
	id, err := d.resolve(ctx, channel)
	if err == nil {
		err = d.search(ctx, id, d.wanted(b, c, channel), func(i int, ts string) {
			out[i] = dest.Outcome{Status: dest.Delivered, ID: id + ":" + ts}
		})
	}
	if err == nil {
		return out, nil
	}
	v := d.judge(err)
	if v.kind != badChannel || !d.allFromColumn(b, c.Records) {
		return nil, v.callError(opLook)
	}
	o, _ := v.push(true)
	for i := range out {
		out[i] = o
	}
	return out, nil
}

// wanted says under which marks the records of a call are found: positions in
// c.Records by the mark of their message.
func (d *Destination) wanted(b dest.Batch, c dest.Call, channel string) map[mark][]int {
	want := map[mark][]int{}
	digest := d.digests(d.total(b, channel))
	for i, r := range c.Records {
		m := mark{event: eventRow, sync: d.def.Sync, run: b.Run, name: b.Records[r].RecordID}
		switch {
		case digest:
			m.event, m.name = eventDigest, channel
		case d.def.Operation == syncdef.Insert:
			m.run = "" // once per record id, ever
		}
		want[m] = append(want[m], i)
	}
	return want
}

// A mark is what a message's metadata says of it.
type mark struct {
	event, sync, run string
	name             string // record id, or a digest's channel
}

// marks are what a message is found under: with its run, and for rows without.
func marks(m slackapi.SlackMetadata) []mark {
	text := func(key string) string {
		s, _ := m.EventPayload[key].(string)
		return s
	}
	switch m.EventType {
	case eventDigest:
		return []mark{{eventDigest, text("sync"), text("run"), text("channel")}}
	case eventRow:
		return []mark{{eventRow, text("sync"), text("run"), text("record_id")}, {eventRow, text("sync"), "", text("record_id")}}
	}
	return nil
}

// search reads a channel's history until everything wanted is found.
func (d *Destination) search(ctx context.Context, id string, want map[mark][]int, found func(i int, ts string)) error {
	oldest, cursor := d.now().Add(-lookBack), ""
	for range maxPages {
		messages, next, err := d.client.history(ctx, id, oldest, cursor)
		if err != nil {
			return err
		}
		for _, message := range messages {
			for _, m := range marks(message.Metadata) {
				for _, i := range want[m] {
					found(i, message.Timestamp)
				}
				delete(want, m)
			}
		}
		if len(want) == 0 || next == "" {
			return nil
		}
		cursor = next
	}
	return nil
}

// resolve finds a channel's id, which conversations.history insists on.
func (d *Destination) resolve(ctx context.Context, channel string) (string, error) {
	if channelID.MatchString(channel) {
		return channel, nil
	}
	if id := d.client.known(channel); id != "" {
		return id, nil
	}
	for _, kind := range []string{"public_channel", "private_channel"} {
		err := d.client.channels(ctx, kind)
		var answer slackapi.SlackErrorResponse
		if kind == "private_channel" && errors.As(err, &answer) && answer.Err == "missing_scope" {
			break // groups:read is optional
		}
		if err != nil {
			return "", err
		}
		if id := d.client.known(channel); id != "" {
			return id, nil
		}
	}
	return "", slackapi.SlackErrorResponse{Err: unresolved(channel)}
}

// unresolved is the code for a channel that has no id. The first is our own: Slack
// posts to a person, but gives no history under a person's id.
func unresolved(channel string) string {
	if strings.HasPrefix(channel, "U") || strings.HasPrefix(channel, "@") {
		return "user_not_a_channel"
	}
	return "channel_not_found"
}
