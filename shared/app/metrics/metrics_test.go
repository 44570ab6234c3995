package metrics

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAttrs(t *testing.T) {
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	log.LogAttrs(context.Background(), slog.LevelInfo, "deliver",
		Attrs(at, "penstock-crm", Count{StorageFailures, 0}, Count{FailedRows, 3}, Count{OldMessages, 1})...)
	want := `{"level":"INFO","msg":"deliver","FailedRows":3,"OldMessages":1,"FunctionName":"penstock-crm",` +
		`"_aws":{"CloudWatchMetrics":[{"Dimensions":[["FunctionName"]],"Metrics":[{"Name":"FailedRows","Unit":"Count"},{"Name":"OldMessages","Unit":"Count"}],"Namespace":"Penstock"}],"Timestamp":1773500966000}}` + "\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := Attrs(at, "penstock-crm", Count{FailedRows, 0}); got != nil {
		t.Errorf("without a count: %v", got)
	}
}
