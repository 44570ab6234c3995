package local_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/redshift"
)

// udf reads what a UDF of Redshift's answers to n rows.
func udf[T any](t *testing.T, raw []byte, n int) []T {
	t.Helper()
	values, err := redshift.DecodeReply(raw, n)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]T, n)
	for i, v := range values {
		if err := json.Unmarshal(v, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// redshift hands the built function its samples: the rows of a push that the ledger
// knows already, and the run that the bracket ended.
func (d *deployment) redshift(t *testing.T, event func(function, name string) []byte, counts map[string]run.Counts) {
	t.Helper()
	first := event("redshift", "redshift-push")
	if d := cmp.Diff(string(first), string(event("redshift", "redshift-retried"))); d != "" {
		t.Errorf("the retry is answered otherwise: %s", d)
	}
	pushed := udf[apptest.Answer](t, first, 4)[0].Run
	d.settled(t, pushed, time.Minute)
	counts[pushed] = run.Counts{Received: 4, Unchanged: 4, Repeated: 4}
	nulls := udf[apptest.Answer](t, event("redshift", "redshift-nulls"), 3)
	if nulls[0].Status != "queued" || nulls[1].Reason != "unknown_sync" || nulls[2].Reason != "not_an_object" {
		t.Errorf("redshift-nulls: %+v", nulls)
	}
	counts[nulls[0].Run] = run.Counts{Received: 2, Unchanged: 1, Rejected: 1}
	if _, err := redshift.DecodeReply(event("redshift", "redshift-contradiction"), 2); !errors.Is(err, redshift.ErrRefused) {
		t.Errorf("redshift-contradiction: %v", err)
	}
	if r := udf[runs.RunStatus](t, event("redshift", "redshift-finish"), 1)[0]; r.ID != sampleRun {
		t.Errorf("redshift-finish: %+v", r)
	}
	if s := udf[runs.SyncStatus](t, event("redshift", "redshift-status"), 1)[0]; s.Sync != sampleSync || len(s.Runs) == 0 {
		t.Errorf("redshift-status: %+v", s)
	}
	if raw := event("redshift", "redshift-errors"); !strings.Contains(string(raw), "record_id") {
		t.Errorf("redshift-errors: %s", raw)
	}
	if list := udf[struct{ Syncs []runs.SyncInfo }](t, event("redshift", "redshift-syncs"), 1)[0]; len(list.Syncs) != 3 {
		t.Errorf("redshift-syncs: %+v", list)
	}
	b := udf[runs.Begun](t, event("redshift", "redshift-begin"), 1)[0]
	if again := udf[runs.Begun](t, event("redshift", "redshift-begin"), 1)[0]; again.Run != b.Run || b.Run == "" {
		t.Errorf("redshift-begin: %+v, again %+v", b, again)
	}
	apptest.Call[runs.RunStatus](t, d.fleets["control"], "cancel", `"`+b.Run+`"`)
}
