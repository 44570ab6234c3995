package hubspot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/hubspot"
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

// numbered is an account whose contacts have a unique number, and of whom one has 101.
func numbered(t *testing.T, operation syncdef.Operation) (w *world, id string) {
	t.Helper()
	opts := options()
	opts.Schema = simulator.DefaultSchema()
	opts.Schema[0].Properties = append(opts.Schema[0].Properties, simulator.Property{Name: "account_no", Type: "number", FieldType: "number", Unique: true})
	def := matching(operation, "account_no")
	def.Match.DataType = syncdef.MatchNumber
	w = start(t, opts, def)
	ids, err := w.sim.Seed("contacts", func(yield func(map[string]string) bool) { yield(map[string]string{"account_no": "101"}) })
	if err != nil {
		t.Fatal(err)
	}
	return w, ids[0]
}

// numberOf is a record that a row's number, or another match value, names.
func numberOf(t *testing.T, w *world, text string, fields ...dest.Field) dest.Record {
	t.Helper()
	key, ok := w.version.Rules.Identity.Key(nil, []byte(text))
	if !ok {
		t.Fatalf("%q has no key", text)
	}
	return dest.Record{Key: string(key), Match: text, Fields: fields}
}

// However a row writes the number that its record is matched by, it is one record.
func TestNumberSpellings(t *testing.T) {
	for _, text := range []string{"101", "101.0", " 101 ", "1.010000000000000e+02", "+101"} {
		for _, operation := range []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Delete, syncdef.Insert} {
			w, id := numbered(t, operation)
			r := numberOf(t, w, text, field("firstname", `"Ada"`))
			r.Delete, r.Intent, r.Tried = operation == syncdef.Delete, true, dest.Tried{At: noon}
			b := dest.Batch{Records: []dest.Record{r}}
			for _, c := range w.Lookups(b) {
				out, err := w.Lookup(t.Context(), b, c)
				if err != nil || out[0].ID != id {
					t.Fatalf("%q, %s: %+v, %v", text, operation, out, err)
				}
				b.Records[0].ID = out[0].ID
			}
			if operation == syncdef.Insert {
				continue // it has arrived
			}
			out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
			if want := map[bool]int{true: 0, false: 1}[r.Delete]; err != nil || out[0].Status != dest.Delivered || out[0].ID != id || out[0].Created || w.sim.Count("contacts") != want {
				t.Errorf("%q, %s: %+v, %v, %d contacts", text, operation, out, err, w.sim.Count("contacts"))
			}
		}
	}
}

// A new record gets its number in the same spelling, also where a mapping writes it.
func TestNumberOfANewRecord(t *testing.T) {
	for _, operation := range []syncdef.Operation{syncdef.Upsert, syncdef.Insert} {
		for _, mapped := range [][]dest.Field{nil, {field("account_no", "2.02e2")}, {field("account_no", `"202.00"`)}} {
			w, _ := numbered(t, operation)
			b := dest.Batch{Records: []dest.Record{numberOf(t, w, "2.020000000000000e+02", mapped...)}}
			out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
			if err != nil || !out[0].Created {
				t.Fatalf("%s: %+v, %v", operation, out, err)
			}
			if got := w.sim.Record("contacts", "account_no", "202")["account_no"]; got != "202" {
				t.Errorf("%s, %v: stored as %q", operation, mapped, got)
			}
		}
	}
}

// A number of more than 64 digits is its row's fault, unsent; the others go on.
func TestNumberTooLong(t *testing.T) {
	for _, operation := range []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Delete, syncdef.Insert} {
		w, id := numbered(t, operation)
		b := dest.Batch{Records: []dest.Record{numberOf(t, w, "1e70"), numberOf(t, w, "101.0")}}
		for i := range b.Records {
			b.Records[i].Delete, b.Records[i].Intent, b.Records[i].Tried = operation == syncdef.Delete, true, dest.Tried{At: noon}
		}
		judged := func(what string, out []dest.Outcome, err error) {
			t.Helper()
			if err != nil || out[0].Status != dest.Rejected || out[0].Code != "bad_match_value" || out[0].Field != "account_no" || strings.Contains(out[0].Message, "1e70") || len(out) > 1 && out[1].ID != id {
				t.Errorf("%s, %s: %+v, %v", operation, what, out, err)
			}
		}
		for _, c := range w.Lookups(b) {
			out, err := w.Lookup(t.Context(), b, c)
			judged("lookup", out, err)
			before := w.account.APICalls()
			out, err = w.Lookup(t.Context(), b, dest.Call{Records: c.Records[:1]})
			if judged("lookup alone", out, err); w.account.APICalls() != before {
				t.Errorf("%s: a call was made for nothing", operation)
			}
		}
		if operation == syncdef.Upsert || operation == syncdef.Insert {
			b.Records = b.Records[:1+map[syncdef.Operation]int{syncdef.Upsert: 1}[operation]]
			out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
			judged("push", out, err)
		}
	}
	// One that is known is updated by its id, which needs no number.
	w, id := numbered(t, syncdef.Update)
	r := numberOf(t, w, "1e70", field("firstname", `"Ada"`))
	r.ID = id
	b := dest.Batch{Records: []dest.Record{r}}
	if out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0]); err != nil || out[0].Status != dest.Delivered {
		t.Errorf("known: %+v, %v", out, err)
	}
}

// An address is one contact's however its domain is spelled, in the row and there, and
// whatever property holds it: it is looked up in all spellings, before an upsert too, and
// what was found is written by its id.
func TestAddressSpellings(t *testing.T) {
	spellings := []string{"joe@xn--bcher-kva.example", "joe@b\u00fccher.example", "joe@bu\u0308cher.example"}
	for _, property := range []string{"email", "work_address"} {
		for _, stored := range spellings {
			for _, asked := range append(spellings, " Joe@B\u00dcCHER.example ") {
				for _, operation := range []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Delete, syncdef.Insert} {
					opts, def := options(), matching(operation, property)
					opts.Schema = simulator.DefaultSchema()
					opts.Schema[0].Properties = append(opts.Schema[0].Properties, simulator.Property{Name: "work_address", Type: "string", FieldType: "text", Unique: true})
					def.Strategy = syncdef.MatchEmail
					w := start(t, opts, def)
					ids, err := w.sim.Seed("contacts", func(yield func(map[string]string) bool) { yield(map[string]string{property: stored}) })
					if err != nil {
						t.Fatal(err)
					}
					r := numberOf(t, w, asked, field("firstname", `"Ada"`))
					r.Delete, r.Intent, r.Tried = operation == syncdef.Delete, true, dest.Tried{At: noon}
					b := dest.Batch{Records: []dest.Record{r}}
					for _, c := range w.Lookups(b) {
						out, err := w.Lookup(t.Context(), b, c)
						if err != nil || out[0].ID != ids[0] {
							t.Fatalf("%s: %+q stored, %+q, %s: %+v, %v", property, stored, asked, operation, out, err)
						}
						b.Records[0].ID = out[0].ID
					}
					if operation == syncdef.Insert {
						continue // it has arrived
					}
					out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
					if want := map[bool]int{true: 0, false: 1}[r.Delete]; err != nil || out[0].Status != dest.Delivered || out[0].Created || w.sim.Count("contacts") != want {
						t.Errorf("%s: %+q stored, %+q, %s: %+v, %v, %d contacts", property, stored, asked, operation, out, err, w.sim.Count("contacts"))
					}
				}
			}
		}
	}
}

// Two contacts of one address in two spellings are nobody's to write or to archive.
func TestAddressOfTwo(t *testing.T) {
	for _, operation := range []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Delete} {
		w := start(t, options(), matching(operation, "email"))
		if _, err := w.sim.Seed("contacts", func(yield func(map[string]string) bool) {
			_ = yield(map[string]string{"email": "joe@xn--bcher-kva.example"}) && yield(map[string]string{"email": "joe@b\u00fccher.example"})
		}); err != nil {
			t.Fatal(err)
		}
		r := numberOf(t, w, "joe@b\u00fccher.example")
		r.Delete = operation == syncdef.Delete
		b := dest.Batch{Records: []dest.Record{r}}
		out, err := w.Lookup(t.Context(), b, w.Lookups(b)[0])
		if err != nil || out[0].Status != dest.Rejected || out[0].Code != "ambiguous_match" || strings.Contains(out[0].Message, "joe@") {
			t.Errorf("%s: %+v, %v", operation, out, err)
		}
	}
}

// Spellings count in a call of 100, an address in ASCII costs an upsert no lookup, and one
// that no contact has, in any spelling, is new.
func TestAddressSpellingsCount(t *testing.T) {
	w := start(t, options(), byEmail)
	b := dest.Batch{Records: []dest.Record{contact(1)}}
	if calls := w.Lookups(b); calls != nil {
		t.Errorf("in ASCII: %+v", calls)
	}
	for i := range 40 {
		b.Records = append(b.Records, numberOf(t, w, fmt.Sprintf("p%d@b\u00fccher.example", i)))
	}
	calls := w.Lookups(b)
	if len(calls) != 2 || len(calls[0].Records) != 33 {
		t.Fatalf("%+v", calls)
	}
	for _, c := range append(calls, dest.Call{Records: []int{1}}) {
		out, err := w.Lookup(t.Context(), b, c)
		if err != nil || out[0].Status != dest.Pending {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/batch/read", Status: 404, Body: `{"status":"error","category":"OBJECT_NOT_FOUND","message":"none of them"}`}); err != nil {
		t.Fatal(err)
	}
	if out, err := w.Lookup(t.Context(), b, dest.Call{Records: []int{1}}); err != nil || out[0].Status != dest.Pending {
		t.Errorf("not found: %+v, %v", out, err)
	}
}

// What an answer is silent about is asked for once more: a short one makes no record a
// second time, and none is gone. Silent twice, it is not there.
func TestAnswersThatAreShort(t *testing.T) {
	for first, most := range map[string]int{
		`{"status":"COMPLETE","results":[]}`: 2,
		`{"status":"COMPLETE","results":[{"id":"%s","properties":{"email":"person2@example.com","firstname":"Ada"}}]}`: 1,
	} {
		for times := 1; times <= most; times++ {
			w := start(t, options(), matching(syncdef.Insert, "email"))
			b := three()
			out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
			if err != nil {
				t.Fatal(err)
			}
			ids := []string{out[0].ID, out[1].ID, out[2].ID}
			body := strings.ReplaceAll(first, "%s", ids[1])
			if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/batch/read", Status: 200, Body: body, Count: times}); err != nil {
				t.Fatal(err)
			}
			for i := range b.Records {
				b.Records[i].Intent, b.Records[i].Tried = true, dest.Tried{At: noon}
			}
			found, err := w.Lookup(t.Context(), b, w.Lookups(b)[0])
			if there := times == 1; err != nil || (found[0].ID == ids[0]) != there || (found[2].ID == ids[2]) != there {
				t.Errorf("%s, %d times: %+v, %v", body, times, found, err)
			}
			w.sim.Core().ClearFaults()
			if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/batch/read", Status: 200, Body: body, Count: times}); err != nil {
				t.Fatal(err)
			}
			asked := 0
			kept, err := w.account.(dest.Reader).Read(t.Context(), &w.version.Definition, []string{"firstname"}, ids, func(_ context.Context, c dest.Cost) error { asked += c.Tokens; return nil })
			if err != nil || asked != 2 || kept[0].Gone == (times == 1) || kept[2].Gone == (times == 1) {
				t.Errorf("%s, %d times, %d calls: %+v, %v", body, times, asked, kept, err)
			}
		}
	}
}

// A record that answers to a row's address without having it as its own is not the row's to
// remove: one with a further address, and one that shows another address alone. Beside the
// one whose own it is, it is no second match.
func TestRemovalIsByTheOwnAddress(t *testing.T) {
	const asked = "p@b\u00fccher.example"
	further := `{"id":"2","properties":{"email":"b@b.example","hs_additional_emails":"c@b.example;p@xn--bcher-kva.example"}}`
	for name, c := range map[string]struct {
		results     string
		code, found string
	}{
		"its own":                    {`{"id":"1","properties":{"email":"P@b\u00fccher.example"}}`, "", "1"},
		"a further one":              {further, "secondary_match", "2"},
		"another one alone":          {`{"id":"3","properties":{"email":"z@b.example"}}`, "secondary_match", "3"},
		"its own, and a further":     {further + `,{"id":"1","properties":{"email":"` + asked + `"}}`, "", "1"},
		"the own of two, spelled":    {`{"id":"1","properties":{"email":"` + asked + `"}},{"id":"4","properties":{"email":"p@xn--bcher-kva.example"}}`, "ambiguous_match", ""},
		"its own, further to itself": {`{"id":"1","properties":{"email":"` + asked + `","hs_additional_emails":"p@xn--bcher-kva.example"}}`, "", "1"},
	} {
		w := start(t, options(), matching(syncdef.Delete, "email"))
		r := numberOf(t, w, asked)
		r.Delete = true
		b := dest.Batch{Records: []dest.Record{r}}
		if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/batch/read", Status: 200, Body: `{"status":"COMPLETE","results":[` + c.results + `]}`}); err != nil {
			t.Fatal(err)
		}
		out, err := w.Lookup(t.Context(), b, w.Lookups(b)[0])
		want := dest.Found
		if c.code != "" {
			want = dest.Rejected
		}
		if err != nil || out[0].Status != want || out[0].Code != c.code || out[0].ID != c.found || strings.Contains(out[0].Message, "@") {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// A contact that was there before an insert is another's, and one of which HubSpot does not
// say when it was made may be.
func TestInsertFindsOut(t *testing.T) {
	dated := matching(syncdef.Insert, "email")
	dated.Fields = append(slices.Clone(dated.Fields), syncdef.Field{Source: "made", Destination: "hs_createdate", Type: syncdef.DateTime})
	untold := sandbox.Fault{Match: "/batch/read", Find: `"createdAt":"[^"]*",`, Replace: "", Count: -1}
	for name, c := range map[string]struct {
		def   syncdef.Definition
		fault *sandbox.Fault
		tried time.Time
		want  dest.Status
	}{
		"made since":         {matching(syncdef.Insert, "email"), nil, noon, dest.Delivered},
		"there before":       {matching(syncdef.Insert, "email"), nil, noon.Add(time.Hour), dest.Pending},
		"at an unknown time": {matching(syncdef.Insert, "email"), &untold, noon.Add(time.Hour), dest.Unknown},
		"tried some time":    {matching(syncdef.Insert, "email"), nil, time.Time{}, dest.Unknown},
		"the row says when":  {dated, nil, noon, dest.Unknown},
	} {
		w := start(t, options(), c.def)
		b := dest.Batch{Records: []dest.Record{contact(1)}}
		if _, err := w.Push(t.Context(), b, w.Calls(b, 0)[0]); err != nil {
			t.Fatal(err)
		}
		if c.fault != nil {
			if err := w.sim.Core().AddFault(*c.fault); err != nil {
				t.Fatal(err)
			}
		}
		b.Records[0].Intent, b.Records[0].Tried.At = true, c.tried
		out, err := w.Lookup(t.Context(), b, w.Lookups(b)[0])
		if err != nil || out[0].Status != c.want || (out[0].ID != "") != (c.want == dest.Delivered) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// The record of a row that was inserted is removed like any other.
func TestInsertIsRemoved(t *testing.T) {
	def := matching(syncdef.Insert, "email")
	def.OnDelete = syncdef.RemoveArchive
	w := start(t, options(), def)
	b := dest.Batch{Records: []dest.Record{contact(1)}}
	out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
	if err != nil {
		t.Fatal(err)
	}
	b.Records[0].ID, b.Records[0].Delete, b.Records[0].Fields = out[0].ID, true, nil
	if out, err = w.Lookup(t.Context(), b, w.Lookups(b)[0]); err != nil || out[0].Status != dest.Found {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err = w.Push(t.Context(), b, w.Calls(b, 0)[0]); err != nil || out[0].Status != dest.Delivered || w.sim.Count("contacts") != 0 {
		t.Errorf("%+v, %v, %d contacts", out, err, w.sim.Count("contacts"))
	}
}
