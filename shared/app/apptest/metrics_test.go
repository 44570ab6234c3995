package apptest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// counted sums the metrics of the log by function, as CloudWatch would.
func (w *World) counted(t *testing.T) map[string]map[string]int {
	t.Helper()
	all := map[string]map[string]int{}
	for line := range strings.Lines(w.Log()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["_aws"] == nil {
			continue
		}
		function, _ := entry[metrics.Dimension].(string)
		if all[function] == nil {
			all[function] = map[string]int{}
		}
		for _, name := range []string{metrics.StorageFailures, metrics.FailedRows, metrics.StoredErrors, metrics.OldMessages} {
			if n, ok := entry[name].(float64); ok {
				all[function][name] += int(n)
			}
		}
	}
	return all
}

// Rows that fail and errors that are stored are counted where they happen, once.
func TestFailuresAreCounted(t *testing.T) {
	w := faulty(t)
	rows := accounts("accounts", 20)
	rows[3] = []string{`"accounts"`, `{"id":"c003","name":"Customer c003","n":"many","u":3}`}
	w.fault(t, sandbox.Fault{FailRecords: []string{"c005", "c006"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
	id := w.Push(t, "q", "q:1", rows...)[0].Run
	w.Pass(t, soon)
	w.Settle(t)
	failed := int(w.Run(t, id).Counts.Failed)
	got := w.counted(t)
	if n := got["push"][metrics.StoredErrors]; n != 1 {
		t.Errorf("push counts %d stored errors, want the rejected row's", n)
	}
	if failed == 0 || got["salesforce"][metrics.FailedRows] != failed || got["salesforce"][metrics.StoredErrors] != failed {
		t.Errorf("the worker counts %v, the run %d failed rows", got["salesforce"], failed)
	}
	if got["salesforce"][metrics.OldMessages] != 0 || got["salesforce"][metrics.StorageFailures] != 0 {
		t.Errorf("nothing is old and no storage failed: %v", got)
	}
}

// A connection that is down for days makes old messages, from a quarter of their life
// on: SQS's own metric does not show what is received again and again.
func TestOldMessagesAreCounted(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Status: 503, Count: -1, ContentType: "text/html", Body: "<html>maintenance</html>"})
	w.Push(t, "q", "q:1", accounts("accounts", 1)...)
	w.Pass(t, 30*time.Minute)
	w.Clock.Advance(metrics.OldAfter - 90*time.Minute) // nothing runs meanwhile
	w.Pass(t, 30*time.Minute)
	if got := w.counted(t)["salesforce"][metrics.OldMessages]; got != 0 {
		t.Errorf("%d old messages within a quarter of their life", got)
	}
	w.Pass(t, 2*time.Hour)
	if got := w.counted(t)["salesforce"][metrics.OldMessages]; got == 0 {
		t.Error("no message is counted old after a quarter of its life")
	}
}

// A storage that refuses rings for whoever asked it: the caller's mistakes never do.
func TestStorageFailuresOfRequestsAreCounted(t *testing.T) {
	w := faulty(t)
	w.Invoke(t, "push", Request("push", "q", "q:0", []string{`"no_such_sync"`, `{"id":"1"}`}))
	w.Invoke(t, "control", Request("status", "q", "q:1", []string{`"no_such_sync"`}))
	if got := w.counted(t); got["push"][metrics.StorageFailures]+got["control"][metrics.StorageFailures] != 0 {
		t.Fatalf("a caller's mistake is counted: %v", got)
	}
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	w.Invoke(t, "push", Request("push", "q", "q:2", accounts("accounts", 1)...))
	w.Invoke(t, "control", Request("status", "q", "q:3", []string{`"accounts"`}))
	if _, err := w.Functions["sweep"].Invoke(t.Context(), Tick()); err == nil {
		t.Error("a sweep without storage succeeds")
	}
	got := w.counted(t)
	for _, function := range []string{"push", "control", "sweep"} {
		if got[function][metrics.StorageFailures] != 1 {
			t.Errorf("%s counts %d storage failures, want 1", function, got[function][metrics.StorageFailures])
		}
	}
}
