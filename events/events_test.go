package events

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

func decode(t *testing.T, name string) (gateway.Request, row.Batch, error) {
	t.Helper()
	raw, err := Read(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gateway.Decode(raw)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	b, err := snowflake.DecodeRequest(r)
	return r, b, err
}

// args are a batch's arguments as text, row by row.
func args(b row.Batch) (rows [][]string) {
	for _, r := range b.Rows {
		var texts []string
		for _, v := range r.Args {
			texts = append(texts, string(v))
		}
		rows = append(rows, texts)
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
	if d := cmp.Diff([]string{`"salesforce_customer_health"`, first}, args(push)[0]); d != "" {
		t.Error(d)
	}
	_, retried, err := decode(t, "push-retried")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(push, retried); d != "" {
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
	lower := args(push)
	for _, columns := range lower {
		columns[1] = lowerKeys(columns[1])
	}
	if d := cmp.Diff(lower, args(zipped)); d != "" {
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
	var refused *snowflake.Error
	if !errors.As(err, &refused) || refused.Status != 400 {
		t.Errorf("push-not-json: %v", err)
	}
	raw := Oversize()
	if len(raw) < 5_000_000 || len(raw) > 6<<20 {
		t.Errorf("push-oversize has %d bytes", len(raw))
	}
	r, err := gateway.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := snowflake.DecodeRequest(r)
	if err != nil || len(b.Rows) != 3 || len(b.Rows[1].Args[1]) < 5_000_000 || b.Function != "penstock_push" {
		t.Errorf("push-oversize: %d rows, %v", len(b.Rows), err)
	}
}

func TestControl(t *testing.T) {
	const sync, run = `"salesforce_customer_health"`, `"salesforce_customer_health.r0123456789abcdef"`
	for name, want := range map[string][]string{
		"begin":  {sync, `"incremental"`},
		"finish": {run, `4`},
		"status": {sync},
		"errors": {run},
	} {
		r, b, err := decode(t, "control-"+name)
		if err != nil {
			t.Fatal(err)
		}
		if r.Path != "/"+name || b.Function != "penstock_"+name {
			t.Errorf("%s: path %s, function %s", name, r.Path, b.Function)
		}
		if d := cmp.Diff([][]string{want}, args(b)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestUnknownSample(t *testing.T) {
	if _, err := Read("absent"); err == nil {
		t.Error("no error")
	}
}
