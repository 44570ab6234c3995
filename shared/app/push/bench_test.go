package push

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// BenchmarkIntake takes a raw API Gateway event of 4,096 rows of about 350 B to
// packed chunks and answers, mapping checked, without storage. The floor beside
// it only reads the body's tokens.
func BenchmarkIntake(b *testing.B) {
	event, body := sampleEvent(b, 4096)
	h := &Handler{Intake: overNothing(), Log: slog.New(slog.DiscardHandler)}
	b.Run("jsontext-floor", func(b *testing.B) {
		for b.Loop() {
			if !jsontext.Value(body).IsValid() {
				b.Fatal("not JSON")
			}
		}
		perRow(b, 4096)
	})
	b.Run("intake", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			answer, err := h.Invoke(b.Context(), event)
			if err != nil || !strings.HasPrefix(string(answer), `{"statusCode":200`) {
				b.Fatalf("%v %.200s", err, answer)
			}
		}
		perRow(b, 4096)
	})
}

// BenchmarkIntakePeak reports the process's peak memory over requests of 6 MB.
func BenchmarkIntakePeak(b *testing.B) {
	event, body := sampleEvent(b, 16_000)
	h := &Handler{Intake: overNothing(), Log: slog.New(slog.DiscardHandler)}
	for b.Loop() {
		if _, err := h.Invoke(b.Context(), event); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(body))/1e6, "body-MB")
	b.ReportMetric(peakMB(b), "peak-MB")
}

func perRow(b *testing.B, rows int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

// peakMB is the process's greatest resident memory so far, 0 where it is not known.
func peakMB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Log("peak memory is not known here:", err)
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

func sampleEvent(b *testing.B, rows int) (event, body []byte) {
	var data [][]jsontext.Value
	for i := range rows {
		row := fmt.Sprintf(`{"CUSTOMER_ID":"cust_%07d","EMAIL":"john.doe@company-%07d.com","COMPANY_NAME":"COMPANY NUMBER %07d","HEALTH_SCORE_PCT":%d.5,"CUSTOMER_HEALTH_STATUS":"At Risk","USAGE_SCORE_PCT":%d,"SUPPORT_SCORE_PCT":%d,"HEALTH_SCORE_UPDATED_DATE":"2026-01-15 10:30:%02d.000","DAILY_ACTIVE_USERS":%d,"RECOMMENDED_ACTION":"Review support ticket themes"}`,
			i, i, i, i%100, i%97, i%89, i%60, i%500)
		data = append(data, []jsontext.Value{jsontext.Value(`"bench"`), jsontext.Value(row)})
	}
	body = snowflake.EncodeRequest(nil, data)
	header := http.Header{}
	header.Set("sf-external-function-query-batch-id", "01b2:1:1:0:0")
	header.Set("sf-external-function-current-query-id", "01b2")
	header.Set("sf-external-function-name", "penstock_push")
	return gateway.EncodeRequest("POST", "/push", header, nil, body), body
}

// nothing stores nothing: the benchmark is of the intake alone.
type nothing struct {
	intake.Syncs
	intake.Batches
	intake.Chunks
}

func overNothing() *intake.Intake {
	n := nothing{}
	return &intake.Intake{Syncs: n, Connections: n, Runs: n, Batches: n, Chunks: n, Errors: n, Queue: n, Now: time.Now}
}

var version = syncdef.NewVersion(syncdef.Definition{
	Sync: "bench", Connection: "crm", Object: "Account", Strategy: syncdef.MatchEmailDomain, Match: syncdef.Match{Source: "email", Destination: "Website"},
	Operation: syncdef.Upsert, RecordID: []string{"customer_id"}, BatchSize: 1000, Lanes: 4,
	Fields: []syncdef.Field{
		{Source: "health_score_pct", Destination: "Health_Score__c", Type: syncdef.Number, Min: "0", Max: "100", OnNull: syncdef.ClearNull},
		{Source: "customer_health_status", Destination: "Health_Status__c", Type: syncdef.Picklist, OnNull: syncdef.ClearNull},
		{Source: "usage_score_pct", Destination: "Usage_Score__c", Type: syncdef.Number, OnNull: syncdef.ClearNull},
		{Source: "support_score_pct", Destination: "Support_Score__c", Type: syncdef.Number, OnNull: syncdef.ClearNull},
		{Source: "health_score_updated_date", Destination: "Health_Score_Last_Updated__c", Type: syncdef.DateTime, OnNull: syncdef.ClearNull},
	},
}, syncdef.Rules{Type: "bench", Identity: row.Identity{Steps: []row.Step{row.StepDomain}}}, time.Time{})

func (nothing) Current(context.Context, string) (syncdef.Version, error) { return version, nil }
func (nothing) EnsureRun(_ context.Context, r run.Run) (run.Run, error)  { return r, nil }
func (nothing) Run(_ context.Context, id string) (run.Run, error) {
	return run.Run{ID: id, Sync: "bench", Version: version.ID, Status: run.Open}, nil
}
func (nothing) Version(context.Context, string, string) (syncdef.Version, error) {
	return version, nil
}
func (nothing) UpdateRun(context.Context, run.Run) error            { return nil }
func (nothing) NextSequence(context.Context, string) (int64, error) { return 1, nil }
func (nothing) Connection(context.Context, string) (syncdef.Stored, error) {
	return syncdef.Stored{}, nil
}
func (nothing) Pace(context.Context, string) (pace.State, error) { return pace.State{}, nil }
func (nothing) Batch(context.Context, string, string) (run.Batch, error) {
	return run.Batch{}, run.ErrNotFound
}
func (nothing) PinBatch(_ context.Context, b run.Batch) (run.Batch, bool, error) {
	return b, true, nil
}
func (nothing) MarkSent(context.Context, string, string) error    { return nil }
func (nothing) StoreErrors(context.Context, []run.RowError) error { return nil }
func (nothing) Depth(context.Context, string) (int, error)        { return 0, nil }
func (nothing) Send(_ context.Context, _ string, m []envelope.Message) ([]bool, error) {
	return make([]bool, len(m)), nil
}
