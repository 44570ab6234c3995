package intercom

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// remove archives a contact, or deletes it. One that is not there any more is removed: a
// merged one has become another, which is not the row's to remove.
func (d *destination) remove(ctx context.Context, r *dest.Record) (dest.Outcome, error) {
	done := dest.Outcome{Status: dest.Delivered, ID: r.ID}
	if r.ID == "" { // the lookup found none
		return done, nil
	}
	op, method, path := "archive a contact", http.MethodPost, "/contacts/"+url.PathEscape(r.ID)+"/archive"
	if d.def.OnDelete == syncdef.RemoveDelete {
		op, method, path = "delete a contact", http.MethodDelete, "/contacts/"+url.PathEscape(r.ID)
	}
	got, err := d.client.do(ctx, op, method, path, nil)
	switch {
	case err != nil:
		return dest.Outcome{}, err
	case got.err != nil && (got.err.status == http.StatusNotFound || got.err.status == http.StatusGone):
		return done, nil
	case got.err != nil && got.err.status == http.StatusTooManyRequests:
		return slowed(got.err, "this contact"), nil
	case got.err != nil:
		return d.rejection(got.err), nil
	}
	var said struct {
		ID                string `json:"id"`
		Archived, Deleted bool
	}
	if json.Unmarshal(got.body, &said) != nil || said.ID != r.ID || !said.Archived && !said.Deleted {
		return dest.Outcome{}, d.client.unreadable(op, got)
	}
	return done, nil
}
