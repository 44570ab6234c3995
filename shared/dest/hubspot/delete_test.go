package hubspot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// leaving is a deleted row, whose match value and mapped columns are null.
func leaving(id string) []string {
	return []string{`"hubspot_contacts"`, fmt.Sprintf(`{"CUSTOMER_ID":%q,"EMAIL":null,"LTV_USD":null,"LTV_SEGMENT":null,"RENEWAL_DATE":null,"INTERESTS":null,"UPDATED_AT":null,"SHOULD_DELETE_FROM_DESTINATION":true}`, id)}
}

// Deleted rows archive their contacts, 100 a call, also those that somebody archived
// before; a row that comes back makes a contact anew.
func TestDeletedRowsArchive(t *testing.T) {
	clock := apptest.NewClock()
	s := server(t, func(o *simulator.Options) { o.Now = clock.Now })
	w := apptest.NewOf(t, clock, []apptest.Service{{Vendor: hubspot.Vendor, Server: s, Secret: simulator.Sandbox.Secret}}, set(t))
	var rows, gone [][]string
	for i := range 150 {
		rows = append(rows, customer(fmt.Sprintf("c%d", i), fmt.Sprintf("p%d@example.com", i), "1", "low"))
		gone = append(gone, leaving(fmt.Sprintf("c%d", i)))
	}
	w.Push(t, "q", "q:1", rows...)
	w.Drain(t, "hubspot")
	calls := s.Core().Calls().Total
	answers := w.Push(t, "q2", "q2:1", append(gone, leaving("stranger"))...)
	w.Drain(t, "hubspot")
	if c := w.Run(t, answers[0].Run).Counts; c.Delivered != 150 || c.Unchanged != 1 || s.Count("contacts") != 0 {
		t.Errorf("%+v, %d contacts, %v", c, s.Count("contacts"), w.Errors(t, answers[0].Run))
	}
	if made := s.Core().Calls().Total - calls; made > 4 { // two to read them, so that no merged one is archived
		t.Errorf("%d calls to archive 150 contacts", made)
	}
	w.Push(t, "q3", "q3:1", customer("c1", "p1@example.com", "1", "low"))
	w.Drain(t, "hubspot")
	if got := s.Record("contacts", "email", "p1@example.com"); got["ltv_segment"] != "low" || s.Count("contacts") != 1 {
		t.Errorf("after its return %v", got)
	}
}

// A contact that was merged into another one is gone; the other one is neither archived
// nor cleared, also where the row of the merged one was changed since.
func TestRemovalFollowsNoMerge(t *testing.T) {
	for _, how := range []syncdef.Removal{syncdef.RemoveArchive, syncdef.RemoveClear} {
		for name, changed := range map[string]bool{"since the merge nothing": false, "changed since": true} {
			clock := apptest.NewClock()
			s := server(t, func(o *simulator.Options) { o.Now = clock.Now })
			v := set(t)
			for i := range v.Syncs {
				v.Syncs[i].Definition.OnDelete = how
			}
			w := apptest.NewOf(t, clock, []apptest.Service{{Vendor: hubspot.Vendor, Server: s, Secret: simulator.Sandbox.Secret}}, v)
			w.Push(t, "q", "q:1", customer("c1", "p1@example.com", "1", "low"), customer("c2", "p2@example.com", "2", "high"), customer("c3", "p3@example.com", "3", "low"))
			w.Drain(t, "hubspot")
			first, second := s.Record("contacts", "email", "p1@example.com")["id"], s.Record("contacts", "email", "p2@example.com")["id"]
			if err := s.Merge("contacts", first, second); err != nil {
				t.Fatal(err)
			}
			segment := "high"
			if changed {
				segment = "medium"
				w.Push(t, "q1", "q1:1", customer("c1", "p1@example.com", "1", segment))
				w.Drain(t, "hubspot")
			}
			answers := w.Push(t, "q2", "q2:1", leaving("c1"), leaving("c3"))
			w.Drain(t, "hubspot")
			if c := w.Run(t, answers[0].Run).Counts; c.Delivered != 2 {
				t.Errorf("%s, %s: %+v, %v", how, name, c, w.Errors(t, answers[0].Run))
			}
			if got := s.Record("contacts", "email", "p2@example.com"); got["ltv_segment"] != segment || got["id"] != second {
				t.Errorf("%s, %s: the other contact is %v", how, name, got)
			}
			if got := s.Record("contacts", "email", "p3@example.com"); got["ltv_segment"] != "" {
				t.Errorf("%s, %s: beside the merged one stays %v", how, name, got)
			}
		}
	}
}

// Where the read before fails as a whole and is halved, no record is archived unread.
func TestRemovalReadsEveryRecord(t *testing.T) {
	clock := apptest.NewClock()
	s := server(t, func(o *simulator.Options) { o.Now = clock.Now })
	w := apptest.NewOf(t, clock, []apptest.Service{{Vendor: hubspot.Vendor, Server: s, Secret: simulator.Sandbox.Secret}}, set(t))
	rows, gone := [][]string{customer("kept", "kept@example.com", "1", "high")}, [][]string(nil)
	for i := range 40 {
		rows = append(rows, customer(fmt.Sprintf("c%d", i), fmt.Sprintf("p%d@example.com", i), "1", "low"))
		gone = append(gone, leaving(fmt.Sprintf("c%d", i)))
	}
	w.Push(t, "q", "q:1", rows...)
	w.Drain(t, "hubspot")
	kept := s.Record("contacts", "email", "kept@example.com")["id"]
	for i := 10; i < 40; i += 10 {
		if err := s.Merge("contacts", s.Record("contacts", "email", fmt.Sprintf("p%d@example.com", i))["id"], kept); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Core().AddFault(sandbox.Fault{Match: "batch/read", Status: 503, Count: 3}); err != nil { // the call and both of its halves
		t.Fatal(err)
	}
	answers := w.Push(t, "q2", "q2:1", gone...)
	w.Drain(t, "hubspot")
	if c := w.Run(t, answers[0].Run).Counts; c.Delivered != 40 || s.Count("contacts") != 1 || s.Record("contacts", "email", "kept@example.com")["ltv_segment"] != "high" {
		t.Errorf("%+v, %d contacts, %v", c, s.Count("contacts"), w.Errors(t, answers[0].Run))
	}
}

// What answers to a batch to archive mean: 204 says nothing and means all; an error is the
// record's that it names, and one that says of a record that it is not there means that it
// is archived.
func TestArchiveAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		body, want string
	}{
		"nothing":          {204, "", "ddd"},
		"complete":         {200, `{"status":"COMPLETE","results":[]}`, "ddd"},
		"one error":        {207, `{"status":"COMPLETE","numErrors":1,"errors":[{"category":"VALIDATION_ERROR","message":"x","context":{"ids":["1000002"]}}]}`, "dRd"},
		"one is not there": {404, `{"status":"error","category":"OBJECT_NOT_FOUND","message":"x","context":{"ids":["1000002"]}}`, "ddd"},
		"canceled":         {207, `{"status":"CANCELED","numErrors":1,"errors":[{"category":"VALIDATION_ERROR","message":"x","context":{"ids":["1000002"]}}]}`, "unreadable"},
		"errors untold":    {200, `{"status":"COMPLETE","results":[],"numErrors":1}`, "unreadable"},
		"nobody is named":  {207, `{"status":"COMPLETE","errors":[{"category":"VALIDATION_ERROR","message":"x"}]}`, "refused"},
		"says nothing":     {200, `{}`, "unreadable"},
		"a web page":       {200, `<html>`, "unreadable"},
		"empty":            {200, ``, "unreadable"},
	} {
		w := start(t, options(), byEmail)
		b := three()
		for _, call := range w.Calls(b, 0) {
			out, err := w.Push(t.Context(), b, call)
			if err != nil {
				t.Fatal(err)
			}
			for n, at := range call.Records {
				b.Records[at].ID, b.Records[at].Delete, b.Records[at].Fields = out[n].ID, true, nil
			}
		}
		out, failed := answered(t, w, b, sandbox.Fault{Status: c.status, Body: c.body})
		got := ""
		for _, o := range out {
			got += map[dest.Status]string{dest.Delivered: "d", dest.Rejected: "R", dest.Retry: "r"}[o.Status]
		}
		switch {
		case failed != nil && failed.Class == dest.Refused:
			got = "refused"
		case failed != nil && failed.Class == dest.Unavailable && failed.Received:
			got = "unreadable"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s (%+v, %v)", name, got, c.want, out, failed)
		}
	}
}

// operation: delete finds contacts by their address; those that are not there are done.
func TestOperationDelete(t *testing.T) {
	def := matching(syncdef.Delete, "email")
	def.Fields = nil
	w := start(t, options(), def)
	if _, err := w.sim.Seed("contacts", func(yield func(map[string]string) bool) { yield(map[string]string{"email": "a@example.com"}) }); err != nil {
		t.Fatal(err)
	}
	b := dest.Batch{Records: []dest.Record{{Key: "a@example.com", Delete: true}, {Key: "b@example.com", Delete: true}}}
	out, err := w.Lookup(t.Context(), b, w.Lookups(b)[0])
	if err != nil || out[0].Status != dest.Found || out[1].Status != dest.Delivered {
		t.Fatalf("%+v, %v", out, err)
	}
	b.Records[0].ID = out[0].ID
	if out, err := w.Push(t.Context(), b, dest.Call{Records: []int{0}}); err != nil || out[0].Status != dest.Delivered || w.sim.Count("contacts") != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	for src, want := range map[string]string{
		"operation: delete\n":                                                "",
		"operation: delete\non_delete: clear\n":                              "field_mappings",
		"on_delete: delete\nfield_mappings: [{source: a, destination: b}]\n": "on_delete",
	} {
		if got := faults(t, "connection: crm\ndestination_object: contacts\nmatching_strategy: email\n"+src); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q: blamed %q, want %q", src, got, want)
		}
	}
}
