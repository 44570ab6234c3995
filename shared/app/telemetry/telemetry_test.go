package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/metrics"
)

// source is a function whose invocations take 12 ms, and its log.
func source(function string) (Source, *bytes.Buffer) {
	var b bytes.Buffer
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	log := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	now := func() time.Time { at = at.Add(12 * time.Millisecond); return at }
	return Source{Log: log, What: "salesforce", Function: function, Now: now, Warm: new(atomic.Bool)}, &b
}

// The fields of a line, as docs/telemetry.md has them.
func TestLine(t *testing.T) {
	s, log := source("one-salesforce")
	s.Request = func(context.Context) string { return "8f3c" }
	ctx, l := s.Begin(t.Context(), "deliver")
	l.Add(slog.String("queue", "salesforce"))
	From(ctx).Run("sf_health.r01")
	From(ctx).Run("sf_health.r02")
	From(ctx).Rows("delivered", 3)
	From(ctx).Rows("failed", 0)
	l.Count(metrics.Count{Name: metrics.FailedRows, N: 1})
	l.Of("crm", metrics.Count{Name: metrics.Calls, N: 2}, metrics.Count{Name: metrics.Calls, N: 1})
	l.End(ctx, OK, nil)
	s.Request = nil
	ctx, l = s.Begin(t.Context(), "deliver")
	l.End(ctx, Failed, errors.New("the table is gone"))
	want := `{"level":"INFO","msg":"deliver","FunctionName":"one-salesforce","request":"8f3c","cold":true,"outcome":"ok","queue":"salesforce",` +
		`"syncs":["sf_health"],"runs":["sf_health.r01","sf_health.r02"],"rows":{"delivered":3},"ms":12,"FailedRows":1,"Calls":3,"Connection":"crm",` +
		`"_aws":{"CloudWatchMetrics":[{"Dimensions":[["FunctionName"]],"Metrics":[{"Name":"FailedRows","Unit":"Count"}],"Namespace":"Penstock"},` +
		`{"Dimensions":[["FunctionName","Connection"]],"Metrics":[{"Name":"Calls","Unit":"Count"}],"Namespace":"Penstock"}],"Timestamp":1773500966012}}` + "\n" +
		`{"level":"ERROR","msg":"deliver","FunctionName":"one-salesforce","cold":false,"outcome":"failed","ms":12,"error":"the table is gone"}` + "\n"
	if d := cmp.Diff(want, log.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Several connections make a line each, beside the invocation's; a line names ten runs.
func TestLineIsBounded(t *testing.T) {
	s, log := source("one-salesforce")
	ctx, l := s.Begin(t.Context(), "push")
	for n := range 30 {
		l.Run(fmt.Sprintf("s%d.r1", n))
	}
	for _, c := range []string{"a", "b", "c"} {
		l.Of(c, metrics.Count{Name: metrics.RowsDelivered, N: 1})
	}
	l.End(ctx, OK, nil)
	all := strings.Split(strings.TrimSpace(log.String()), "\n")
	var first struct {
		Syncs, Runs []string
		More        int `json:"more_names"`
	}
	if err := json.Unmarshal([]byte(all[0]), &first); err != nil || len(first.Syncs) != named || len(first.Runs) != named || first.More != 40 {
		t.Errorf("%v: %s", err, all[0])
	}
	if len(all) != 3 || !strings.Contains(all[2], `"msg":"metrics","FunctionName":"one-salesforce"`) || !strings.Contains(all[2], `"Connection":"c"`) {
		t.Errorf("%d lines: %s", len(all), log)
	}
}

// What a tick did is told on Lambda, and on one machine, where they come many times a
// second, only when it failed.
func TestTicks(t *testing.T) {
	for function, want := range map[string]int{"one-sweep": 2, "": 1} {
		s, log := source(function)
		for _, err := range []error{nil, errors.New("no")} {
			ctx, l := s.Begin(t.Context(), "sweep")
			l.Tick()
			l.End(ctx, OK, err)
		}
		if got := strings.Count(log.String(), "\n"); got != want {
			t.Errorf("%q: %d lines, want %d: %s", function, got, want, log)
		}
	}
}

// Without a line in the context nothing is written, and nothing breaks.
func TestNoLine(t *testing.T) {
	l := From(context.Background())
	l.Run("s.r1")
	l.Rows("queued", 1)
	l.Count(metrics.Count{Name: metrics.StoredErrors, N: 1})
	l.Of("c", metrics.Count{Name: metrics.Calls, N: 1})
	l.End(context.Background(), OK, nil)
}

func TestStatus(t *testing.T) {
	for code, want := range map[int]Outcome{200: OK, 202: OK, 400: Refused, 429: Refused, 500: Failed, 503: Failed} {
		if got := Status(code); got != want {
			t.Errorf("%d: %s", code, got)
		}
	}
}
