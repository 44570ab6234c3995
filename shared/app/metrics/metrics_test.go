package metrics

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lines are the log lines of these metrics.
func lines(own []slog.Attr, others [][]slog.Attr) string {
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}}))
	for _, l := range append([][]slog.Attr{own}, others...) {
		log.LogAttrs(context.Background(), slog.LevelInfo, "", l...)
	}
	return b.String()
}

// The embedded metric format: a set of metrics for each set of dimensions, and a line of
// its own for each further connection, because a line has one value of a dimension.
func TestLines(t *testing.T) {
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	counts := []Count{{StorageFailures, 0}, {FailedRows, 3}, {OldMessages, 1}}
	of := map[string][]Count{"crm_b": {{RowsDelivered, 5}, {Calls, 1}}, "crm_a": {{RowsDelivered, 2}, {RowsNotDelivered, 3}, {QuotaUsed, 40}}, "idle": {{Calls, 0}}}
	want := `{"FailedRows":3,"OldMessages":1,"RowsDelivered":2,"RowsNotDelivered":3,"QuotaUsed":40,"Connection":"crm_a","_aws":{"CloudWatchMetrics":[` +
		`{"Dimensions":[["FunctionName"]],"Metrics":[{"Name":"FailedRows","Unit":"Count"},{"Name":"OldMessages","Unit":"Count"}],"Namespace":"Penstock"},` +
		`{"Dimensions":[["FunctionName","Connection"]],"Metrics":[{"Name":"RowsDelivered","Unit":"Count"},{"Name":"RowsNotDelivered","Unit":"Count"},{"Name":"QuotaUsed","Unit":"Percent"}],"Namespace":"Penstock"}],"Timestamp":1773500966000}}` + "\n" +
		`{"RowsDelivered":5,"Calls":1,"Connection":"crm_b","_aws":{"CloudWatchMetrics":[{"Dimensions":[["FunctionName","Connection"]],"Metrics":[{"Name":"RowsDelivered","Unit":"Count"},{"Name":"Calls","Unit":"Count"}],"Namespace":"Penstock"}],"Timestamp":1773500966000}}` + "\n"
	if d := cmp.Diff(want, lines(Lines(at, counts, of))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if own, others := Lines(at, []Count{{FailedRows, 0}}, nil); own != nil || others != nil {
		t.Errorf("without a count: %v, %v", own, others)
	}
}

func TestAdd(t *testing.T) {
	var all []Count
	for _, c := range []Count{{Calls, 1}, {RowsDelivered, 2}, {Calls, 3}} {
		all = Add(all, c)
	}
	if d := cmp.Diff([]Count{{Calls, 4}, {RowsDelivered, 2}}, all); d != "" {
		t.Error(d)
	}
}
