package intercom

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// tagTable has a tag a row; its id is the row's number and a thousand.
var tagTable = records.Spec{Name: "tags", Columns: []records.Column{{Name: "name", Compare: records.Folded, Indexed: true}}}

const firstTag = 1000

var noTag = fail(http.StatusNotFound, "not_found", "Resource Not Found")

// tagRow finds a tag by its id.
func (s *Server) tagRow(id string) (int, error) {
	n, err := strconv.Atoi(id)
	if n -= firstTag; err != nil || n < 0 || n >= s.tags.Rows() || s.tags.Deleted(n) {
		return 0, noTag
	}
	return n, nil
}

func (s *Server) tagJSON(row int) map[string]any {
	return map[string]any{"type": "tag", "id": strconv.Itoa(row + firstTag), "name": string(s.tags.Get(row, 0))}
}

// tagIDs are a contact's tags that still exist.
func (s *Server) tagIDs(row int) []string {
	var out []string
	for id := range strings.SplitSeq(s.get(row, colTags), ",") {
		if _, err := s.tagRow(id); err == nil {
			out = append(out, id)
		}
	}
	return out
}

func (s *Server) setTags(row int, ids []string) {
	s.set(row, records.Change{Column: colTags, Text: []byte(strings.Join(ids, ","))})
}

func (s *Server) listTags(*http.Request) (any, error) {
	data := []any{}
	for _, row := range s.tags.Select(nil) {
		data = append(data, s.tagJSON(row))
	}
	return map[string]any{"type": "list", "data": data}, nil
}

func (s *Server) readTag(r *http.Request) (any, error) {
	row, err := s.tagRow(r.PathValue("tag"))
	if err != nil {
		return nil, err
	}
	return s.tagJSON(row), nil
}

func (s *Server) deleteTag(r *http.Request) (any, error) {
	row, err := s.tagRow(r.PathValue("tag"))
	if err != nil {
		return nil, err
	}
	s.store.Writer().Remove(s.tags, row)
	return map[string]any{}, nil
}

// createTag makes a tag or finds it by its name; with an id it renames one, and with
// users it tags them.
func (s *Server) createTag(r *http.Request) (any, error) {
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(text(in["name"]))
	if name == "" {
		return nil, fail(http.StatusBadRequest, "parameter_not_found", "Name is required")
	}
	found := s.tags.Find(nil, 0, []byte(name))
	var row int
	switch id := text(in["id"]); {
	case id != "":
		if row, err = s.tagRow(id); err != nil {
			return nil, err
		}
		s.store.Writer().Put(s.tags, row, s.core.Now(), []records.Change{{Column: 0, Text: []byte(name)}})
	case len(found) > 0:
		row = found[0]
	default:
		row = s.store.Writer().Put(s.tags, records.NewRow, s.core.Now(), []records.Change{{Column: 0, Text: []byte(name)}})
	}
	return s.tagJSON(row), s.tagUsers(in["users"], strconv.Itoa(row+firstTag))
}

// tagUsers tags, or untags, many at once.
func (s *Server) tagUsers(raw json.RawMessage, tag string) error {
	var users []struct {
		ID    string `json:"id"`
		Untag bool   `json:"untag"`
	}
	if raw != nil && json.Unmarshal(raw, &users) != nil {
		return invalid("users must be a list")
	}
	for _, u := range users {
		row, err := s.byID(u.ID)
		if err != nil {
			return err
		}
		ids := slices.DeleteFunc(s.tagIDs(row), func(id string) bool { return id == tag })
		if !u.Untag {
			ids = append(ids, tag)
		}
		s.setTags(row, ids)
	}
	return nil
}

func (s *Server) tagsOfContact(id string) (any, error) {
	row, err := s.byID(id)
	if err != nil {
		return nil, err
	}
	data := []any{}
	for _, id := range s.tagIDs(row) {
		n, _ := s.tagRow(id) // it exists
		data = append(data, s.tagJSON(n))
	}
	return map[string]any{"type": "list", "data": data}, nil
}

func (s *Server) tagContact(r *http.Request) (any, error) {
	row, err := s.byID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	tag, err := s.tagRow(text(in["id"]))
	if err != nil {
		return nil, err
	}
	id := strconv.Itoa(tag + firstTag)
	if ids := s.tagIDs(row); !slices.Contains(ids, id) {
		s.setTags(row, append(ids, id))
	}
	return s.tagJSON(tag), nil
}

func (s *Server) untagContact(r *http.Request) (any, error) {
	row, err := s.byID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	tag, err := s.tagRow(r.PathValue("tag"))
	if err != nil {
		return nil, err
	}
	id, ids := strconv.Itoa(tag+firstTag), s.tagIDs(row)
	if !slices.Contains(ids, id) {
		return nil, noTag
	}
	s.setTags(row, slices.DeleteFunc(ids, func(one string) bool { return one == id }))
	return s.tagJSON(tag), nil
}
