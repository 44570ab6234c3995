package intercom_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// unread reports whether a call failed because its answer cannot be read.
func unread(err error) bool {
	call, ok := errors.AsType[*dest.CallError](err)
	return ok && call.Class == dest.Unavailable && call.Scope == dest.ScopeUntold && call.Code == "bad_answer"
}

// A search whose contacts are not as many as it says tells nothing of those that it
// leaves out, whatever a row asks for.
func TestSearchIsWhole(t *testing.T) {
	const ana, ben = `{"type":"contact","id":"1","external_id":"a@acme.example","email":"a@acme.example"}`, `{"type":"contact","id":"2","external_id":"b@acme.example","email":"b@acme.example"}`
	const next = `"next":{"page":2,"starting_after":"x"}`
	page := func(total, pages, data string) string {
		return `{"type":"list","total_count":` + total + `,"pages":{` + pages + `},"data":[` + data + `]}`
	}
	for name, c := range map[string]struct {
		pages []string
		whole bool
	}{
		"all":                      {[]string{page("2", `"page":1,"total_pages":1`, ana+","+ben)}, true},
		"none":                     {[]string{page("0", "", "")}, true},
		"two pages":                {[]string{page("2", next, ana), page("2", "", ben)}, true},
		"one of three":             {[]string{page("3", `"page":1,"total_pages":2`, ana)}, false},
		"none of three":            {[]string{page("3", "", "")}, false},
		"two of one":               {[]string{page("1", "", ana+","+ben)}, false},
		"less than none":           {[]string{page("-1", "", "")}, false},
		"one twice":                {[]string{page("2", "", ana+","+ana)}, false},
		"one twice over the pages": {[]string{page("2", next, ana), page("2", "", ana)}, false},
		"a last page without any":  {[]string{page("2", next, ana), page("2", "", "")}, false},
		"pages of two totals":      {[]string{page("3", next, ana), page("2", "", ben)}, false},
	} {
		for kind, def := range map[string]syncdef.Definition{"email": byEmail(), "external id": byExternalID()} {
			for _, operation := range []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Delete} {
				def.Operation, def.OnMissing = operation, ""
				if operation == syncdef.Delete {
					def.Fields, def.OnDelete = nil, syncdef.RemoveArchive
				}
				w := newWorld(t, def)
				for _, body := range c.pages {
					w.arm(sandbox.Fault{Match: "POST /contacts/search", Status: 200, Body: body})
				}
				b := dest.Batch{Records: []dest.Record{w.rec("a@acme.example"), w.rec("b@acme.example"), w.rec("c@acme.example")}}
				for i := range b.Records {
					b.Records[i].Delete = operation == syncdef.Delete
				}
				out, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
				if c.whole != (err == nil) || err != nil && (!unread(err) || asCall(t, err).Received) {
					t.Errorf("%s, %s, %s: %v, %v", name, kind, operation, shorts(out), err)
				}
			}
		}
	}
}

// Contacts that a count leaves out are no figures.
func TestFreshnessIsWhole(t *testing.T) {
	w, n := newWorld(t, byExternalID()), 0
	w.aged(0, 0)
	for total, whole := range map[string]bool{"3": false, "2": true, "1": true} { // one may be gone since
		w.arm(sandbox.Fault{Match: "POST /contacts/search", Count: 2, Find: `"total_count":2`, Replace: `"total_count":` + total})
		if got, err := w.fresh("seen", paid(&n)); whole != (err == nil) || err != nil && !unread(err) {
			t.Errorf("2 contacts of %s: %+v, %v", total, got, err)
		}
	}
}

// What an answer says of another contact than the one that was asked for or written is no
// answer: its id is neither remembered nor tagged.
func TestAnotherContact(t *testing.T) {
	const other = `{"type":"contact","id":"66a0000000000000000000ff","external_id":"someone-else","email":"someone@else.example"}`
	tagged := with(byExternalID(), `{"managed_tags":["risk_"]}`, syncdef.Field{Source: "tags", Destination: "tags", Type: syncdef.JSON})
	identifying := with(byEmail(), "", syncdef.Field{Source: "id", Destination: "external_id", Type: syncdef.String})
	push := func(w *world, r dest.Record) error {
		b := dest.Batch{Records: []dest.Record{r}}
		_, err := w.dest.Push(t.Context(), b, dest.Call{Records: []int{0}})
		return err
	}
	for name, c := range map[string]struct {
		def   syncdef.Definition
		match string
		body  string
		do    func(w *world, id string) error
	}{
		"an update": {tagged, "PUT /contacts/", other, func(w *world, id string) error {
			r := w.rec("c-1", "name", `"New"`, "tags", `["risk_high"]`)
			r.ID = id
			return push(w, r)
		}},
		"a new contact": {tagged, "POST /contacts", other, func(w *world, _ string) error {
			return push(w, w.rec("c-2", "name", `"New"`, "tags", `["risk_high"]`))
		}},
		"a new address": {byEmail(), "POST /contacts", other, func(w *world, _ string) error {
			return push(w, w.rec("c-2@acme.example", "name", `"New"`))
		}},
		"a find": {byExternalID(), "/find_by_external_id/", other, func(w *world, _ string) error {
			b := dest.Batch{Records: []dest.Record{w.rec("c-1")}}
			_, err := w.dest.Lookup(t.Context(), b, dest.Call{Records: []int{0}})
			return err
		}},
		"a find of nobody's": {byExternalID(), "/find_by_external_id/", `{"type":"contact","id":"66a0000000000000000000ff","external_id":null}`, func(w *world, _ string) error {
			b := dest.Batch{Records: []dest.Record{w.rec("c-1")}}
			_, err := w.dest.Lookup(t.Context(), b, dest.Call{Records: []int{0}})
			return err
		}},
		"the one of a conflict": {identifying, "GET /contacts/", `{"type":"contact","id":"66a0000000000000000000ff","email":"c-1@acme.example"}`, func(w *world, _ string) error {
			return push(w, w.rec("c-1@acme.example", "external_id", `"c-1"`))
		}},
		"a read": {byExternalID(), "GET /contacts/", other, func(w *world, id string) error {
			def := byExternalID()
			_, err := w.acct.(dest.Reader).Read(t.Context(), &def, []string{"name"}, []string{id}, func(context.Context, dest.Cost) error { return nil })
			return err
		}},
		"a tag": {tagged, "POST /contacts/", `{"type":"tag","id":"9999","name":"risk_low"}`, func(w *world, id string) error {
			r := w.rec("c-1", "tags", `["risk_high"]`)
			r.ID = id
			return push(w, r)
		}},
	} {
		w := newWorld(t, c.def)
		id := w.seed(`{"role":"user","external_id":"c-1","email":"c-1@acme.example","name":"Old"}`)[0]
		w.arm(sandbox.Fault{Match: c.match, Status: 200, Body: c.body})
		if err := c.do(w, id); !unread(err) {
			t.Errorf("%s: %v", name, err)
		}
		for _, sent := range w.sent() {
			if strings.Contains(sent, "66a0000000000000000000ff") {
				t.Errorf("%s: went on to the other contact: %s", name, sent)
			}
		}
		if len(w.sim.Core().Faults()) > 0 {
			t.Errorf("%s: the answer was not asked for", name)
		}
	}
}

// A contact that Intercom itself finds by another case is the one, where nobody has said
// whether case counts; where it does, it is another one.
func TestFindByAnotherCase(t *testing.T) {
	yes := true
	for says, found := range map[*bool]bool{nil: true, &yes: false} {
		def := byExternalID()
		def.Match.Case = says
		w := newWorld(t, def)
		w.arm(sandbox.Fault{Match: "/find_by_external_id/", Status: 200, Body: `{"type":"contact","id":"7","external_id":"C-1"}`})
		b := dest.Batch{Records: []dest.Record{w.rec("c-1")}}
		out, err := w.dest.Lookup(t.Context(), b, dest.Call{Records: []int{0}})
		if found != (err == nil) || found && short(out[0]) != "found 7" || !found && !unread(err) {
			t.Errorf("%v: %+v, %v", found, out, err)
		}
	}
}
