package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/app/redshift"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	wire "github.com/penstock-data/penstock/shared/wire/redshift"
)

// udf is what Redshift sends for one row of a function, by this user.
func udf(user, database, function, request string, args ...string) []byte {
	row := make([]jsontext.Value, len(args))
	for i, a := range args {
		row[i] = jsontext.Value(a)
	}
	return wire.EncodeRequest(nil, wire.Head{Request: request, Cluster: "arn:c", User: user, Database: database, Function: "penstock.penstock_" + function, Query: 1, Records: -1}, [][]jsontext.Value{row})
}

// failing refuses the first so many reads of batches.
type failing struct {
	intake.Batches
	left int
}

func (f *failing) Batch(ctx context.Context, id, batch string) (run.Batch, error) {
	if f.left--; f.left >= 0 {
		return run.Batch{}, errors.New("dynamodb: secret-table is throttled")
	}
	return f.Batches.Batch(ctx, id, batch)
}

// full is a queue that holds too much.
type full struct{ intake.Queue }

func (full) Depth(context.Context, string) (int, error) { return run.MaxDepth + 1, nil }

// A batch that fails by our own storage is tried again in place, at most three times
// within 2 s; then the invocation fails, as one that is to slow down does at once. What
// Redshift does then is its own; it is shown no more than it may know.
func TestRedshiftTriesAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		fails  int
		full   bool
		kind   string
		waited time.Duration
	}{
		{name: "once", fails: 1, waited: 300 * time.Millisecond},
		{name: "twice", fails: 2, waited: 1500 * time.Millisecond},
		{name: "always", fails: 100, kind: "ServiceException", waited: 1500 * time.Millisecond},
		{name: "a full queue", full: true, kind: "TooManyRequestsException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := New(t)
			h := w.Functions["redshift"].(*redshift.Handler)
			pushes := h.Push
			in := pushes.Intake
			in.Batches = &failing{in.Batches, c.fails}
			if c.full {
				in.Queue = full{in.Queue}
			}
			h.Push = &push.Handler{Intake: in, Log: pushes.Log}
			before := w.Clock.Now()
			answer, err := h.Invoke(t.Context(), udf("u", "d", "push", "r", Health("salesforce_customer_health", "john@acmecorp.com", 1)...))
			if waited := w.Clock.Now().Sub(before); waited != c.waited || waited > 2*time.Second {
				t.Errorf("waited %v, want %v", waited, c.waited)
			}
			var failed messages.InvokeResponse_Error
			if c.kind == "" {
				if values, broken := wire.DecodeReply(answer, 1); err != nil || broken != nil || !strings.Contains(string(values[0]), `"queued"`) {
					t.Errorf("%s, %v, %v", answer, err, broken)
				}
			} else if !errors.As(err, &failed) || failed.Type != c.kind || strings.Contains(failed.Message, "secret-table") || failed.Message == "" {
				t.Errorf("%s, %#v", answer, err)
			}
		})
	}
}

// Pages of status and errors stay under what a VARCHAR holds, and nothing is left out
// between them.
func TestRedshiftPages(t *testing.T) {
	w := New(t)
	begun(t, w)
	const n = 300
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = Health(controlRun, fmt.Sprintf("no address %d %s", i, strings.Repeat("é", 500)), float64(i))
	}
	w.Push(t, "q", "q:1", rows...)
	page := func(function string, args ...string) (raw jsontext.Value) {
		t.Helper()
		values, err := wire.DecodeReply(w.Invoke(t, "redshift", udf("u", "d", function, fmt.Sprint(args), args...)), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(values[0]) > wire.MaxValue {
			t.Fatalf("%s answers %d bytes", function, len(values[0]))
		}
		return values[0]
	}
	seen := map[string]bool{}
	pages := 0
	for after := "null"; after != `""`; pages++ {
		var p struct {
			Errors []struct {
				RecordID string `json:"record_id"`
			}
			Next string
		}
		if err := json.Unmarshal(page("errors", `"`+controlRun+`"`, after), &p); err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Errors {
			if seen[e.RecordID] {
				t.Fatalf("%.20s comes twice", e.RecordID)
			}
			seen[e.RecordID] = true
		}
		after = fmt.Sprintf("%q", p.Next)
	}
	if len(seen) != n || pages < 5 {
		t.Errorf("%d errors on %d pages", len(seen), pages)
	}
	for i := range 150 {
		w.Clock.Advance(time.Minute)
		w.Push(t, fmt.Sprint("q", i), fmt.Sprint("q:", i), Health("salesforce_customer_health", "no address "+strings.Repeat("x", 300), 1))
	}
	got := map[string]bool{}
	for after := "null"; after != `""`; {
		var p struct {
			Runs []struct{ Run string }
			Next string
		}
		if err := json.Unmarshal(page("status", `"salesforce_customer_health"`, `"2020-01-01T00:00:00Z"`, after), &p); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Runs {
			got[r.Run] = true
		}
		after = fmt.Sprintf("%q", p.Next)
	}
	if len(got) != 151 {
		t.Errorf("%d runs", len(got))
	}
}

// An error whose source alone is over the limit comes without it.
func TestRedshiftErrorOverTheLimit(t *testing.T) {
	set := Set(t)
	for i := range set.Syncs {
		set.Syncs[i].Definition.StoreSource = syncdef.StoreAll
	}
	w := NewWith(t, set)
	wide := strings.Replace(Health("salesforce_customer_health", "no address", 1)[1], "{", `{"NOTE":"`+strings.Repeat("n", 2*wire.MaxValue)+`",`, 1)
	id := w.Push(t, "q", "q:1", []string{`"salesforce_customer_health"`, wide}, Health("salesforce_customer_health", "none", 1))[0].Run
	values, err := wire.DecodeReply(w.Invoke(t, "redshift", udf("u", "d", "errors", "r", `"`+id+`"`)), 1)
	if err != nil || !strings.Contains(string(values[0]), `"no address"`) || strings.Contains(string(values[0]), "nnnn") {
		t.Errorf("%.300s, %v", values, err)
	}
}

// allow names a user, or a user of one database, whatever is called.
func TestRedshiftAllow(t *testing.T) {
	set := Set(t)
	for i := range set.Syncs {
		if d := &set.Syncs[i].Definition; d.Sync == healthSync {
			d.Allow = &syncdef.Allow{Push: []string{"loader", "prod/etl", `"IAM:Jo"`}, Errors: []string{"dev/support"}}
		}
	}
	w := NewWith(t, set)
	for _, c := range []struct {
		user, database string
		push, errors   bool
	}{
		{"loader", "dev", true, false}, {"loader", "prod", true, false}, {"etl", "prod", true, false}, {"etl", "dev", false, false}, {"IAM:Jo", "dev", true, false},
		{"support", "dev", false, true}, {"support", "prod", false, false}, {"prod/etl", "dev", false, false}, {"LOADER", "dev", false, false}, {"", "prod", false, false}, {"loader", "", false, false},
	} {
		who := c.user + " in " + c.database
		answer, err := wire.DecodeReply(w.Invoke(t, "redshift", udf(c.user, c.database, "push", "p "+who, Health(healthSync, "john@acmecorp.com", 1)...)), 1)
		if pushed := err == nil && strings.Contains(string(answer[0]), "queued"); pushed != c.push {
			t.Errorf("%s pushes: %v (%s, %v)", who, pushed, answer, err)
		}
		_, err = wire.DecodeReply(w.Invoke(t, "redshift", udf(c.user, c.database, "reset", "r "+who, `"`+healthSync+`"`)), 1)
		if (err == nil) != c.push {
			t.Errorf("%s resets: %v", who, err)
		}
		listed, err := wire.DecodeReply(w.Invoke(t, "redshift", udf(c.user, c.database, "syncs", "s "+who)), 1)
		if seen := err == nil && strings.Contains(string(listed[0]), healthSync); seen != (c.push || c.errors) {
			t.Errorf("%s sees it: %v, %v", who, seen, err)
		}
	}
}

// penstock_syncs answers what a VARCHAR holds, and goes on after its next: every sync once,
// by name. Another caller gets all in one answer.
func TestRedshiftPagesSyncs(t *testing.T) {
	w := New(t)
	one, err := w.Store.Current(t.Context(), "salesforce_customer_health")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 400 {
		one.Definition.Sync = fmt.Sprintf("sync_%03d", n)
		if err := w.Store.Apply(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	all, err := w.Store.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	pages := 0
	for after := ""; ; pages++ {
		var args []string
		if after != "" {
			args = []string{fmt.Sprintf("%q", after)}
		}
		values, err := wire.DecodeReply(w.Invoke(t, "redshift", udf("loader", "dev", "syncs", fmt.Sprint("r", pages), args...)), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(values[0]) > wire.MaxValue {
			t.Errorf("page %d has %d bytes", pages, len(values[0]))
		}
		var page struct {
			Syncs []struct{ Sync string }
			Next  string
		}
		if err := json.Unmarshal(values[0], &page); err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Syncs {
			got = append(got, s.Sync)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if !slices.Equal(got, all) || pages < 2 {
		t.Errorf("%d of %d syncs on %d pages", len(got), len(all), pages+1)
	}
	whole := Call[struct {
		Syncs []struct{ Sync string }
		Next  string
	}](t, w.Functions["control"], "syncs")
	if len(whole.Syncs) != len(all) || whole.Next != "" {
		t.Errorf("in one answer %d, next %q", len(whole.Syncs), whole.Next)
	}
}
