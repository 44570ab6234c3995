package intercom_test

import (
	"errors"
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
