package cli

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
)

// mirrorFiles are thingsFiles whose sync removes records.
func mirrorFiles() map[string]string {
	files := maps.Clone(thingsFiles)
	files["things.yaml"] += "operation: mirror\nmirror: {max_deletes: 1}\n"
	return files
}

// heldBy is how many ledger entries the stack has of a key.
func (w *stackWorld) heldBy(key string) (n int) {
	w.Helper()
	p, err := w.control.Find(w.Context(), key, "")
	w.ok(err)
	for _, k := range p.Syncs {
		n += k.Entries
	}
	return n
}

// A person's erasure from a stack removes the record at the destination, with the stack's
// secret, and then what is stored; the audit log has it. Where the destination cannot be
// asked, nothing is deleted, the remedy is said, and no worker of the stack is held up.
func TestServersStackForget(t *testing.T) {
	w := newStackWorld(t, mirrorFiles())
	w.push("things", "q1", `{"sku":"a1","title":"Lamp","n":1}`, `{"sku":"a2","title":"Chair","n":2}`)
	w.drain()
	forget := func() (string, error) {
		return w.says(forgetCmd{Key: "a1", Yes: true, Stack: "prod"})
	}
	for name, c := range map[string]struct {
		break_ func()
		says   []string
	}{
		"the person may not read the secret": {func() { w.deny("secretsmanager:GetSecretValue") }, []string{"they lack secretsmanager:GetSecretValue", `"prod/crm"`, "set AWS_PROFILE", "PENSTOCK_SECRET_CRM"}},
		"the vendor refuses the secret":      {func() { w.secret("crm", `{"client_id":"x","client_secret":"y"}`) }, []string{"log in", "client"}},
		"the stack has no secret":            {func() { w.secret("crm", "") }, []string{"prod/crm"}},
	} {
		right := w.secrets["prod/crm"]
		c.break_()
		out, err := forget()
		if codeOf(err) != exitFailed || !errors.Is(err, deliver.ErrUnreached) || !strings.Contains(err.Error(), "nothing that Penstock stores is deleted: crm, Account: ") {
			t.Errorf("%s: %v: %s", name, err, out)
			continue
		}
		for _, says := range c.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: it does not say %q: %v", name, says, err)
			}
		}
		w.deny("")
		w.secret("crm", right)
		if w.heldBy("a1") != 1 || w.vendors.Salesforce.Count("Account") != 2 || w.paused("crm") {
			t.Errorf("%s: %d ledger entries, %d records, paused: %v", name, w.heldBy("a1"), w.vendors.Salesforce.Count("Account"), w.paused("crm"))
		}
	}
	out, err := forget()
	if err != nil || !strings.Contains(out, "will delete in Salesforce (crm): Account 001") || !strings.Contains(out, "deleted crm: Account 001") || !strings.Contains(out, "is not there any more") {
		t.Fatalf("%v: %s", err, out)
	}
	if w.heldBy("a1") != 0 || w.heldBy("a2") != 1 || w.vendors.Salesforce.Count("Account") != 1 {
		t.Errorf("%d and %d ledger entries, %d records", w.heldBy("a1"), w.heldBy("a2"), w.vendors.Salesforce.Count("Account"))
	}
	all := w.audited()
	if len(all) != 4 || !strings.HasPrefix(all[0], "ann forget sha256:") || !strings.HasSuffix(all[0], " done") || !strings.HasSuffix(all[1], " failed") {
		t.Errorf("the audit log: %q", all)
	}
	if out, err := w.says(forgetCmd{Key: "a2", Yes: true, Stack: "prod", StoredOnly: true}); codeOf(err) != exitRows || !strings.Contains(out, "is still there: delete it in Salesforce") || w.vendors.Salesforce.Count("Account") != 1 {
		t.Errorf("%v: %s", err, out)
	}
}

// What a mirror is to remove in a stack, and has not yet, is found and taken away, too.
func TestServersStackForgetWhatAMirrorLeft(t *testing.T) {
	w := newStackWorld(t, mirrorFiles())
	w.push("things", "q1", `{"sku":"a1","title":"Lamp","n":1}`)
	w.drain()
	begun, err := w.control.Begin(w.Context(), "things", "full", "t1")
	w.ok(err)
	w.ok(w.table.StoreLeft(w.Context(), begun.Run, 0, []string{"a1", "a2"}))
	if out, err := w.says(forgetCmd{Key: "a1", Yes: true, Stack: "prod"}); err != nil || !strings.Contains(out, "1 to be removed by its mirror") {
		t.Fatalf("%v: %s", err, out)
	}
	if keys, err := w.table.Left(w.Context(), begun.Run, 0); err != nil || len(keys) != 1 || keys[0] != "a2" {
		t.Errorf("it removes %q, %v", keys, err)
	}
}

// The quota that the stack's workers share is the person's, too.
func TestServersStackForgetWithinTheQuota(t *testing.T) {
	w := newStackWorld(t, mirrorFiles())
	w.push("things", "q1", `{"sku":"a1","title":"Lamp","n":1}`)
	w.drain()
	b, err := w.table.Bucket(w.Context(), "crm/")
	w.ok(err)
	_, before, _ := b.Spent(nil, time.Now())
	if _, err := w.says(forgetCmd{Key: "a1", Yes: true, Stack: "prod"}); err != nil {
		t.Fatal(err)
	}
	b, err = w.table.Bucket(w.Context(), "crm/")
	w.ok(err)
	if _, after, _ := b.Spent(nil, time.Now()); after <= before {
		t.Errorf("of the day's quota %v was spent before and %v after: the calls took no tokens", before, after)
	}
}

// pause pauses the connection as a worker does that met a failure.
func (w *stackWorld) pause(change func(*pace.State)) {
	w.Helper()
	s, err := w.table.Pace(w.Context(), "crm")
	w.ok(err)
	s = s.Fail(time.Now(), time.Hour, "invalid_client", "log in: the secret is refused")
	s.SetUp = true
	change(&s)
	w.ok(w.table.SetPace(w.Context(), "crm", s))
}

// A test of a stack's connection uses the stack's settings and its secret, names what is
// missing, and ends a pause that it proves to be over; of a spent quota, or with a secret of
// this machine, it proves nothing.
func TestServersStackConnectTest(t *testing.T) {
	w := newStackWorld(t, thingsFiles)
	test := func() (string, error) { return w.says(connectTestCmd{Name: "crm", Stack: "prod"}) }
	out, err := test()
	if err != nil || !strings.Contains(out, "ok login: Salesforce takes the secret") || !strings.Contains(out, "ok object Account: sync things may create, change its records") || strings.Contains(out, "state:") {
		t.Fatalf("%v: %s", err, out)
	}
	if n := len(w.audited()); n != 0 {
		t.Errorf("a test that changes nothing stands in the audit log: %q", w.audited())
	}

	w.pause(func(*pace.State) {})
	w.deny("secretsmanager:GetSecretValue")
	if out, err = test(); codeOf(err) != exitFailed || !strings.Contains(out, "your AWS credentials may not look: they lack secretsmanager:GetSecretValue") || !w.paused("crm") {
		t.Errorf("%v: %s", err, out)
	}
	t.Setenv("PENSTOCK_SECRET_CRM", w.secrets["prod/crm"])
	if out, err = test(); err != nil || !strings.Contains(out, "the secret of this machine was tried, and the stack has its own") || !w.paused("crm") {
		t.Errorf("%v: %s", err, out)
	}
	w.ok(os.Unsetenv("PENSTOCK_SECRET_CRM"))
	w.deny("")
	if out, err = test(); err != nil || !strings.Contains(out, "ok state: its rows waited since") || !strings.Contains(out, "and go on now") || w.paused("crm") {
		t.Errorf("%v: %s", err, out)
	}
	if all := w.audited(); len(all) != 1 || all[0] != "ann connect test crm done" {
		t.Errorf("the audit log: %q", all)
	}

	w.pause(func(s *pace.State) { s.SetUp, s.Quota = false, true })
	if out, err = test(); err != nil || !strings.Contains(out, "its quota is waited out") || !w.paused("crm") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = w.says(connectListCmd{somewhere: somewhere{Stack: "prod"}}); err != nil || !strings.Contains(out, "crm salesforce not known yet paused") && !strings.Contains(out, "paused crm is paused since") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = w.says(connectTestCmd{Name: "crn", Stack: "prod"}); err == nil || !strings.Contains(err.Error(), "did you mean crm?") {
		t.Errorf("%v: %s", err, out)
	}
}

// The rows of a connection that a test found well go on at the worker's next look.
func TestServersStackGoesOnAfterATest(t *testing.T) {
	w := newStackWorld(t, thingsFiles)
	right := w.secrets["prod/crm"]
	w.secret("crm", `{"client_id":"x","client_secret":"y"}`)
	id := w.push("things", "q1", `{"sku":"a1","title":"Lamp","n":1}`)
	in, err := w.queue.Receive(w.Context(), "salesforce", 10, time.Minute)
	w.ok(err)
	if r := w.worker.Handle(w.Context(), in); len(r.Stay) != 1 || !w.paused("crm") {
		t.Fatalf("%+v, paused: %v", r, w.paused("crm"))
	}
	w.secret("crm", right)
	if out, err := w.says(connectTestCmd{Name: "crm", Stack: "prod"}); err != nil || w.paused("crm") {
		t.Fatalf("%v: %s", err, out)
	}
	if r := w.worker.Handle(w.Context(), in); len(r.Stay)+len(r.Storage) != 0 || w.status(id).Delivered != 1 {
		t.Errorf("%+v, %+v", r, w.status(id))
	}
}
