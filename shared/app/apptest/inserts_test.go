package apptest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// crm is a World of one destination whose sync main inserts records, or does what its
// definition says, and what a test asks of it.
type crm struct {
	*World
	core   *sandbox.Core
	create string                             // the match of a fault of creates
	seed   func(t *testing.T, keys ...string) // records that people made, now
	names  func() (names []string)            // of all records, sorted
	row    func(id, key, name string) (row string)
}

// salesforceOf is a World of one sync to Salesforce.
func salesforceOf(t *testing.T, sync string) *World {
	t.Helper()
	return NewWith(t, Load(t, crmFolder(t, "type: salesforce, url: https://acme.my.salesforce.com", map[string]string{"main": sync})))
}

// inserting are the destinations that insert records with a match.
var inserting = map[string]func(t *testing.T) crm{
	"salesforce": func(t *testing.T) crm {
		w := salesforceOf(t, "destination_object: Account\noperation: insert\nmatching_strategy: email_domain\nmatch: {source: email, destination: Website}\nfield_mappings:\n  - {source: name, destination: Name}\n")
		return crm{World: w, core: w.Vendors.Salesforce.Core(), create: "POST /services/data/v68.0/composite/sobjects",
			seed: func(t *testing.T, keys ...string) { w.Vendors.SeedAccounts(t, keys...) },
			names: func() (names []string) {
				for _, r := range w.records("Account", "Name") {
					names = append(names, r["Name"])
				}
				return names
			},
			row: func(id, key, name string) string {
				return fmt.Sprintf(`{"k":%q,"email":"x@%s","name":%q}`, id, key, name)
			},
		}
	},
	"hubspot": func(t *testing.T) crm {
		w, server := hubspotOf(t, map[string]string{"main": "destination_object: contacts\noperation: insert\nmatching_strategy: email\nmatch: {source: mail, destination: email}\nfield_mappings:\n  - {source: name, destination: firstname}\n"})
		return crm{World: w, core: server.Core(), create: "POST /crm/objects/2026-09/contacts/batch/create",
			seed: func(t *testing.T, keys ...string) {
				if _, err := server.Seed("contacts", func(yield func(map[string]string) bool) {
					for _, key := range keys {
						if !yield(map[string]string{"email": "x@" + key, "firstname": key}) {
							return
						}
					}
				}); err != nil {
					t.Fatal(err)
				}
			},
			names: func() (names []string) {
				for r := range server.Records("contacts") {
					name, _ := r.Text("firstname")
					names = append(names, string(name))
				}
				return names
			},
			row: func(id, key, name string) string {
				return fmt.Sprintf(`{"k":%q,"mail":"x@%s","name":%q}`, id, key, name)
			},
		}
	},
}

// An insert whose answer was lost is told from a record of its match value that was there
// before: that one is neither written nor counted, and what cannot be told is a person's.
func TestInsertToldFromWhatWasThere(t *testing.T) {
	lost := sandbox.Fault{Status: http.StatusServiceUnavailable, Body: "not now"}
	arrived := lost
	arrived.AfterCommit = true
	for name, c := range map[string]struct {
		fault sandbox.Fault
		ago   time.Duration // since a person made a record of the match value; 0 made none
		// per destination: what becomes of the row, and the records that there are then
		delivered map[string]bool
		code      map[string]string
		names     map[string][]string
	}{
		"arrived": {arrived, 0, map[string]bool{"salesforce": true, "hubspot": true}, nil,
			map[string][]string{"salesforce": {"New"}, "hubspot": {"New"}}},
		"did not arrive": {lost, 0, map[string]bool{"salesforce": true, "hubspot": true}, nil,
			map[string][]string{"salesforce": {"New"}, "hubspot": {"New"}}},
		"did not arrive, one was there": {lost, time.Hour, map[string]bool{"salesforce": true}, map[string]string{"hubspot": "CONFLICT"},
			map[string][]string{"salesforce": {"New", "there.example"}, "hubspot": {"there.example"}}},
		"did not arrive, one was made just before": {lost, time.Minute, nil, map[string]string{"salesforce": "unknown", "hubspot": "unknown"},
			map[string][]string{"salesforce": {"there.example"}, "hubspot": {"there.example"}}},
	} {
		for vendor, start := range inserting {
			t.Run(name+", "+vendor, func(t *testing.T) {
				w := start(t)
				if c.ago > 0 {
					w.seed(t, "there.example")
				}
				w.Clock.Advance(c.ago)
				c.fault.Match = w.create
				if err := w.core.AddFault(c.fault); err != nil {
					t.Fatal(err)
				}
				id := w.Push(t, "q", "q:1", []string{`"main"`, w.row("a", "there.example", "New")})[0].Run
				w.Pass(t, time.Hour)
				want := map[string]int{}
				if code := c.code[vendor]; code != "" {
					want[code] = 1
				}
				if d := cmp.Diff(want, w.errorTypes(t, id)); d != "" {
					t.Errorf("errors: %s", d)
				}
				r := w.Run(t, id)
				if wantDelivered := map[bool]int64{true: 1}[c.delivered[vendor]]; r.Status != run.Complete || r.Counts.Delivered != wantDelivered {
					t.Errorf("%s: %+v", r.Status, r.Counts)
				}
				names := w.names()
				if slices.Sort(names); !slices.Equal(names, c.names[vendor]) {
					t.Errorf("records %q", names)
				}
			})
		}
	}
}

// Of a call that was lost and carried out in part, only what was there before is left as
// people have it.
func TestInsertsOfALostCall(t *testing.T) {
	w := inserting["salesforce"](t)
	var rows [][]string
	for n := range 10 {
		key := fmt.Sprintf("p%d.example", n)
		if n < 5 {
			w.seed(t, key)
		}
		rows = append(rows, []string{`"main"`, w.row(key, key, "New "+key)})
	}
	w.Clock.Advance(time.Hour)
	if err := w.core.AddFault(sandbox.Fault{Match: w.create, AfterCommit: true, Status: http.StatusBadGateway, Body: "bad gateway"}); err != nil {
		t.Fatal(err)
	}
	id := w.Push(t, "q", "q:1", rows...)[0].Run
	w.Pass(t, time.Hour)
	if r := w.Run(t, id); r.Counts.Delivered != 10 || len(w.errorTypes(t, id)) != 0 {
		t.Errorf("%+v, %v", r.Counts, w.errorTypes(t, id))
	}
	names := w.names()
	if added := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return !strings.HasPrefix(s, "New ") }); len(names) != 15 || len(added) != 10 {
		t.Errorf("%q", names)
	}
}

// What ended as unknown is sent by a person's retry alone.
func TestInsertUnknownUntilAPersonSays(t *testing.T) {
	w := inserting["salesforce"](t)
	w.seed(t, "there.example")
	w.Clock.Advance(time.Minute)
	if err := w.core.AddFault(sandbox.Fault{Match: w.create, Status: http.StatusServiceUnavailable, Body: "not now"}); err != nil {
		t.Fatal(err)
	}
	id := w.Push(t, "q", "q:1", []string{`"main"`, w.row("a", "there.example", "New")})[0].Run
	w.Pass(t, time.Hour)
	if errs := w.Errors(t, id); len(errs) != 1 || errs[0].Type != "unknown" || !strings.Contains(errs[0].Message, "0015g0000000001AAA") || !strings.Contains(errs[0].Message, "retry of the type unknown") {
		t.Fatalf("%+v", errs)
	}
	id = w.Push(t, "q2", "q2:1", []string{`"main"`, w.row("a", "there.example", "New")})[0].Run
	w.Pass(t, time.Hour)
	if names := w.names(); len(names) != 1 || w.errorTypes(t, id)["unknown"] != 1 {
		t.Errorf("sent again by itself: %q, %v", names, w.errorTypes(t, id))
	}
	if r, err := w.Control.Retry(t.Context(), id, runs.Selector{Types: []string{"unknown"}}, "r"); err != nil || r.Queued != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	w.Pass(t, time.Hour)
	if names := w.names(); !slices.Equal(names, []string{"there.example", "New"}) {
		t.Errorf("%q", names)
	}
}
