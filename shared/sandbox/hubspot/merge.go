package hubspot

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// propMerged lists the ids of the records that a record was merged from. An object gets
// it with its first merge.
const propMerged = "hs_merged_object_ids"

// merge is POST …/{object}/merge: one record becomes a part of another, which answers to
// its id from then on, in whatever call: also where it is archived by it.
func (s *Server) merge(c *call) *failure {
	o, failed := s.object(c.r.PathValue("object"), false)
	if failed != nil {
		return failed
	}
	var in struct {
		Primary string `json:"primaryObjectId"`
		Merged  string `json:"objectIdToMerge"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [primaryObjectId, objectIdToMerge]")
	}
	from, into := o.rowOf(in.Merged), o.rowOf(in.Primary)
	switch {
	case from < 0 || into < 0:
		return &failure{status: http.StatusNotFound, Category: "OBJECT_NOT_FOUND", Message: "resource not found"}
	case from == into:
		return invalid("Cannot merge an object with itself")
	}
	if failed := s.join(o, from, into); failed != nil {
		return failed
	}
	c.reply(http.StatusOK, o.record(into, o.asked(c)))
	return nil
}

// join makes the record of one row a part of another's: what the other lacks it gets, and
// of contacts the address too, as a further one.
func (s *Server) join(o *object, from, into int) *failure {
	if _, there := o.property(propMerged); !there {
		if failed := s.newProperty(o, Property{Name: propMerged, Type: "enumeration", FieldType: "checkbox", External: true, ReadOnly: true}); failed != nil {
			return failed
		}
	}
	var changes []records.Change
	for _, p := range o.Properties {
		column, _ := o.table.Lookup(p.Name)
		had, has := string(o.table.Get(from, column)), string(o.table.Get(into, column))
		switch {
		case p.Name == propMerged:
			has = joined(has, had, idOf(from))
		case p.Name == propMore && o.contacts():
			address, _ := o.table.Lookup(propEmail)
			has = joined(has, had, string(o.table.Get(from, address)))
			o.remember(into, has)
		case has != "" || p.Unique || p.ReadOnly:
			continue
		default:
			has = had
		}
		changes = append(changes, records.Change{Column: column, Text: []byte(has)})
	}
	w := s.store.Writer()
	w.Put(o.table, into, s.core.Now(), changes)
	w.Remove(o.table, from)
	if err := w.Commit(); err != nil {
		return broken(err)
	}
	o.recall(into)
	return nil
}

func joined(lists ...string) string {
	return strings.Join(slices.DeleteFunc(lists, func(s string) bool { return s == "" }), ";")
}

// recall notes which ids a row answers to beside its own.
func (o *object) recall(row int) {
	at, there := o.table.Lookup(propMerged)
	if !there {
		return
	}
	for _, id := range strings.Split(string(o.table.Get(row, at)), ";") {
		if n, err := strconv.Atoi(id); err == nil {
			o.merged[n-firstID] = row
		}
	}
}
