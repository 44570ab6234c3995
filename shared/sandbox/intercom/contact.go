package intercom

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// The columns of contactTable. An empty text is null.
const (
	colID = iota
	colExternalID
	colEmail
	colRole
	colName
	colPhone
	colAvatar
	colOwner
	colSignedUp
	colLastSeen
	colUnsubscribed
	colLanguage
	colCustom   // a JSON object
	colTags     // tag ids, with commas
	colArchived // 1
	colBlocked  // 1
	colMerged   // the id of the contact that this one became
	colSeen     // since when it may be found, Unix milliseconds
)

var contactTable = records.Spec{Name: "contacts", Columns: []records.Column{
	{Name: "id", Indexed: true}, {Name: "external_id", Indexed: true}, {Name: "email", Compare: records.Folded, Indexed: true}, {Name: "role"},
	{Name: "name"}, {Name: "phone"}, {Name: "avatar"}, {Name: "owner_id"}, {Name: "signed_up_at"}, {Name: "last_seen_at"},
	{Name: "unsubscribed_from_emails"}, {Name: "language_override"}, {Name: "custom_attributes"}, {Name: "tags"},
	{Name: "archived"}, {Name: "blocked"}, {Name: "merged_into"}, {Name: "seen"},
}}

// get is a contact's value as text.
func (s *Server) get(row, column int) string { return string(s.contacts.Get(row, column)) }

// byID finds a contact that is there: archived ones are not (404), merged ones say
// what they became (410).
func (s *Server) byID(id string) (int, error) {
	found := s.contacts.Find(nil, colID, []byte(id))
	if id == "" || len(found) == 0 {
		return 0, notFound
	}
	return found[0], s.living(found[0])
}

func (s *Server) living(row int) error {
	if into := s.get(row, colMerged); into != "" {
		f := fail(http.StatusGone, "contact_merged", "This contact was merged into another contact")
		f.link = into
		return f
	}
	if s.get(row, colArchived) != "" {
		return notFound
	}
	return nil
}

// failsRecord answers as a fault says that single contacts are to be.
func (s *Server) failsRecord(r *http.Request, names ...string) error {
	if !s.core.FailsRecords() {
		return nil
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if code, message, hit := s.core.FailRecord(r, name); hit {
			status := map[string]int{"too_many_requests": http.StatusTooManyRequests, "not_found": http.StatusNotFound, "conflict": http.StatusConflict}[code]
			if status == 0 {
				status = http.StatusBadRequest
			}
			return fail(status, code, "%s", message)
		}
	}
	return nil
}

func (s *Server) createContact(r *http.Request) (any, error) {
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	if err := s.failsRecord(r, text(in["external_id"]), text(in["email"])); err != nil {
		return nil, err
	}
	role := text(in["role"])
	external, email := text(in["external_id"]), strings.ToLower(text(in["email"]))
	switch {
	case external == "" && email == "" && role == "":
		return nil, fail(http.StatusBadRequest, "parameter_missing", "At least one of email, external_id or role is needed")
	case role == "" && external == "" && email == "", role == "user" && external == "" && email == "":
		return nil, fail(http.StatusBadRequest, "parameter_missing", "A user needs an external_id or an email")
	case role == "":
		role = "user"
	}
	if err := s.clash(records.NewRow, role, external, email); err != nil {
		return nil, err
	}
	changes, err := s.changes(r, in, records.NewRow, role)
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("66a0%020x", s.contacts.Rows()+1)
	changes = append(changes, records.Change{Column: colID, Text: []byte(id)}, records.Change{Column: colRole, Text: []byte(role)}, s.seen())
	return s.contactJSON(s.store.Writer().Put(s.contacts, records.NewRow, s.core.Now(), changes)), nil
}

// seen is since when a contact that is new to the search may be found.
func (s *Server) seen() records.Change {
	at := s.core.Now().Add(max(0, s.cfg.SearchLag))
	return records.Change{Column: colSeen, Text: strconv.AppendInt(nil, at.UnixMilli(), 10)}
}

func (s *Server) updateContact(r *http.Request) (any, error) {
	row, err := s.byID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	if err := s.failsRecord(r, s.get(row, colID), s.get(row, colExternalID), s.get(row, colEmail)); err != nil {
		return nil, err
	}
	role := s.get(row, colRole)
	if text(in["role"]) != "" {
		role = text(in["role"])
	}
	if _, changes := in["external_id"]; role == "lead" && !changes && s.get(row, colExternalID) != "" {
		return nil, invalid("external_id cannot be set for a lead")
	}
	external, email := "", ""
	if text(in["external_id"]) != s.get(row, colExternalID) {
		external = text(in["external_id"])
	}
	if err := s.clash(row, role, external, email); err != nil {
		return nil, err
	}
	changes, err := s.changes(r, in, row, role)
	if err != nil {
		return nil, err
	}
	changes = append(changes, records.Change{Column: colRole, Text: []byte(role)})
	s.store.Writer().Put(s.contacts, row, s.core.Now(), changes)
	return s.contactJSON(row), nil
}

// clash refuses what another contact has: an external id is one user's; a user without
// one is told apart by the email, which several users may share all the same.
func (s *Server) clash(row int, role, external, email string) error {
	if role == "lead" && external == "" {
		return nil
	}
	if external != "" {
		for _, other := range s.contacts.Find(nil, colExternalID, []byte(external)) {
			if other != row {
				return s.exists(other)
			}
		}
	}
	if email == "" {
		return nil
	}
	var same []int
	for _, other := range s.contacts.Find(nil, colEmail, []byte(email)) {
		if other == row || s.get(other, colRole) != "user" || s.get(other, colMerged) != "" || external != "" && s.get(other, colExternalID) != "" {
			continue
		}
		same = append(same, other)
	}
	switch len(same) {
	case 0:
		return nil
	case 1:
		return s.exists(same[0])
	}
	return fail(http.StatusConflict, "conflict", "Multiple existing users match this email address - must be more specific using user_id")
}

func (s *Server) exists(row int) error {
	if into := s.get(row, colMerged); into != "" {
		return fail(http.StatusConflict, "conflict", "A contact matching those details already exists with id=%s", into)
	}
	which := "A contact"
	if s.get(row, colArchived) != "" {
		which = "An archived contact"
	}
	return fail(http.StatusConflict, "conflict", "%s matching those details already exists with id=%s", which, s.get(row, colID))
}

var (
	phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	emailForm = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
)

// maxSeconds is the last time of 11 digits, in the year 5138: more is in milliseconds.
const maxSeconds = 99_999_999_999

// changes checks a contact's members and gives the columns that they set. Members that
// a contact does not have are ignored.
func (s *Server) changes(r *http.Request, in map[string]json.RawMessage, row int, role string) ([]records.Change, error) {
	var out []records.Change
	set := func(column int, v string) {
		out = append(out, records.Change{Column: column, Text: []byte(v)})
	}
	for name, v := range in {
		null, value, isText := string(v) == "null", text(v), len(v) > 0 && v[0] == '"'
		switch name {
		case "email", "external_id":
			switch {
			case !isText:
				return nil, invalid("%s must be a string", name)
			case name == "external_id" && role == "lead" && value != "":
				return nil, invalid("external_id cannot be set for a lead")
			case name == "external_id":
				set(colExternalID, value)
			case value != "" && !emailForm.MatchString(value):
				return nil, invalid("Email '%s' is not a valid email", value)
			default:
				set(colEmail, strings.ToLower(value))
			}
		case "role":
			if value != "user" && value != "lead" {
				return nil, invalid("role must be user or lead")
			}
		case "name", "avatar", "language_override", "phone":
			if !isText && !null {
				return nil, invalid("%s must be a string", name)
			}
			if name == "phone" && value != "" && !phoneForm.MatchString(value) {
				return nil, invalid("phone '%s' is not a valid phone number", value)
			}
			set(map[string]int{"name": colName, "avatar": colAvatar, "language_override": colLanguage, "phone": colPhone}[name], value)
		case "owner_id":
			if !null && isText != ownerIsText(r) {
				return nil, invalid("owner_id is of the wrong type")
			}
			if value = strings.Trim(string(v), `"`); null {
				value = ""
			}
			if value != "" && !slices.Contains(s.cfg.Owners, value) {
				return nil, invalid("The owner specified is not a member of the workspace")
			}
			set(colOwner, value)
		case "signed_up_at", "last_seen_at":
			n, err := strconv.ParseInt(string(v), 10, 64)
			if !null && (err != nil || n < 0) {
				return nil, invalid("%s must be a Unix timestamp in seconds", name)
			}
			if n > maxSeconds {
				return nil, invalid("%s must be in seconds, not milliseconds", name)
			}
			if value = string(v); null {
				value = ""
			}
			set(map[string]int{"signed_up_at": colSignedUp, "last_seen_at": colLastSeen}[name], value)
		case "unsubscribed_from_emails":
			if string(v) != "true" && string(v) != "false" && !null {
				return nil, invalid("unsubscribed_from_emails must be a boolean")
			}
			set(colUnsubscribed, map[bool]string{true: "1"}[string(v) == "true"])
		case "email_verified":
			if _, both := in["email"]; !both {
				return nil, invalid("email_verified can only be set together with email")
			}
		case "custom_attributes":
			if null {
				continue
			}
			has := map[string]json.RawMessage{}
			if row != records.NewRow {
				has = s.customOf(row)
			}
			if err := s.custom(v, has); err != nil {
				return nil, err
			}
			kept, err := json.Marshal(has)
			if err != nil {
				return nil, err
			}
			out = append(out, records.Change{Column: colCustom, Text: kept})
		}
	}
	return out, nil
}

// customOf are a contact's custom attributes.
func (s *Server) customOf(row int) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	if !s.contacts.Null(row, colCustom) {
		_ = json.Unmarshal(s.contacts.Get(row, colCustom), &out) // written by changes
	}
	return out
}

// contactJSON is a contact as the API answers it.
func (s *Server) contactJSON(row int) map[string]any {
	id := s.get(row, colID)
	null := func(column int) any {
		if v := s.get(row, column); v != "" {
			return v
		}
		return nil
	}
	seconds := func(column int) any {
		if n, err := strconv.ParseInt(s.get(row, column), 10, 64); err == nil {
			return n
		}
		return nil
	}
	list := func(name string) map[string]any {
		return map[string]any{"type": "list", "data": []any{}, "url": "/contacts/" + id + "/" + name, "total_count": 0, "has_more": false}
	}
	tags := list("tags")
	ids := s.tagIDs(row)
	shown := []any{}
	for _, tag := range ids[:min(10, len(ids))] {
		shown = append(shown, map[string]any{"type": "tag", "id": tag, "url": "/tags/" + tag})
	}
	tags["data"], tags["total_count"], tags["has_more"] = shown, len(ids), len(ids) > 10
	var avatar any
	if v := null(colAvatar); v != nil {
		avatar = map[string]any{"type": "avatar", "image_url": v}
	}
	return map[string]any{"type": "contact", "id": id, "workspace_id": s.cfg.AppID, "external_id": null(colExternalID), "role": s.get(row, colRole),
		"email": null(colEmail), "email_verified": nil, "phone": null(colPhone), "name": null(colName), "avatar": avatar, "owner_id": null(colOwner), "has_hard_bounced": false,
		"marked_email_as_spam": false, "unsubscribed_from_emails": s.get(row, colUnsubscribed) != "", "created_at": s.contacts.Created(row).Unix(),
		"updated_at": s.contacts.Modified(row).Unix(), "signed_up_at": seconds(colSignedUp), "last_seen_at": seconds(colLastSeen),
		"language_override": null(colLanguage), "custom_attributes": s.customOf(row), "tags": tags, "notes": list("notes"), "companies": list("companies"),
		"social_profiles": map[string]any{"type": "list", "data": []any{}}, "location": map[string]any{"type": "location"}}
}
