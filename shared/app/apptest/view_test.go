package apptest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// pages reads what people see of a World.
func (w *World) pages() *view.Reader {
	return view.New(view.Config{Stores: w.Control.Stores, Now: w.Clock.Now, Link: func(kind string, _ string, account, object, id string) string {
		return kind + ":" + object + "/" + id
	}})
}

// What a failing row looks like on each page, and that it is gone once it is mended.
func TestPages(t *testing.T) {
	w := faulty(t)
	rows := accounts("accounts", 4)
	rows[2][1] = `{"id":"c002","name":"Customer c002","n":"many","u":1}`
	var id string
	for _, a := range w.Push(t, "q1", "q1:1", rows...) {
		id = a.Run
	}
	p := w.pages()
	o, err := p.Overview(t.Context())
	row := find(t, o, err, "accounts")
	if len(row.Running) != 1 || row.Running[0].Run != id || row.Health != view.Stale || !row.LastSuccess.IsZero() || row.SuccessRate != 0 { // one row has settled, and was rejected
		t.Errorf("before anything was delivered: %+v", row)
	}
	w.Pass(t, 5*time.Minute)
	o, err = p.Overview(t.Context())
	row = find(t, o, err, "accounts")
	if row.LastRun == nil || row.LastRun.Run != id || row.SuccessRate != 0.75 || row.Health != view.HighErrorRate || row.Freshness != view.Healthy ||
		len(row.Running) != 0 || len(row.Spark) != 1 || row.Records != 3 || row.Previous != -1 || row.NotRight != 1 {
		t.Errorf("after: %+v", row)
	}
	if len(o.Connections) == 0 || o.Connections[0].PausedSince != (time.Time{}) {
		t.Errorf("connections: %+v", o.Connections)
	}
	one, err := p.Run(t.Context(), id)
	if err != nil || one.Outcome != run.Partial || one.Counts.Rejected != 1 || one.Counts.Delivered != 3 || len(one.Groups) != 1 || len(one.Groups[0].Samples) != 1 ||
		one.Groups[0].Stage != "intake" || one.Groups[0].Field == "" || one.Stages[2].Done != 3 {
		t.Errorf("the run: %+v, %v", one, err)
	}
	page, err := p.Errors(t.Context(), view.Filter{Sync: "accounts", Text: "C002"})
	if err != nil || len(page.Errors) != 1 || page.Errors[0].RecordID != "c002" || page.Errors[0].Source != nil {
		t.Fatalf("the errors: %+v, %v", page, err)
	}
	e, err := p.Error(t.Context(), page.Errors[0].Ref)
	if err != nil || len(e.Source) == 0 {
		t.Errorf("the error: %+v, %v", e, err)
	}
	s, err := p.Sync(t.Context(), "accounts")
	if err != nil || len(s.Mapping) == 0 || len(s.Chart) != 1 || s.Version == "" {
		t.Errorf("the sync: %+v, %v", s, err)
	}
	r, err := p.Record(t.Context(), s.Connection, "c001", "")
	held := 0
	for _, h := range r.Holds {
		if h.Held && h.Run == id && h.ID != "" && h.Link != "" && !h.At.IsZero() {
			held++
		}
	}
	if err != nil || held != 1 {
		t.Errorf("the record: %+v, %v", r, err)
	}
	if r, err = p.Record(t.Context(), s.Connection, "c002", ""); err != nil || len(r.Errors.Errors) != 1 {
		t.Errorf("the rejected record: %+v, %v", r, err)
	}
}

// Names of nothing are told as such.
func TestPagesOfNothing(t *testing.T) {
	p := faulty(t).pages()
	_, runErr := p.Run(t.Context(), "accounts.r1")
	_, syncErr := p.Sync(t.Context(), "nothing")
	_, errorErr := p.Error(t.Context(), "accounts.r1#b#1")
	_, oddErr := p.Error(t.Context(), "odd")
	_, recordErr := p.Record(t.Context(), "nothing", "x", "")
	for n, err := range []error{runErr, syncErr, errorErr, oddErr, recordErr} {
		if !errors.Is(err, view.ErrNotFound) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func find(t *testing.T, o view.Overview, err error, sync string) view.Row {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range o.Syncs {
		if r.Sync == sync {
			return r
		}
	}
	t.Fatalf("no sync %s among %+v", sync, o.Syncs)
	return view.Row{}
}

// A record's page finds what is held by record id too, where a sync leads from it to a key,
// and names the syncs in which it cannot look.
func TestRecordByItsID(t *testing.T) {
	dir := t.TempDir()
	definition := func(object, rest string) string {
		return "connection: salesforce_prod\ndestination_object: " + object + "\nrecord_id: customer_id\n" + rest + "field_mappings:\n  - {source: name, destination: Name, data_type: string}\n"
	}
	for file, text := range map[string]string{
		"connections.yaml": "connections:\n  salesforce_prod: {type: salesforce, url: \"https://acme.my.salesforce.com\"}\n",
		"companies.yaml":   definition("Account", "matching_strategy: email_domain\non_missing: create\n"),
		"customers.yaml":   definition("Account", "matching_strategy: external_id\nmatch: {source: customer_id, destination: Customer_ID__c}\n"),
		"erased.yaml":      definition("Account", "matching_strategy: email_domain\noperation: delete\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := NewWith(t, Load(t, dir))
	p := w.pages()
	look := func(key string) (said []string) {
		t.Helper()
		r, err := p.Record(t.Context(), "salesforce_prod", key, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Holds {
			word := "held"
			if h.Gone {
				word = "gone"
			}
			said = append(said, h.Sync+" "+h.Key+" "+word)
		}
		if !slices.Contains(r.Others, "erased") || !slices.Equal(r.ByMatch, []string{"erased"}) {
			t.Errorf("%s: nothing is known to %q, and by a record id it cannot look in %q", key, r.Others, r.ByMatch)
		}
		return said
	}
	expect := func(when, key string, want ...string) {
		t.Helper()
		if got := look(key); !slices.Equal(got, want) {
			t.Errorf("%s, of %s: %q, want %q", when, key, got, want)
		}
	}
	w.send(t, "companies", customer("c1", "one", false))
	w.send(t, "customers", customer("c1", "one", false))
	expect("at first", "c1", "companies one.example held", "customers c1 held")
	expect("at first", "info@one.example", "companies one.example held")
	expect("at first", "c2")
	w.send(t, "companies", customer("c1", "uno", false))
	expect("after it moved", "c1", "companies one.example held", "companies uno.example held", "customers c1 held")
	w.send(t, "companies", customer("c2", "one", false))
	expect("after its key passed on", "c1", "companies uno.example held", "customers c1 held")
	expect("after its key passed on", "c2", "companies one.example held")
	w.send(t, "companies", customer("c1", "", true))
	expect("after it was deleted", "c1", "companies uno.example gone", "customers c1 held")
}

// An error is found on its pages however many were stored since, and told to be open until
// a later row of its key is right.
func TestPagesOfEarlierErrors(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{FailRecords: []string{"c000"}, Count: -1, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "not today"})
	twice := map[string]bool{}
	push := func(query string, rows ...[]string) string { return w.Push(t, query, query+":1", rows...)[0].Run }
	for n := range 2 { // the same record fails in both
		id := push(fmt.Sprint("first", n), account("accounts", "c000", n+1))
		w.Pass(t, soon)
		for _, e := range w.Errors(t, id) {
			twice[e.Ref()] = true
		}
	}
	var rejected string // the first of many runs at a time
	for n := range 60 {
		id := push(fmt.Sprint("q", n), []string{`"accounts"`, fmt.Sprintf(`{"id":"b%03d","name":"B","n":"many","u":1}`, n)})
		rejected = cmp.Or(rejected, id)
		w.Clock.Advance(time.Second)
	}
	w.Pass(t, 10*time.Minute)
	p := w.pages()
	if one, err := p.Run(t.Context(), rejected); err != nil || len(one.Groups) != 1 || len(one.Groups[0].Samples) != 1 || one.Groups[0].Samples[0].RecordID != "b000" {
		t.Errorf("the run of an early error: %+v, %v", one.Groups, err)
	}
	look := func(when string, settled ...bool) {
		t.Helper()
		s, err := p.Sync(t.Context(), "accounts")
		if err != nil {
			t.Fatal(err)
		}
		list, err := p.Errors(t.Context(), view.Filter{Sync: "accounts", Record: "c000"})
		var ofRecord []view.Error
		for after := ""; err == nil; {
			var page view.Record
			page, err = p.Record(t.Context(), s.Connection, "c000", after)
			ofRecord = append(ofRecord, page.Errors.Errors...)
			if after = page.Errors.Next; after == "" {
				break
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		for page, errs := range map[string][]view.Error{"errors": list.Errors, "record": ofRecord} {
			var got []bool
			for _, e := range errs {
				if !twice[e.Ref] {
					t.Errorf("%s, %s: %s", when, page, e.Ref)
				}
				got = append(got, e.Settled)
				if one, err := p.Error(t.Context(), e.Ref); err != nil || one.Settled != e.Settled {
					t.Errorf("%s, %s: its own page says %v, %v", when, page, one.Settled, err)
				}
			}
			if !slices.Equal(got, settled) {
				t.Errorf("%s, %s: settled are %v, want %v", when, page, got, settled)
			}
		}
	}
	look("while it fails", false, true)
	w.Vendors.Salesforce.Core().ClearFaults()
	push("mended", account("accounts", "c000", 3))
	w.Pass(t, 10*time.Minute)
	look("once it is right", true, true)
}
