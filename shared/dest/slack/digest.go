package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

const (
	listed     = 20     // rows that a digest lists
	maxSummary = 160    // characters of a listed row, as they are sent; 20 of them stay below 4,000
	maxHead    = 400    // characters of a digest's first line
	maxDigests = 10_000 // remembered by one destination
)

// A digestKey names a digest: there is one per run and channel.
type digestKey struct{ run, bucket string }

// A digestState is what became of a digest in this process, so that a call that is
// made in parts, or by halves, posts one message.
type digestState struct {
	outcome dest.Outcome // Delivered, or Rejected until the channel is searched again
	lost    error        // the answer that was lost, until a search has settled it
}

// postDigest sends a run's one message for a channel, unless another part of its
// call has.
func (d *destination) postDigest(ctx context.Context, b dest.Batch, channel string, total int, records []int) (dest.Outcome, error) {
	key := digestKey{b.Run, bucket(channel)}
	d.mu.Lock()
	state, met := d.digests[key]
	d.mu.Unlock()
	if met {
		return state.outcome, state.lost
	}
	o, err := d.send(ctx, d.digest(b, channel, total, records), b.Records[records[0]])
	var failed *dest.CallError
	switch {
	case err == nil:
		again := o
		again.Created = false // by another part
		d.remember(key, digestState{outcome: again})
	case errors.As(err, &failed) && failed.Received:
		d.remember(key, digestState{lost: err})
	}
	return o, err
}

// remember notes a digest's state; beyond its bound it starts afresh, and a lookup
// finds what was forgotten.
func (d *destination) remember(key digestKey, s digestState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.digests) >= maxDigests {
		clear(d.digests)
	}
	d.digests[key] = s
}

// settle forgets a digest that was not accepted: its channel has been searched.
func (d *destination) settle(key digestKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.digests[key].outcome.Status != dest.Delivered {
		delete(d.digests, key)
	}
}

// digest is the one message of a run and channel: how many rows there are, at most where
// some are not compared yet, the first of those in hand, and how many are not listed.
func (d *destination) digest(b dest.Batch, channel string, total int, records []int) message {
	var text strings.Builder
	bound := ""
	if b.AtMost {
		bound = "up to "
	}
	text.WriteString(shorten(fmt.Sprintf("*%s%d messages from %s* (run %s)", bound, total, d.def.Sync, b.Run), maxHead))
	shown := records[:min(len(records), listed)]
	for _, i := range shown {
		text.WriteString("\n• ")
		text.WriteString(d.summary(field(b.Records[i], fieldText)))
	}
	if more := total - len(shown); more > 0 {
		fmt.Fprintf(&text, "\n… and %s%d more", bound, more)
	}
	return message{
		channel: channel,
		text:    text.String(),
		event:   eventDigest,
		payload: map[string]any{"run": b.Run, "sync": d.def.Sync, "channel": bucket(channel), "rows": total},
	}
}

// summary is one line that stands for a message: its first line, and the line that
// names the customer, or else the second.
func (d *destination) summary(text string) string {
	var first, second string
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case line == "":
		case first == "":
			first = line
		case second == "" || strings.HasPrefix(line, "Customer:"):
			second = line
		}
		if strings.HasPrefix(second, "Customer:") {
			break
		}
	}
	if second != "" {
		first += " | " + second
	}
	if !d.isMarkup(text) {
		first = escape(first)
	}
	if short := shorten(first, maxSummary); short != "" {
		return short
	}
	return cutMark // a link that takes more room
}
