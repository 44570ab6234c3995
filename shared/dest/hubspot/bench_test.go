package hubspot_test

import (
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
)

// BenchmarkPush pushes calls of 100 contacts over loopback HTTP; rows/s has the simulator
// in it, and calls/1000rows is 10 where no call is wasted.
func BenchmarkPush(b *testing.B) {
	w := start(b, options(), byEmail)
	batch := dest.Batch{Run: "b:1"}
	for i := range 10_000 {
		batch.Records = append(batch.Records, contact(i))
	}
	calls := w.Calls(batch, 0)
	before := w.account.APICalls()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		out, err := w.Push(b.Context(), batch, calls[i%len(calls)])
		if err != nil || out[0].Status != dest.Delivered {
			b.Fatalf("%+v, %v", out, err)
		}
	}
	rows := float64(b.N * 100)
	b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(w.account.APICalls()-before)/rows*1000, "calls/1000rows")
}
