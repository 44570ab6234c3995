package intercom_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// at answers every request at once: what is measured is the destination alone.
type at struct{ contact string }

func (a at) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body) // memory
	}
	body := a.contact
	if strings.HasPrefix(r.URL.Path, "/data_attributes") {
		body = `{"type":"list","data":[{"name":"note","full_name":"custom_attributes.note","data_type":"string","api_writable":true,"custom":true}]}`
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// BenchmarkUpdate updates contacts whose ids are known, a call each, against a vendor
// that answers at once.
func BenchmarkUpdate(b *testing.B) {
	def := byExternalID()
	account, err := intercom.Vendor.Open(dest.Config{
		Connection: syncdef.Connection{Name: "intercom_prod", Type: "intercom", URL: "https://api.intercom.io"},
		HTTP:       &http.Client{Transport: at{`{"type":"contact","id":"66a000000000000000000001","external_id":"c","tags":{"type":"list","data":[],"total_count":0,"has_more":false}}`}},
		Secret:     secretOf(func() string { return token }), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	d, err := account.Open(syncdef.NewVersion(def, intercom.Kind.RulesOf(&def, &syncdef.Connection{}), time.Time{}))
	if err != nil {
		b.Fatal(err)
	}
	const rows = 1000
	batch := dest.Batch{}
	for i := range rows {
		r := dest.Record{Key: fmt.Sprintf("c-%d", i), ID: "66a000000000000000000001"}
		r.Fields = []dest.Field{{Name: "name", Value: []byte(`"Customer"`)}, {Name: "note", Value: []byte(`"a note"`)}}
		batch.Records = append(batch.Records, r)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range d.Calls(batch, 0) {
			if out, err := d.Push(context.Background(), batch, c); err != nil || out[0].Status != dest.Delivered {
				b.Fatal(out, err)
			}
		}
	}
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(account.APICalls())/float64(b.N*rows), "calls/row")
}
