package events

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

func decode(t *testing.T, name string) (gateway.Request, wire.Batch, error) {
	t.Helper()
	raw, err := Read(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gateway.Decode(raw)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	b, err := snowflake.Decode(r.Wire())
	return r, b, err
}

// pushed are a batch's rows: what they go to, and their columns.
func pushed(b wire.Batch) (rows [][]string) {
	for _, r := range b.Rows {
		rows = append(rows, []string{r.Target, string(r.Object)})
	}
	return rows
}

const first = `{"COMPANY_NAME":"ACME CORP","CUSTOMER_ID":"cust_001","CUSTOMER_HEALTH_STATUS":"Healthy","EMAIL":"john@acmecorp.com",` +
	`"HEALTH_SCORE_PCT":85,"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:30:00.000","SUPPORT_SCORE_PCT":80,"USAGE_SCORE_PCT":90}`

func TestPush(t *testing.T) {
	r, push, err := decode(t, "push")
	if err != nil {
		t.Fatal(err)
	}
	if r.Path != "/push" || push.Function != "penstock_push" || len(push.Rows) != 4 {
		t.Fatalf("%s %s, %d rows", r.Path, push.Function, len(push.Rows))
	}
	if d := cmp.Diff([]string{"salesforce_customer_health", first}, pushed(push)[0]); d != "" {
		t.Error(d)
	}
	_, retried, err := decode(t, "push-retried")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(push.Batch, retried.Batch); d != "" {
		t.Errorf("a retry is the same batch: %s", d)
	}
	again, err := Read("push-retried")
	if err != nil {
		t.Fatal(err)
	}
	original, err := Read("push")
	if err != nil {
		t.Fatal(err)
	}
	if string(again) == string(original) {
		t.Error("a retry is another request: its requestId differs")
	}
	_, zipped, err := decode(t, "push-gzip")
	if err != nil {
		t.Fatal(err)
	}
	if zipped.ID == push.ID || zipped.Query == push.Query {
		t.Error("push-gzip is another query")
	}
	lower := pushed(push)
	for _, columns := range lower {
		columns[1] = lowerKeys(columns[1])
	}
	if d := cmp.Diff(lower, pushed(zipped)); d != "" {
		t.Error(d)
	}
}

// lowerKeys lower-cases what stands before a colon in a flat object.
func lowerKeys(object string) string {
	for _, name := range []string{
		"COMPANY_NAME", "CUSTOMER_ID", "CUSTOMER_HEALTH_STATUS", "EMAIL", "HEALTH_SCORE_PCT",
		"HEALTH_SCORE_UPDATED_DATE", "SUPPORT_SCORE_PCT", "USAGE_SCORE_PCT",
	} {
		object = strings.Replace(object, `"`+name+`":`, `"`+strings.ToLower(name)+`":`, 1)
	}
	return object
}

func TestPushEdges(t *testing.T) {
	_, empty, err := decode(t, "push-empty")
	if err != nil || len(empty.Rows) != 0 || empty.ID == "" {
		t.Errorf("push-empty: %+v, %v", empty, err)
	}
	_, _, err = decode(t, "push-not-json")
	var refused *row.Refusal
	if !errors.As(err, &refused) {
		t.Errorf("push-not-json: %v", err)
	}
	raw := Oversize()
	if len(raw) < 4_400_000 || len(raw)/3*4 > gateway.MaxEvent {
		t.Errorf("push-oversize has %d bytes", len(raw))
	}
	r, err := gateway.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := snowflake.Decode(r.Wire())
	if err != nil || len(b.Rows) != 3 || len(b.Rows[1].Object) < 4_400_000 || b.Function != "penstock_push" {
		t.Errorf("push-oversize: %d rows, %v", len(b.Rows), err)
	}
}

func TestControl(t *testing.T) {
	const sync, run = "salesforce_customer_health", "salesforce_customer_health.r0123456789abcdef"
	for name, want := range map[string]map[wire.Param]string{
		"begin":  {wire.Sync: sync, wire.Mode: "incremental"},
		"cancel": {wire.Run: run, wire.Reason: "the model is wrong"},
		"errors": {wire.Run: run},
		"finish": {wire.Run: run, wire.RowCount: "4"},
		"gate":   {wire.Run: run, wire.Verdict: `{"decision":"WARN_CONTINUE","total":1000,"rules":[{"rule":"not_empty","column":"email","failed":11,"share":0.011,"warn_over":0.01,"block_over":0.05,"decision":"WARN_CONTINUE"}],"definition":"GATE_ID"}`},
		"reset":  {wire.Sync: sync},
		"retry":  {wire.Run: run, wire.Selector: `{"records":["mike@enterprise.com"]}`},
		"status": {wire.Target: sync},
		"syncs":  {},
	} {
		r, b, err := decode(t, "control-"+name)
		if err != nil {
			t.Fatal(err)
		}
		if r.Path != "/"+name || b.Function != "penstock_"+name || len(b.Calls) != 1 {
			t.Fatalf("%s: path %s, function %s, %d calls", name, r.Path, b.Function, len(b.Calls))
		}
		f, _ := wire.Lookup(b.Function)
		for _, p := range f.Params {
			got := b.Calls[0].Text(p)
			if p == wire.Selector || p == wire.Verdict {
				got = string(b.Calls[0].Value(p))
			}
			if got != want[p] {
				t.Errorf("%s: %s is %q, want %q", name, p, got, want[p])
			}
		}
	}
}

// The sample of penstock_plan carries the rows of the sample of penstock_push.
func TestPlan(t *testing.T) {
	_, push, err := decode(t, "push")
	if err != nil {
		t.Fatal(err)
	}
	r, plan, err := decode(t, "control-plan")
	if err != nil {
		t.Fatal(err)
	}
	if r.Path != "/plan" || plan.Function != wire.Plan || len(plan.Calls) != 0 {
		t.Errorf("path %s, function %s, %d calls", r.Path, plan.Function, len(plan.Calls))
	}
	if d := cmp.Diff(pushed(push), pushed(plan)); d != "" {
		t.Error(d)
	}
}

func TestUnknownSample(t *testing.T) {
	if _, err := Read("absent"); err == nil {
		t.Error("no error")
	}
}
