package intercom

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

// conflicting is how a 409 begins, and names the contact that is there already. What else a
// message says may be the row's.
var conflicting = regexp.MustCompile(`^(?i:(a|an archived) contact matching those details already exists with id=)([A-Za-z0-9_-]{1,64})\b`)

// refused is what becomes of a contact that was not taken.
func (d *destination) refused(ctx context.Context, r *dest.Record, a *answer) (dest.Outcome, error) {
	e := a.err
	switch {
	case r.Delete && (e.status == http.StatusNotFound && gone(e) || e.status == http.StatusGone):
		return dest.Outcome{Status: dest.Delivered, ID: r.ID}, nil // nobody to clear
	case e.status == http.StatusGone && a.link != "" && a.link != r.ID:
		return dest.Outcome{Status: dest.Found, ID: a.link, Code: e.code, Message: "the contact was merged into another one, which is updated instead"}, nil
	case r.ID != "" && (e.status == http.StatusNotFound && gone(e) || e.status == http.StatusGone):
		return dest.Outcome{Status: dest.Found, Code: e.code, Message: "the contact was deleted in Intercom, or archived; it is looked for anew"}, nil
	case e.status == http.StatusTooManyRequests:
		return slowed(e, "this contact"), nil
	case e.status == http.StatusConflict:
		return d.conflict(ctx, r, e)
	}
	return d.rejection(e), nil
}

// slowed is what becomes of a record that Intercom asks to wait with: the limit is that of
// one resource, and no other record meets it.
func slowed(e *refusal, resource string) dest.Outcome {
	return dest.Outcome{Status: dest.Retry, Code: e.code, After: e.after, Message: "Intercom asks to slow down with " + resource}
}

// slowedCall is a call for several records that Intercom asks to wait with.
func slowedCall(op string, e *refusal) *dest.CallError {
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: e.code, After: e.after, Message: "Intercom asks to wait with this call"}
}

// gone reports whether a 404 is about the contact itself, not about an owner or a
// company that the row names. What is in quotes may be the row's.
func gone(e *refusal) bool {
	message := strings.ToLower(attributeNamed.ReplaceAllString(e.message, ""))
	return e.code != "company_not_found" && !strings.Contains(message, "admin") && !strings.Contains(message, "owner")
}

// conflict follows the id that a 409 names: the contact is there, and the search did
// not show it yet, or it is archived.
func (d *destination) conflict(ctx context.Context, r *dest.Record, e *refusal) (dest.Outcome, error) {
	id, archived := "", false
	if m := conflicting.FindStringSubmatch(e.message); m != nil {
		id, archived = m[2], len(m[1]) > 1
	}
	switch {
	case strings.HasPrefix(e.message, "Multiple existing users"):
		return d.ambiguous(""), nil
	case e.code == "not_restorable":
		return dest.Outcome{Status: dest.Rejected, Code: e.code, Message: "the contact is archived and blocked, and cannot be restored: unblock it in Intercom, or leave the row out of the model"}, nil
	case id == "" || r.ID != "" && id != r.ID:
		return d.taken(id), nil
	case archived:
		return d.archived(ctx, r, id)
	case r.ID != "":
		return dest.Outcome{Status: dest.Rejected, Code: e.code, Message: "Intercom says that this contact is in conflict with itself: update it in Intercom and report it"}, nil
	case d.identifies:
		return d.verified(ctx, r, id)
	}
	return dest.Outcome{Status: dest.Found, ID: id, Code: e.code, Message: "the contact is there already; it is updated"}, nil
}

// taken is a row whose external id or email another contact has.
func (d *destination) taken(id string) dest.Outcome {
	which := "another contact"
	if id != "" {
		which += " (" + id + ")"
	}
	return dest.Outcome{Status: dest.Rejected, Code: "conflict",
		Message: which + " has the row's external_id or email, and is not the one that the row is matched with: merge the two in Intercom, or correct the row"}
}

// verified makes sure that the contact of a conflict is the row's by its match value:
// where another identifying field is mapped, the conflict may be by that one.
func (d *destination) verified(ctx context.Context, r *dest.Record, id string) (dest.Outcome, error) {
	got, err := d.client.do(ctx, "read a contact", http.MethodGet, "/contacts/"+id, nil)
	if err != nil {
		return dest.Outcome{}, unsent(err)
	}
	if got.err != nil && got.err.status == http.StatusTooManyRequests {
		return slowed(got.err, "the contact that has the row's external_id or email"), nil
	}
	if got.err != nil {
		return d.taken(id), nil
	}
	c, ok := readContact(got.body)
	if !ok || c.ID != id {
		return dest.Outcome{}, unsent(d.client.unreadable("read a contact", got))
	}
	if key, ok := d.identity.Key(nil, []byte(c.value(d.def.Match.Destination))); !ok || string(key) != r.Key {
		return d.taken(id), nil
	}
	return dest.Outcome{Status: dest.Found, ID: id, Code: "conflict", Message: "the contact is there already; it is updated"}, nil
}

// archived takes a contact out of the archive, or says that it is in there. One that the
// sync archived itself is always taken out: its row has come back.
func (d *destination) archived(ctx context.Context, r *dest.Record, id string) (dest.Outcome, error) {
	if d.options.OnArchived != archivedUnarchive && !r.Removed {
		return dest.Outcome{Status: dest.Rejected, Code: "contact_archived",
			Message: fmt.Sprintf("the contact (%s) is archived: restore it in Intercom, leave the row out of the model, or set intercom: {on_archived: unarchive}", id)}, nil
	}
	const op = "unarchive a contact"
	got, err := d.client.do(ctx, op, http.MethodPost, "/contacts/"+id+"/unarchive", nil)
	switch {
	case err != nil:
		return dest.Outcome{}, err
	case got.err != nil && got.err.code == "not_restorable":
		return dest.Outcome{Status: dest.Rejected, Code: got.err.code, Message: fmt.Sprintf("the contact (%s) is archived and blocked, and cannot be restored: unblock it in Intercom, or leave the row out of the model", id)}, nil
	case got.err != nil && got.err.status == http.StatusTooManyRequests:
		return slowed(got.err, "this contact"), nil
	case got.err != nil:
		return d.rejection(got.err), nil
	}
	if c, ok := readContact(got.body); !ok || c.ID != id {
		return dest.Outcome{}, d.client.unreadable(op, got)
	}
	return dest.Outcome{Status: dest.Found, ID: id, Code: "contact_archived", Message: "the contact was archived; it was restored and is updated"}, nil
}

// remedies say what a code means and what to do. Intercom's own message is not passed
// on: it may quote the row.
var remedies = map[string]string{
	"parameter_invalid":    "a value of the row is not one that Intercom takes: phone needs a number like +353871234567, a custom attribute a value of its own type, an avatar an address, owner_id a member of the workspace",
	"parameter_not_found":  "something that the row names is not there",
	"parameter_missing":    "Intercom wants another field with these",
	"missing_parameter":    "Intercom wants another field with these",
	"type_mismatch":        "a value of the row is of another type than the field",
	"data_invalid":         "a value of the row is not one that Intercom takes",
	"unprocessable_entity": "Intercom cannot act on the row's values",
	"not_found":            "something that the row names, such as its owner, is not there",
}

// attributeNamed is how Intercom names the attribute of a refusal: in quotes.
var attributeNamed = regexp.MustCompile(`'([^']{1,190})'`)

// noAttribute is how Intercom begins to say that the workspace lacks an attribute. A value that
// is quoted further on says nothing.
var noAttribute = regexp.MustCompile(`^(?i:custom attribute) '[^']{1,190}' does not exist`)

// rejection turns a refusal into the row's outcome; an unknown attribute of the
// definition's is the version's.
func (d *destination) rejection(e *refusal) dest.Outcome {
	o := dest.Outcome{Status: dest.Rejected, Code: e.code}
	message, attribute := strings.ToLower(e.message), ""
	if strings.Contains(message, "attribute") || strings.HasPrefix(e.field, customPrefix) {
		o.Field, attribute = d.blamed(e)
	}
	if noAttribute.MatchString(e.message) {
		d.attributes.stale()
		return d.unknown(o.Field, e.code)
	}
	if _, standard := own[e.field]; o.Field == "" && standard {
		o.Field = e.field
	}
	if o.Field == "" {
		o.Field = d.hinted(message)
	}
	o.Message = remedies[e.code]
	if o.Message == "" {
		o.Message = "Intercom refuses the contact"
	}
	o.Message += " (" + e.code + ")"
	if attribute != "" {
		o.Message += "; the custom attribute is" + called(attribute)
	}
	return o
}

// blamed is the field that a refusal for a custom attribute is about, and of an object of
// attributes the one, where the workspace has it: what else is in quotes may be the row's.
func (d *destination) blamed(e *refusal) (field, attribute string) {
	names := []string{strings.TrimPrefix(e.field, customPrefix)}
	for _, m := range attributeNamed.FindAllStringSubmatch(e.message, -1) {
		names = append(names, m[1])
	}
	for _, name := range names {
		if field := d.mapped(name); field != "" {
			return field, ""
		}
	}
	if d.types[fieldCustom] == "" {
		return "", ""
	}
	for _, name := range names {
		if called(name) != "" && d.attributes.has(name) {
			return fieldCustom, name
		}
	}
	if len(names) > 1 {
		field = fieldCustom
	}
	return field, ""
}

// mapped is the destination that maps a custom attribute, "" when none does.
func (d *destination) mapped(attribute string) string {
	for _, f := range d.def.Fields {
		if name, is := custom(f.Destination); is && name == attribute {
			return f.Destination
		}
	}
	return ""
}

// hinted is the one of the definition's own fields that a message begins with or
// names in a fixed phrase, "" for none.
func (d *destination) hinted(message string) string {
	for name, phrase := range map[string]string{"phone": "phone", fieldOwner: "the owner specified", fieldRole: "role", fieldEmail: "email", "avatar": "avatar"} {
		if _, is := d.types[name]; is && strings.HasPrefix(message, phrase) {
			return name
		}
	}
	return ""
}
