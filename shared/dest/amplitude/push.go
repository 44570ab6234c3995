package amplitude

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxRounds is how often one call is sent again without the events that Amplitude
// named: Batch lists all of a kind, HTTP V2 the first one only. What is still refused
// then is halved by deliver.
const maxRounds = 8

// A sending is one call's events and what became of them.
type sending struct {
	out    []dest.Outcome
	events []event // those that nothing has become of yet, in order
}

// An event is one of a record's, ready to be sent.
type event struct {
	record *dest.Record
	at     int // position in out
	body   []byte
}

// Push sends the events of a call, and again without those that Amplitude names as
// faulty or as too many for their user: it takes a request as a whole or not at all.
func (d *destination) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	const op = "upload user properties"
	s := d.prepare(b, c)
	for range maxRounds {
		if len(s.events) == 0 {
			return s.out, nil
		}
		key, err := d.account.client.apiKey(ctx, op)
		if err != nil {
			return nil, err
		}
		bodies := make([][]byte, len(s.events))
		for i := range s.events {
			bodies[i] = s.events[i].body
		}
		r, err := d.account.client.post(ctx, op, d.envelope(key, bodies...))
		if err != nil {
			return nil, err
		}
		named, failed := judge(op, r, s.events, d.account.client.now())
		if failed != nil {
			d.account.refused(failed)
			return nil, failed
		}
		s.settle(named)
	}
	if len(s.events) == 0 {
		return s.out, nil
	}
	return nil, &dest.CallError{Op: op, Class: dest.Refused, Code: codeRounds, Message: "Amplitude refuses ever more events of the call"}
}

// prepare writes the events of a call, and settles the records that are not sent:
// what Amplitude would lose or cut, and what changes nothing.
func (d *destination) prepare(b dest.Batch, c dest.Call) *sending {
	s := &sending{out: make([]dest.Outcome, len(c.Records)), events: make([]event, 0, len(c.Records))}
	now := d.account.client.now()
	var arena []byte
	var ends []int
	for n, at := range c.Records {
		r := &b.Records[at]
		if o := d.refuse(r); o != nil {
			s.out[n] = *o
			continue
		}
		start := len(arena)
		if arena, ends = d.appendEvents(arena, ends[:0], r, now); len(ends) == 0 {
			s.out[n] = delivered(r)
			continue
		}
		if wait := d.account.updates.take(userID(r), len(ends), now); wait > 0 {
			s.out[n] = dest.Outcome{Status: dest.Retry, After: wait, Code: codeUpdates, Message: "this user was updated 1800 times within the hour: Amplitude would drop the update without a word"}
			continue
		}
		for _, end := range ends {
			s.events = append(s.events, event{record: r, at: n, body: arena[start:end:end]})
			start = end
		}
	}
	return s
}

// refuse is the outcome of a record that Amplitude would refuse, lose or cut; nil for
// the others.
func (d *destination) refuse(r *dest.Record) *dest.Outcome {
	rejected := func(code, field, message string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Rejected, Code: code, Field: field, Message: message}
	}
	if why := idRefusal("the user id", userID(r), d.minID); why != "" {
		return rejected(codeID, fieldUser, why)
	}
	for i := range r.Fields {
		if r.Delete { // they hold nothing
			break
		}
		f := &r.Fields[i]
		switch op := d.operation(f.Name); {
		case d.spreads && d.operations[f.Name] == "" && (f.Name == fieldUser || f.Name == fieldDevice || strings.HasPrefix(f.Name, "$") || utf16Length(f.Name) > maxText):
			return rejected(codeName, "", "the object that is mapped to "+syncdef.SpreadMark+" has a member whose name no user property can have: "+fieldUser+", "+fieldDevice+", names that begin with $, and those of more than 1024 characters")
		case f.Name == fieldDevice:
			if device, ok := rawjson.Text(f.Value); ok || f.Value.Kind() != 'n' {
				if why := idRefusal("the device id", device, d.minID); why != "" {
					return rejected(codeID, fieldDevice, why)
				}
			}
			continue
		case op == opUnset:
			continue
		case op == opAdd && f.Value.Kind() != '0' && f.Value.Kind() != 'n':
			return rejected(codeNumber, f.Name, "operation add adds numbers, and this is none: map the column with data_type: number")
		}
		if code, message := refusal(f.Value); code != "" {
			return rejected(code, f.Name, message)
		}
	}
	return nil
}

// settle takes over what became of events: one outcome each, where the answer named
// it; a nil outcome is still to be sent. What befalls one of a record's events befalls
// them all: either all of them are taken, or none is yet.
func (s *sending) settle(named []*dest.Outcome) {
	for i, e := range s.events {
		if named[i] != nil && s.out[e.at].Status == dest.Pending {
			s.out[e.at] = *named[i]
		}
	}
	s.events = slices.DeleteFunc(s.events, func(e event) bool { return s.out[e.at].Status != dest.Pending })
}

// delivered is the outcome of a record that the project has. Amplitude does not say
// whether the user is new.
func delivered(r *dest.Record) dest.Outcome {
	return dest.Outcome{Status: dest.Delivered, ID: userID(r)}
}

// isPage reports whether an answer is a web page.
func isPage(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// The waits that Amplitude's documentation names for events of a user that come too
// fast ("Batch Event Upload API", 429), and the one for a user whose day is spent:
// the day is the last 24 hours, so that nobody knows when there is room again.
const (
	afterThrottled = 15 * time.Second
	afterDay       = 4 * time.Hour
)
