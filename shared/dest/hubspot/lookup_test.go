package hubspot_test

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

// reads are answers to a read of person1 to person3, and whether they tell what is not
// there.
var reads = map[string]struct {
	status int
	body   string
	whole  bool
}{
	"none":                     {200, `{"status":"COMPLETE","results":[]}`, true},
	"no status":                {200, `{"results":[]}`, true},
	"an error for all":         {207, `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["a","b","c"]}}]}`, true},
	"an error that counts all": {207, `{"status":"COMPLETE","results":[],"numErrors":3,"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["a","b","c"]}}]}`, true},
	"no errors":                {200, `{"status":"COMPLETE","results":[],"numErrors":0}`, true},
	"pending":                  {200, `{"status":"PENDING","results":[]}`, false},
	"processing":               {207, `{"status":"PROCESSING","results":[],"numErrors":1,"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["a"]}}]}`, false},
	"canceled":                 {200, `{"status":"CANCELED","results":[]}`, false},
	"a status of tomorrow":     {200, `{"status":"PARTIAL","results":[]}`, false},
	"errors that are not told": {200, `{"status":"COMPLETE","results":[],"numErrors":3}`, false},
	"two errors, one told":     {207, `{"status":"COMPLETE","results":[],"numErrors":2,"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["a"]}}]}`, false},
	"another error":            {207, `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"category":"INTERNAL_ERROR"}]}`, false},
}

// Only a batch that is done, and that tells the errors that it counts, says that a record
// is not there, whatever the row asks for.
func TestLookupIsWhole(t *testing.T) {
	for name, c := range reads {
		for what, want := range map[syncdef.Operation]dest.Status{syncdef.Update: dest.Rejected, syncdef.Delete: dest.Delivered, syncdef.Insert: dest.Pending} {
			w := start(t, options(), matching(what, "email"))
			b := three()
			for i := range b.Records {
				b.Records[i].Intent, b.Records[i].Delete = true, what == syncdef.Delete
			}
			if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/batch/read", Status: c.status, Body: c.body}); err != nil {
				t.Fatal(err)
			}
			out, err := w.Lookup(t.Context(), b, w.Lookups(b)[0])
			if c.whole && (err != nil || out[0].Status != want || out[2].Status != want) || !c.whole && !unread(err) {
				t.Errorf("%s, %s: %+v, %v", name, what, out, err)
			}
		}
	}
}

// The same holds where records are read back: what is not told is not gone.
func TestReadIsWhole(t *testing.T) {
	w := start(t, options(), byEmail)
	for name, c := range reads {
		if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/batch/read", Status: c.status, Body: c.body}); err != nil {
			t.Fatal(err)
		}
		kept, err := w.account.(dest.Reader).Read(t.Context(), &w.version.Definition, []string{"firstname"}, []string{"1", "2", "3"}, free)
		if c.whole && (err != nil || !kept[0].Gone || !kept[2].Gone) || !c.whole && !unread(err) {
			t.Errorf("%s: %+v, %v", name, kept, err)
		}
	}
}
