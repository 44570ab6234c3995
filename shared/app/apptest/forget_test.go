package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// found is what is stored of a key: ledger entries and errors.
func (w *World) found(t *testing.T, key string) (entries, errs int) {
	t.Helper()
	p, err := w.Control.Find(t.Context(), key, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range p.Syncs {
		entries, errs = entries+k.Entries, errs+k.Errors
	}
	return entries, errs
}

// erase finds and deletes.
func (w *World) erase(t *testing.T, key string) {
	t.Helper()
	p, err := w.Control.Find(t.Context(), key, "")
	if err == nil {
		err = w.Control.Forget(t.Context(), key, p)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A key is found as its sync compares it, and nobody else's row goes with it.
func TestForgetIsByTheRuleOfIdentity(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{FailRecords: []string{"c005", "c006"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
	w.Push(t, "q", "q:1", accounts("accounts", 20)...)
	w.Pass(t, time.Hour)
	w.Settle(t)
	for key, want := range map[string][2]int{"c001": {1, 0}, "c005": {1, 1}, "c00": {0, 0}, " c006": {1, 1}, "C006": {0, 1}, "Customer c006": {0, 1}, "customer  C006 ": {0, 1}, "nobody@acme.example": {0, 0}} {
		if entries, errs := w.found(t, key); [2]int{entries, errs} != want {
			t.Errorf("%q: %d entries and %d errors are found, want %v", key, entries, errs, want)
		}
	}
	for _, key := range []string{"c001", "c005"} {
		w.erase(t, key)
		if entries, errs := w.found(t, key); entries+errs != 0 {
			t.Errorf("of %s are left %d entries and %d errors", key, entries, errs)
		}
	}
	if entries, errs := w.found(t, "c006"); entries != 1 || errs != 1 {
		t.Errorf("of another row are left %d entries and %d errors", entries, errs)
	}
	if _, err := w.Control.Find(t.Context(), "  ", ""); err == nil {
		t.Error("no key is taken for one")
	}
	if p, err := w.Control.Find(t.Context(), "c006", "another"); err != nil || !p.Nothing() {
		t.Errorf("of another connection: %+v, %v", p, err)
	}
}

// What merely has the key in a column is of another record: its error goes, as its row
// holds the key, and its ledger entry and its record stay. A number is anybody's.
func TestForgetLeavesWhoeverHasTheKeyInAColumn(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, "operation: mirror\non_delete: delete\n"))
	row := func(key, name, users string) string {
		return fmt.Sprintf(`{"k":%q,"name":%q,"score":1,"users":%s,"status":"Healthy","at":null,"about":null}`, key, name, users)
	}
	w.delivered(t, "main", "q1", row("7", "x", "100"), row("42", "x", "3"), row("43", "x", "3"))
	w.fault(t, sandbox.Fault{FailRecords: []string{"42", "43"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
	w.delivered(t, "main", "q2", row("42", "y", "7"), row("43", "7", "4"))
	w.Vendors.Salesforce.Core().ClearFaults()
	p, err := w.Control.Find(t.Context(), "7", "")
	if err != nil || len(p.Syncs) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	k := p.Syncs[0]
	if got := fmt.Sprint(k.Entries, k.Errors, len(k.Records), k.Keys, k.RecordIDs); got != "1 1 1 [7] [7]" {
		t.Error(got)
	}
	for _, h := range k.Records {
		if why, err := w.Deliver("salesforce").Remove(t.Context(), h.Version, h.Target, h.Entry); why != "" || err != nil {
			t.Error(why, err)
		}
	}
	w.erase(t, "7")
	if got := fmt.Sprint(w.stored(t)); got != "map[42:3 43:3]" {
		t.Errorf("at the destination are %s", got)
	}
	for key, want := range map[string][2]int{"7": {0, 0}, "42": {1, 1}, "43": {1, 0}} {
		if entries, errs := w.found(t, key); [2]int{entries, errs} != want {
			t.Errorf("of %s are %d entries and %d errors, want %v", key, entries, errs, want)
		}
	}
	if got := w.delivered(t, "main", "q3", row("43", "z", "5")); got != "1 delivered, 0 unchanged" {
		t.Errorf("the next row of a record whose error is gone: %s", got)
	}
}

// A record id leads to what was written for it, and to what failed under it; not to what
// has passed to another record since, nor from a person to the company.
func TestForgetByRecordID(t *testing.T) {
	people := softDeletes(t, "Contact", "matching_strategy: email\nmatch: {source: email, destination: Email}", "LastName")
	people.fault(t, sandbox.Fault{FailRecords: []string{"info@bad.example"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
	for n, row := range []string{customer("1", "acme", false), customer("2", "other", false), customer("3", "bad", false), customer("2", "acme", false)} {
		query := fmt.Sprint("q", n)
		people.Push(t, query, query+":1", []string{`"customers"`, row})
		people.Pass(t, time.Minute)
	}
	companies := softDeletes(t, "Account", "matching_strategy: email_domain\nmatch: {source: email, destination: Website}", "Name")
	companies.Push(t, "q", "q:1", []string{`"customers"`, customer("info@acme.example", "acme", false)})
	companies.Pass(t, time.Minute)
	for _, c := range []struct {
		w    *World
		key  string
		want [2]int
	}{
		{people, "1", [2]int{0, 0}},
		{people, "2", [2]int{2, 0}},
		{people, "3", [2]int{1, 1}},
		{people, "INFO@bad.example", [2]int{1, 1}},
		{companies, "info@acme.example", [2]int{0, 0}},
		{companies, "acme.example", [2]int{1, 0}},
	} {
		if entries, errs := c.w.found(t, c.key); [2]int{entries, errs} != c.want {
			t.Errorf("%q: %d entries and %d errors are found, want %v", c.key, entries, errs, c.want)
		}
	}
}

// The audit log, the log and what is found name no value.
func TestForgetTellsNoKey(t *testing.T) {
	w := faulty(t)
	w.Push(t, "q", "q:1", accounts("accounts", 3)...)
	w.Pass(t, time.Minute)
	p, err := w.Control.Find(t.Context(), "c001", "")
	if err != nil || p.Nothing() {
		t.Fatal(p, err)
	}
	shown, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	w.erase(t, "c001")
	actions, err := w.Control.Actions(t.Context(), Start, 10)
	if err != nil || len(actions) != 1 || actions[0].What != "forget" || actions[0].On != runs.KeyHash("c001") {
		t.Errorf("%+v, %v", actions, err)
	}
	if all := string(shown) + fmt.Sprint(actions) + w.Log(); strings.Contains(all, "c001") || strings.Contains(all, "Customer") {
		t.Errorf("the key is told: %s", all)
	}
}

// dying fails the n-th call of what Forget writes, before or after its effect.
type dying struct {
	runs.Entries
	runs.Sources
	at, calls int
	after     bool
}

var errDied = errors.New("died")

func (d *dying) step(do func() error) error {
	d.calls++
	if d.calls != d.at {
		return do()
	}
	if d.after {
		return errors.Join(do(), errDied)
	}
	return errDied
}

func (d *dying) ForgetEntries(ctx context.Context, target string, keys []string) error {
	return d.step(func() error { return d.Entries.ForgetEntries(ctx, target, keys) })
}

func (d *dying) ForgetErrors(ctx context.Context, refs []string) error {
	return d.step(func() error { return d.Sources.ForgetErrors(ctx, refs) })
}

// A process that dies before or after any of its writes leaves what the next one finds, by
// the record id of a stored error, too; that nothing is deleted before the audit log knows
// holds throughout.
func TestForgetDies(t *testing.T) {
	const record, key = "5", "info@c5.example"
	for at := 1; at <= 3; at++ {
		for _, after := range []bool{false, true} {
			w := softDeletes(t, "Contact", "matching_strategy: email\nmatch: {source: email, destination: Email}", "LastName")
			w.fault(t, sandbox.Fault{FailRecords: []string{key}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
			w.Push(t, "q", "q:1", []string{`"customers"`, customer("4", "c4", false)}, []string{`"customers"`, customer(record, "c5", false)})
			w.Pass(t, time.Hour)
			d := &dying{Entries: w.Store, Sources: w.Store, at: at, after: after}
			c := &runs.Control{Stores: w.Control.Stores, Policy: w.Control.Policy, Now: w.Control.Now}
			c.Entries, c.Sources = d, d
			p, err := c.Find(t.Context(), record, "")
			if err != nil {
				t.Fatal(err)
			}
			err = c.Forget(t.Context(), record, p)
			if died := d.calls >= at; died != errors.Is(err, errDied) {
				t.Fatalf("step %d: %v", at, err)
			}
			if actions, _ := w.Control.Actions(t.Context(), Start, 10); len(actions) != 1 {
				t.Errorf("step %d: %d actions are known", at, len(actions))
			}
			for range 2 { // and twice is the same as once
				w.erase(t, record)
				if entries, errs := w.found(t, key); entries+errs != 0 {
					t.Errorf("step %d: %d entries and %d errors are left", at, entries, errs)
				}
			}
			if entries, _ := w.found(t, "4"); entries != 1 {
				t.Errorf("step %d: another key's entry is gone", at)
			}
		}
	}
}

// cramped is storage that cannot write itself anew.
type cramped struct{}

func (cramped) Shred(context.Context) error { return errDied }

// Where copies may be left, all is deleted, the caller is told, and the next time, which finds
// nothing, sees to them.
func TestForgetLeavesCopies(t *testing.T) {
	w := faulty(t)
	w.Push(t, "q", "q:1", accounts("accounts", 3)...)
	w.Pass(t, time.Minute)
	c := &runs.Control{Stores: w.Control.Stores, Policy: w.Control.Policy, Now: w.Control.Now}
	c.Shredder = cramped{}
	for _, want := range []int{1, 0} {
		p, err := c.Find(t.Context(), "c001", "")
		if err != nil || len(p.Syncs) != want {
			t.Fatalf("%+v, %v", p, err)
		}
		if err := c.Forget(t.Context(), "c001", p); !errors.Is(err, runs.ErrCopies) || !errors.Is(err, errDied) {
			t.Error(err)
		}
	}
	w.erase(t, "c001")
}

// between forgets a key after a worker has read the ledger and before it commits.
type between struct {
	deliver.Ledger
	forget func()
}

func (b *between) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if b.forget != nil {
		b.forget()
		b.forget = nil
	}
	return b.Ledger.Commit(ctx, target, entries)
}

// A worker that has the row in hand delivers it: the destination holds it then, and the
// ledger knows. The next look finds that, and forgets it; the row of the warehouse comes
// as a new one.
func TestForgetWhileAWorkerDelivers(t *testing.T) {
	w := faulty(t)
	w.Push(t, "q", "q:1", accounts("accounts", 3)...)
	w.Pass(t, time.Minute)
	rows := accounts("accounts", 3)
	rows[1] = []string{`"accounts"`, `{"id":"c001","name":"Customer c001","n":99,"u":99}`}
	id := w.Push(t, "q2", "q2:1", rows...)[0].Run
	if p, err := w.Control.Find(t.Context(), "c001", ""); err != nil || p.Queues["salesforce"] == 0 {
		t.Errorf("the queue that may hold the row is not told: %+v, %v", p.Queues, err)
	}
	d := w.Deliver("salesforce")
	d.Ledger = &between{d.Ledger, func() { w.erase(t, "c001") }}
	w.Drain(t, "salesforce")
	w.Pass(t, time.Minute)
	if r := w.Run(t, id); r.Counts.Failed != 0 {
		t.Errorf("the run: %+v", r.Counts)
	}
	if entries, _ := w.found(t, "c001"); entries != 1 {
		t.Errorf("the destination holds the row, and the ledger has %d entries of it", entries)
	}
	w.erase(t, "c001")
	if entries, _ := w.found(t, "c001"); entries != 0 {
		t.Error("it is still there")
	}
	w.Push(t, "q3", "q3:1", rows[1])
	w.Pass(t, time.Minute)
	if entries, _ := w.found(t, "c001"); entries != 1 || w.stored(t)["c001"] != "99" {
		t.Errorf("the row that is pushed anew is not held: %d, %s", entries, w.stored(t)["c001"])
	}
}

// What becomes of a record says the definition that is applied, whichever of the versions
// with its target delivered it.
func TestForgetGoesByTheAppliedVersion(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	for _, more := range []string{"batch_size: 7\n", "operation: mirror\non_delete: delete\n", "batch_size: 8\n", "batch_size: 9\n", ""} {
		w.Apply(t, Load(t, v.folder(t, more)))
		current, err := w.Store.Current(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.Control.Find(t.Context(), "a", "")
		if err != nil || len(p.Syncs) == 0 || len(p.Syncs[0].Records) != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		if got := p.Syncs[0].Records[0].Version.ID; got != current.ID {
			t.Errorf("after %q: the version is %s, and %s is applied", more, got, current.ID)
		}
	}
}

// A record of an account that the connection led to before is not removed from the one that
// it leads to now, where its id may be somebody else's.
func TestForgetRemovesFromNoOtherAccount(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, "operation: mirror\non_delete: delete\n"))
	w.delivered(t, "main", "q1", v.rows...)
	held := func() runs.Held {
		p, err := w.Control.Find(t.Context(), "a", "")
		if err != nil || len(p.Syncs) == 0 || len(p.Syncs[0].Records) != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		return p.Syncs[0].Records[0]
	}
	remove := func(h runs.Held) string {
		why, err := w.Deliver("salesforce").Remove(t.Context(), h.Version, h.Target, h.Entry)
		if err != nil {
			t.Fatal(err)
		}
		return why
	}
	before := held()
	stored, err := w.Store.AcceptAccount(t.Context(), "crm", "")
	if err != nil || stored.Epoch != 1 {
		t.Fatalf("%+v, %v", stored, err)
	}
	w.Clock.Advance(2 * time.Minute)
	calls := w.Vendors.Salesforce.Core().Calls().Total
	if why := remove(before); !strings.Contains(why, "another account") {
		t.Errorf("%q", why)
	}
	if n := w.Vendors.Salesforce.Core().Calls().Total - calls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
	w.delivered(t, "main", "q2", v.rows...)
	p, err := w.Control.Find(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range p.Syncs[0].Records {
		if h.Target != before.Target {
			if why := remove(h); why != "" {
				t.Error(why)
			}
		}
	}
	if n := len(w.stored(t)); n != 2 {
		t.Errorf("%d records are there, want 2", n)
	}
}

// A destination that cannot be asked is told apart from one that refuses the record: asked
// again it may remove it. A guest's failure pauses nobody's connection; a worker's does.
func TestForgetOfADestinationThatCannotBeAsked(t *testing.T) {
	v := verifiables["salesforce"]
	const refused = `[{"success":false,"errors":[{"statusCode":"DELETE_FAILED","message":"it has cases","fields":[]}]}]`
	for name, c := range map[string]struct {
		fault  sandbox.Fault
		secret bool // a wrong one
		guest  bool
		asked  bool
		paused bool
	}{
		"the record may not be removed": {fault: sandbox.Fault{Match: "DELETE", Count: -1, Status: 200, Body: refused}, asked: true},
		"an outage":                     {fault: sandbox.Fault{Match: "DELETE", Count: -1, Status: 503}},
		"a quota":                       {fault: sandbox.Fault{Match: "DELETE", Count: -1, Status: 403, Body: `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`}, paused: true},
		"a guest's quota":               {fault: sandbox.Fault{Match: "DELETE", Count: -1, Status: 403, Body: `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`}, guest: true},
		"a worker's wrong secret":       {secret: true, paused: true},
		"a guest's wrong secret":        {secret: true, guest: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := v.world(t, v.folder(t, "operation: mirror\non_delete: delete\n"))
			w.delivered(t, "main", "q1", v.rows...)
			p, err := w.Control.Find(t.Context(), "a", "")
			if err != nil || len(p.Syncs) == 0 || len(p.Syncs[0].Records) != 1 {
				t.Fatalf("%+v, %v", p, err)
			}
			h := p.Syncs[0].Records[0]
			if c.secret {
				for name := range w.Secrets {
					w.Secrets[name] = `{"client_id":"x","client_secret":"y"}`
				}
				w.Vendors.Salesforce.ExpireSessions()
			} else if err := w.Vendors.Salesforce.Core().AddFault(c.fault); err != nil {
				t.Fatal(err)
			}
			d := w.deliver("salesforce", salesforce.Vendor)
			d.Guest, d.Open = c.guest, w.Deliver("salesforce").Open
			why, err := d.Remove(t.Context(), h.Version, h.Target, h.Entry)
			if asked := err == nil && why != ""; asked != c.asked || !asked && !errors.Is(err, deliver.ErrUnreached) {
				t.Errorf("%q, %v", why, err)
			}
			if s, err := w.Store.Pace(t.Context(), "crm"); err != nil || s.Failing() != c.paused {
				t.Errorf("paused: %v, %v", s.Failing(), err)
			}
			if n := len(w.stored(t)); n != 3 {
				t.Errorf("%d records are there, want 3", n)
			}
		})
	}
}

// A guest finds out nothing of a connection that is paused: the workers' probe does.
func TestForgetByAGuestProbesNothing(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, "operation: mirror\non_delete: delete\n"))
	w.delivered(t, "main", "q1", v.rows...)
	p, err := w.Control.Find(t.Context(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	h := p.Syncs[0].Records[0]
	s, err := w.Store.Pace(t.Context(), "crm")
	if err == nil {
		err = w.Store.SetPace(t.Context(), "crm", s.Fail(w.Clock.Now().Add(-time.Hour), time.Minute, "login", "why")) // a probe is due
	}
	if err != nil {
		t.Fatal(err)
	}
	before, err := w.Store.Pace(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	d := w.Deliver("salesforce")
	d.Guest = true
	if _, err := d.Remove(t.Context(), h.Version, h.Target, h.Entry); !errors.Is(err, deliver.ErrUnreached) || !strings.Contains(err.Error(), "is paused") {
		t.Error(err)
	}
	if after, err := w.Store.Pace(t.Context(), "crm"); err != nil || after != before {
		t.Errorf("%+v, %v", after, err)
	}
	d.Guest = false
	if why, err := d.Remove(t.Context(), h.Version, h.Target, h.Entry); why != "" || err != nil {
		t.Errorf("a worker: %q, %v", why, err)
	}
}
