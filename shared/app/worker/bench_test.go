package worker

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// BenchmarkWorker takes an SQS event of ten messages of 2,000 rows of about 350 B
// through the worker, without storage and network: unpack, map, fingerprint,
// diff, cut into calls, count. The floor beside it only unpacks and reads tokens.
func BenchmarkWorker(b *testing.B) {
	const messages, rows = 10, 2000
	defer debug.SetGCPercent(debug.SetGCPercent(heapGrowth)) // as in the function
	event, chunks := sampleEvent(b, messages, rows)
	v := nothing{}
	h := &Handler{Log: slog.New(slog.DiscardHandler), Deliver: &deliver.Deliver{
		Queue: "bench", Syncs: v, Connections: v, Tokens: v, Runs: v, Chunks: v, Halts: v, Ledger: v, Errors: v, Visibility: v,
		Open: func(syncdef.Connection) (dest.Account, error) { return v, nil },
		Now:  time.Now, Sleep: Sleep, Rand: func() float64 { return 0.5 }, Hidden: time.Minute,
	}}
	perRow := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/messages/rows, "ns/row")
	}
	b.Run("unpack-floor", func(b *testing.B) {
		for b.Loop() {
			u := &envelope.Unpacker{}
			for _, text := range chunks {
				c, err := u.Unpack(text)
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range c.Rows {
					if !r.Object.IsValid() {
						b.Fatal("not JSON")
					}
				}
			}
		}
		perRow(b)
	})
	b.Run("worker", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			answer, err := h.Invoke(b.Context(), event)
			if err != nil || string(answer) != string(sqs.EncodeFailures(nil)) {
				b.Fatalf("%v %s", err, answer)
			}
		}
		perRow(b)
	})
}

func sampleEvent(b *testing.B, messages, rows int) (event []byte, chunks [][]byte) {
	p := &envelope.Packer{}
	var deliveries []envelope.Delivery
	for m := range messages {
		c := envelope.Chunk{Run: "bench.q1", Version: version.ID, Batch: fmt.Sprint(m), Mode: run.Incremental, Sequence: int64(m)}
		for n := range rows {
			i := m*rows + n
			c.Rows = append(c.Rows, envelope.Row{Number: n, Object: jsontext.Value(fmt.Sprintf(`{"CUSTOMER_ID":"cust_%07d","EMAIL":"john.doe@company-%07d.com","COMPANY_NAME":"COMPANY NUMBER %07d","HEALTH_SCORE_PCT":%d.5,"CUSTOMER_HEALTH_STATUS":"At Risk","USAGE_SCORE_PCT":%d,"SUPPORT_SCORE_PCT":%d,"HEALTH_SCORE_UPDATED_DATE":"2026-01-15 10:30:%02d.000","DAILY_ACTIVE_USERS":%d,"RECOMMENDED_ACTION":"Review support ticket themes"}`,
				i, i, i, i%100, i%97, i%89, i%60, i%500))})
		}
		text := p.Pack(c)
		chunks = append(chunks, text)
		deliveries = append(deliveries, envelope.Delivery{ID: fmt.Sprint(m), Receipt: "r", Group: fmt.Sprint(m % 4), Receives: 1, SentAt: time.Now(), Body: text})
	}
	return sqs.EncodeEvent(deliveries, "arn:aws:sqs:local:000000000000:bench"), chunks
}

// nothing stores nothing and delivers everything.
type nothing struct {
	deliver.Runs
	deliver.Errors
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

func (nothing) Version(context.Context, string, string) (syncdef.Version, error) { return version, nil }
func (nothing) Run(context.Context, string) (run.Run, error) {
	return run.Run{ID: "bench.q1", Sync: "bench", Status: run.Open}, nil
}
func (nothing) Connection(context.Context, string) (syncdef.Stored, error) {
	return syncdef.Stored{Connection: syncdef.Connection{Name: "crm", Type: "bench"}}, nil
}
func (nothing) PinAccount(context.Context, string, string) (syncdef.Stored, error) {
	return syncdef.Stored{}, nil
}
func (nothing) Pace(context.Context, string) (pace.State, error)  { return pace.State{}, nil }
func (nothing) SetPace(context.Context, string, pace.State) error { return nil }
func (nothing) Slow(context.Context, string, time.Time) error     { return nil }
func (nothing) Halt(context.Context, string, string) (run.Halt, error) {
	return run.Halt{}, run.ErrNotFound
}
func (nothing) SetHalt(context.Context, run.Halt) error          { return nil }
func (nothing) DeleteHalt(context.Context, string, string) error { return nil }
func (nothing) Chunk(context.Context, string, string, int) (run.Chunk, error) {
	return run.Chunk{}, nil
}
func (nothing) StartChunk(context.Context, string, string, int, run.Start) error { return nil }
func (nothing) ReturnChunk(context.Context, string, string, int, int, time.Time, time.Time) error {
	return nil
}
func (nothing) RecordChunk(context.Context, string, string, int, run.Chunk) (bool, error) {
	return true, nil
}
func (nothing) Entries(context.Context, string, []string) (map[string]ledger.Entry, error) {
	return nil, nil
}
func (nothing) Commit(context.Context, string, []ledger.Entry) ([]int, error) { return nil, nil }
func (nothing) Lease(_ context.Context, _ string, _ []pace.Window, want int, _ time.Time) (int, time.Duration, error) {
	return want, 0, nil
}
func (nothing) Identity(context.Context) (string, error)                  { return "", nil }
func (nothing) Probe(context.Context) error                               { return nil }
func (nothing) APICalls() int64                                           { return 0 }
func (n nothing) Open(syncdef.Version) (dest.Destination, error)          { return n, nil }
func (nothing) Hide(context.Context, string, string, time.Duration) error { return nil }
func (nothing) Limits() dest.Limits                                       { return dest.Limits{Concurrency: 1} }
func (nothing) Lookups(dest.Batch) []dest.Call                            { return nil }
func (nothing) Lookup(context.Context, dest.Batch, dest.Call) ([]dest.Outcome, error) {
	return nil, nil
}

func (nothing) Calls(b dest.Batch, _ int) []dest.Call {
	var calls []dest.Call
	for i := range b.Records {
		if i%200 == 0 {
			calls = append(calls, dest.Call{Records: make([]int, 0, 200), Costs: []dest.Cost{{Tokens: 1}}})
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

func (nothing) Push(_ context.Context, _ dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	outcomes := make([]dest.Outcome, len(c.Records))
	for i := range outcomes {
		outcomes[i] = dest.Outcome{Status: dest.Delivered, ID: "001"}
	}
	return outcomes, nil
}
