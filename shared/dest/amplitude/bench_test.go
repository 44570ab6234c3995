package amplitude_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// atOnce answers every batch of 2,000 without a network.
type atOnce struct{}

func (atOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(`{"code":200,"events_ingested":2000}`)))}, nil
}

// BenchmarkPush is what 2,000 users of five properties cost, in one call.
func BenchmarkPush(b *testing.B) {
	account, err := amplitude.Vendor.Open(dest.Config{
		Connection: syncdef.Connection{Name: "c", URL: "https://api2.amplitude.com"}, HTTP: &http.Client{Transport: atOnce{}},
		Secret: func(context.Context) (map[string]string, error) { return map[string]string{"api_key": apiKey}, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	const n = 2000
	batch := dest.Batch{Records: make([]dest.Record, n)}
	for i := range batch.Records {
		batch.Records[i] = rec(fmt.Sprintf("user-%d", i), "daily_active_users", fmt.Sprint(i), "feature_adoption", "0.85", "api_calls_trend", `"rising"`, "plan", `"enterprise"`, "active", "true")
	}
	b.ReportAllocs()
	for k := 0; b.Loop(); k++ {
		d, err := account.Open(syncdef.Version{Definition: syncdef.Definition{Sync: "s"}})
		if err != nil {
			b.Fatal(err)
		}
		for i := range batch.Records {
			batch.Records[i].Key = fmt.Sprintf("user-%d-%d", k, i) // nobody is updated too often
		}
		calls := d.Calls(batch, 0)
		if len(calls) != 1 {
			b.Fatalf("%d calls", len(calls))
		}
		if _, err := d.Push(b.Context(), batch, calls[0]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "rows/s")
}
