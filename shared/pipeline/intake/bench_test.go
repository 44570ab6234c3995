package intake_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// sink is a queue that takes all.
type sink struct{}

func (sink) Send(_ context.Context, _ string, m []envelope.Message) ([]bool, error) {
	return make([]bool, len(m)), nil
}
func (sink) Depth(context.Context, string) (int, error) { return 0, nil }

// BenchmarkPush is the intake's own work for a row of a usual width, in batches of
// 2,000.
func BenchmarkPush(b *testing.B) {
	clock := func() time.Time { return noon }
	store, err := sqlite.Open("", clock)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	d := syncdef.Definition{
		Sync: syncName, Connection: "prod", Object: "Account", Strategy: syncdef.MatchEmailDomain,
		Match: syncdef.Match{Source: "email", Destination: "Website"}, RecordID: []string{"customer_id"}, Lanes: 4,
		Incremental: &syncdef.Incremental{Cursor: "updated"},
	}
	for n, kind := range []syncdef.Type{syncdef.Number, syncdef.String, syncdef.String, syncdef.DateTime} {
		d.Fields = append(d.Fields, syncdef.Field{Source: fmt.Sprintf("c%d", n), Destination: fmt.Sprintf("F%d", n), Type: kind, OnNull: syncdef.ClearNull})
	}
	v := syncdef.NewVersion(d, syncdef.Rules{Type: queue, Identity: row.Identity{Steps: []row.Step{row.StepDomain}}}, noon)
	if err := store.Apply(b.Context(), v); err != nil {
		b.Fatal(err)
	}
	if err := store.PutConnection(b.Context(), syncdef.Connection{Name: "prod", Type: queue}); err != nil {
		b.Fatal(err)
	}
	in := &intake.Intake{Syncs: store, Connections: store, Runs: store, Batches: store, Chunks: store, Errors: store, Queue: sink{}, Now: clock}
	const rows = 2000
	var objects []string
	for n := range rows {
		objects = append(objects, fmt.Sprintf(`{"customer_id":%d,"email":"jane.doe%d@company%d.com","c0":0.%d,"c1":"Company %d Ltd","c2":"At Risk","c3":"2026-01-05 10:%02d:00","updated":"2026-01-05 10:%02d:%02d.123"}`, n, n, n, n+1, n, n%60, n/60%60, n%60))
	}
	b.ResetTimer()
	for n := range b.N {
		if _, err := in.Push(b.Context(), batch(syncName, fmt.Sprint(n), objects...)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
