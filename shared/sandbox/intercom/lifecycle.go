package intercom

import (
	"net/http"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

func (s *Server) readContact(r *http.Request) (any, error) {
	row, err := s.byID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.contactJSON(row), nil
}

// findContact finds a user by the external id, at once.
func (s *Server) findContact(r *http.Request, external string) (any, error) {
	if err := s.failsRecord(r, external); err != nil {
		return nil, err
	}
	for _, row := range s.contacts.Find(nil, colExternalID, []byte(external)) {
		if s.get(row, colRole) != "user" && s.get(row, colMerged) == "" {
			continue
		}
		if err := s.living(row); err != nil {
			return nil, err
		}
		return s.contactJSON(row), nil
	}
	return nil, notFound
}

func (s *Server) set(row int, changes ...records.Change) {
	s.store.Writer().Put(s.contacts, row, s.core.Now(), changes)
}

// ended is what archiving and the like answer.
func (s *Server) ended(row int, name string) map[string]any {
	out := map[string]any{"type": "contact", "id": s.get(row, colID), "external_id": nil, name: true}
	if v := s.get(row, colExternalID); v != "" {
		out["external_id"] = v
	}
	return out
}

func (s *Server) archiveContact(r *http.Request) (any, error) {
	row, err := s.byID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if err := s.failsRecord(r, s.get(row, colID), s.get(row, colExternalID), s.get(row, colEmail)); err != nil {
		return nil, err
	}
	s.set(row, records.Change{Column: colArchived, Text: []byte("1")})
	return s.ended(row, "archived"), nil
}

func (s *Server) unarchiveContact(r *http.Request) (any, error) {
	found := s.contacts.Find(nil, colID, []byte(r.PathValue("id")))
	if len(found) == 0 {
		return nil, notFound
	}
	row := found[0]
	if s.get(row, colMerged) != "" {
		return nil, s.living(row)
	}
	if s.get(row, colBlocked) != "" {
		return nil, fail(http.StatusConflict, "not_restorable", "This contact is blocked and cannot be restored")
	}
	s.set(row, records.Change{Column: colArchived}, s.seen())
	out := s.ended(row, "archived")
	out["archived"] = false
	return out, nil
}

func (s *Server) blockContact(r *http.Request) (any, error) {
	row, err := s.byID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	s.set(row, records.Change{Column: colArchived, Text: []byte("1")}, records.Change{Column: colBlocked, Text: []byte("1")})
	return s.ended(row, "blocked"), nil
}

func (s *Server) deleteContact(r *http.Request) (any, error) {
	row, err := s.byID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if err := s.failsRecord(r, s.get(row, colID), s.get(row, colExternalID), s.get(row, colEmail)); err != nil {
		return nil, err
	}
	s.store.Writer().Remove(s.contacts, row)
	return s.ended(row, "deleted"), nil
}

// mergeContacts makes a lead a part of a user.
func (s *Server) mergeContacts(r *http.Request) (any, error) {
	in, err := object(r)
	if err != nil {
		return nil, err
	}
	from, err := s.byID(text(in["from"]))
	if err != nil {
		return nil, err
	}
	into, err := s.byID(text(in["into"]))
	if err != nil {
		return nil, err
	}
	if s.get(from, colRole) != "lead" || s.get(into, colRole) != "user" {
		return nil, invalid("Only a lead can be merged into a user")
	}
	s.Merge(s.get(from, colID), s.get(into, colID))
	return s.contactJSON(into), nil
}

// Merge makes one contact a part of another, as the vendor's own screens can with two
// users; the lock is the caller's where requests run.
func (s *Server) Merge(from, into string) {
	for _, row := range s.contacts.Find(nil, colID, []byte(from)) {
		s.set(row, records.Change{Column: colMerged, Text: []byte(into)})
	}
}
