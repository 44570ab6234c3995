package intercom

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A destination is the contacts of one version. It implements dest.Destination and is
// safe for concurrent use.
type destination struct {
	*account
	def        syncdef.Definition
	options    options
	identity   row.Identity
	types      map[string]syncdef.Type // data types by destination
	identifies bool                    // the fields include one that tells contacts apart, beside the match
}

// Calls implements dest.Destination: Intercom has no call for several contacts, so
// each record is one. Its tags' calls are paid afterwards.
func (d *destination) Calls(b dest.Batch, _ int) []dest.Call {
	calls := make([]dest.Call, len(b.Records))
	for i := range b.Records {
		calls[i] = dest.Call{Records: []int{i}, Costs: oneCall}
	}
	return calls
}

// The names of calls, for errors.
const (
	opCreate = "create a contact"
	opUpdate = "update a contact"
	opTag    = "tag a contact"
)

// Push implements dest.Destination: a contact is created, or updated by its id, and
// then its tags are.
func (d *destination) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if len(c.Records) == 0 {
		return nil, nil
	}
	if len(c.Records) > 1 {
		return nil, &dest.CallError{Op: opUpdate, Class: dest.Refused, Code: "one_record", Message: "a call to Intercom takes one contact"}
	}
	o, err := d.push(ctx, &b.Records[c.Records[0]])
	if err != nil {
		return nil, err
	}
	return []dest.Outcome{o}, nil
}

func (d *destination) push(ctx context.Context, r *dest.Record) (dest.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return dest.Outcome{}, err
	}
	if r.Delete && (r.ID == "" || d.def.OnDelete != syncdef.RemoveClear) {
		return d.remove(ctx, r)
	}
	p, fault, err := d.prepare(ctx, r)
	if slow, ok := errors.AsType[*refusal](err); ok {
		return slowed(slow, "new attributes"), nil
	}
	if err != nil {
		return dest.Outcome{}, err
	}
	if fault != nil {
		return *fault, nil
	}
	done, stored, err := d.write(ctx, r, p)
	if err != nil || done.Status != dest.Delivered || !p.tagged {
		return done, err
	}
	o, err := d.retag(ctx, done.ID, stored, p.tags)
	var failed *dest.CallError
	switch {
	case done.Created && isLead(r) && (err != nil || o != nil && o.Status != dest.Found): // not by its id it would be made twice
		return dest.Outcome{Status: dest.Found, ID: done.ID, Written: true, Message: "the lead was created, and its tags are set anew"}, nil
	case errors.As(err, &failed): // the contact itself was written
		failed.Received = true
		return dest.Outcome{}, err
	case err != nil: // the context's, which alone would say that nothing was sent
		return dest.Outcome{}, &dest.CallError{Op: opTag, Class: dest.Unavailable, Code: dest.NoAnswer, Received: true, Message: "the contact was written, and its tags were not: " + err.Error()}
	case o != nil:
		o.Written = o.Status != dest.Found
		return *o, nil
	}
	return done, nil
}

// write creates or updates the contact. What it answers may be nil where nothing but
// tags is to be written.
func (d *destination) write(ctx context.Context, r *dest.Record, p payload) (dest.Outcome, *contact, error) {
	op, method, path := opUpdate, http.MethodPut, "/contacts/"+url.PathEscape(r.ID)
	switch {
	case r.ID == "" && !d.creates():
		return d.missing(), nil, nil
	case r.ID == "":
		op, method, path = opCreate, http.MethodPost, "/contacts"
	case p.empty:
		return dest.Outcome{Status: dest.Delivered, ID: r.ID}, nil, nil
	}
	got, err := d.client.do(ctx, op, method, path, p.body)
	if err == nil && got.err != nil {
		o, err := d.refused(ctx, r, got)
		return o, nil, err
	}
	if err == nil {
		if stored, ok := readContact(got.body); ok && d.wrote(stored, r) {
			return dest.Outcome{Status: dest.Delivered, ID: stored.ID, Created: r.ID == ""}, stored, nil
		}
		err = d.client.unreadable(op, got)
	}
	if lost := asCallError(err); lost != nil && lost.Received && r.ID == "" && isLead(r) {
		return dest.Outcome{Status: dest.Retry, Written: true, Code: lost.Code, After: searchLag,
			Message: "Intercom may have made the lead, and its search shows a new one after minutes only: sent again before, it may be made twice (" + lost.Error() + ")"}, nil, nil
	}
	return dest.Outcome{}, nil, err
}

// searchLag is beyond the minutes after which the search shows a new contact ("Search
// contacts").
const searchLag = 10 * time.Minute

// isLead reports whether a new contact of the record is a lead. Unlike a user it meets no 409
// by its email: a second one would be made.
func isLead(r *dest.Record) bool {
	return slices.ContainsFunc(r.Fields, func(f dest.Field) bool {
		role, is := rawjson.Text(f.Value)
		return f.Name == fieldRole && is && role != "user"
	})
}

// wrote reports whether the contact of an answer is the one that was written: the one
// that an update named, or a new one with the record's match value, where the answer
// shows it. What a merged contact became is told otherwise, by a 410.
func (d *destination) wrote(c *contact, r *dest.Record) bool {
	if r.ID != "" {
		return c.ID == r.ID
	}
	return c.value(d.def.Match.Destination) == "" || d.has(c, r)
}

// creates reports whether a row whose contact is not there makes one.
func (d *destination) creates() bool {
	return d.def.Operation == syncdef.Upsert && d.def.OnMissing == syncdef.Create
}

// missing is the outcome of a row that no contact matches.
func (d *destination) missing() dest.Outcome {
	remedy := "create the contact in Intercom, or correct the row"
	if d.def.Operation == syncdef.Upsert {
		remedy = "create the contact in Intercom, correct the row, or set on_missing: create"
	}
	if d.def.Strategy == syncdef.MatchEmail {
		remedy += "; a contact that was made within the last minutes may not be found by its email yet"
	}
	return dest.Outcome{Status: dest.Rejected, Code: "no_match", Field: d.def.Match.Destination,
		Message: "no contact matches the row's value by " + d.def.Match.Destination + ": " + remedy}
}

// asCallError is the *dest.CallError in an error, nil when there is none.
func asCallError(err error) *dest.CallError {
	var call *dest.CallError
	if errors.As(err, &call) {
		return call
	}
	return nil
}
