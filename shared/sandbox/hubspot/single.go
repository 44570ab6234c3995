package hubspot

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// details is GET /account-info/…/details.
func (s *Server) details(c *call) *failure {
	portal, _ := strconv.Atoi(s.opts.Portal)
	c.reply(http.StatusOK, map[string]any{
		"portalId": portal, "accountType": "STANDARD", "timeZone": "UTC", "companyCurrency": "USD", "additionalCurrencies": []string{},
		"utcOffset": "+00:00", "utcOffsetMilliseconds": 0, "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
	})
	return nil
}

// one reads the object and the record of a path.
func (s *Server) one(c *call) (*object, int, *failure) {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return nil, 0, failed
	}
	by := c.r.URL.Query().Get("idProperty")
	if by != "" && by != propID {
		if failed := o.unique(by, "single"); failed != nil {
			return nil, 0, failed
		}
	}
	row := o.find(c.r.PathValue("id"), by)
	if row < 0 {
		return nil, 0, &failure{status: http.StatusNotFound, Category: "OBJECT_NOT_FOUND", Message: "resource not found"}
	}
	return o, row, nil
}

// asked are the properties of the query, those that an object shows by default where
// none are named.
func (o *object) asked(c *call) []string {
	names := list(c.r.URL.Query()["properties"])
	if len(names) == 0 {
		for _, name := range []string{propEmail, "firstname", "lastname", "name", "domain", "dealname", "amount", "dealstage"} {
			if _, there := o.property(name); there {
				names = append(names, name)
			}
		}
	}
	return names
}

func list(values []string) (out []string) {
	for _, v := range values {
		out = append(out, strings.Split(v, ",")...)
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// read is GET …/{id}.
func (s *Server) read(c *call) *failure {
	o, row, failed := s.one(c)
	if failed == nil {
		c.reply(http.StatusOK, o.record(row, o.asked(c)))
	}
	return failed
}

// create is POST …/{object}.
func (s *Server) create(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), true)
	if failed != nil {
		return failed
	}
	return s.writeOne(c, o, records.NewRow, http.StatusCreated)
}

// update is PATCH …/{id}.
func (s *Server) update(c *call) *failure {
	o, row, failed := s.one(c)
	if failed != nil {
		return failed
	}
	return s.writeOne(c, o, row, http.StatusOK)
}

func (s *Server) writeOne(c *call, o *object, row, status int) *failure {
	var in input
	if json.Unmarshal(c.body, &in) != nil || in.Properties == nil {
		return invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [properties]")
	}
	if failed := s.known(o, []input{in}); failed != nil {
		return failed
	}
	values, failed := texts(in)
	if failed != nil {
		return failed
	}
	if failed := s.struck(c, o, in, row, values); failed != nil {
		return failed
	}
	p := s.plan(o, row, values, map[string]int{}, 0)
	if p.failed != nil {
		return p.failed
	}
	w := s.store.Writer()
	row = w.Put(o.table, row, s.core.Now(), p.changes)
	if err := w.Commit(); err != nil {
		return broken(err)
	}
	c.reply(status, o.record(row, p.names))
	return nil
}

// remove is DELETE …/{id}: the record goes to the recycling bin; one that is gone is
// no failure.
func (s *Server) remove(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	return s.archive(c, o, o.rowOf(c.r.PathValue("id")))
}

// erase is POST …/contacts/gdpr-delete.
func (s *Server) erase(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	var in struct {
		ID         string `json:"objectId"`
		IDProperty string `json:"idProperty"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.ID == "" || !o.contacts() {
		return invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [objectId]")
	}
	if in.IDProperty != "" && in.IDProperty != propID {
		if failed := o.unique(in.IDProperty, "single"); failed != nil {
			return failed
		}
	}
	return s.archive(c, o, o.find(in.ID, in.IDProperty))
}

func (s *Server) archive(c *call, o *object, row int) *failure {
	if row >= 0 {
		w := s.store.Writer()
		w.Remove(o.table, row)
		if err := w.Commit(); err != nil {
			return broken(err)
		}
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// A page is a list of records.
type page struct {
	Total   *int           `json:"total,omitempty"`
	Results []record       `json:"results"`
	Paging  map[string]any `json:"paging,omitempty"`
}

// list is GET …/{object}: 10 a page, 100 at most, in the order of ids.
func (s *Server) list(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	q := c.r.URL.Query()
	limit, after := 10, 0
	for text, into := range map[string]*int{q.Get("limit"): &limit, q.Get("after"): &after} {
		if n, err := strconv.Atoi(text); text != "" && (err != nil || n < 0) {
			return invalid("limit and after are numbers")
		} else if text != "" {
			*into = n
		}
	}
	if limit < 1 || limit > 100 {
		return invalid("limit: 1 to 100")
	}
	out := page{Results: []record{}}
	for row := max(0, after-firstID); row < o.table.Rows(); row++ {
		if o.table.Deleted(row) {
			continue
		}
		if len(out.Results) == limit {
			out.Paging = map[string]any{"next": map[string]string{"after": idOf(row)}}
			break
		}
		out.Results = append(out.Results, o.record(row, o.asked(c)))
	}
	c.reply(http.StatusOK, out)
	return nil
}
