package bigquery_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
)

// The benchmarks use one request of 4,096 rows of about 350 bytes, as Snowflake's do.
const benchRows = 4096

func benchCalls() [][]jsontext.Value {
	rows := make([][]jsontext.Value, benchRows)
	for i := range rows {
		rows[i] = values(`"salesforce_customer_health"`, fmt.Sprintf(`{"customer_id":"cust_%06d","email":"contact.%d@company-%d.example.com",`+
			`"company_name":"COMPANY NUMBER %d INCORPORATED","health_score_pct":%d.%02d,"customer_health_status":"Moderate Risk",`+
			`"usage_score_pct":%d.25,"support_score_pct":%d.50,"health_score_updated_date":"2024-01-15T10:%02d:00.000000Z"}`,
			i, i, i*7919%100003, i, i%100, i%97, i%89, i%83, i%60))
	}
	return rows
}

func benchRequest() wire.Request {
	return post("/token/push", bigquery.Request{ID: "124ab1c", Job: job, User: person, Context: []string{bigquery.ContextFunction, wire.Push}, Calls: benchCalls()})
}

func perRow(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkReply(b *testing.B) {
	batch, err := bigquery.Decode(benchRequest())
	if err != nil {
		b.Fatal(err)
	}
	answers := make([]row.Answer, benchRows)
	for i := range answers {
		answers[i] = row.Answer{Status: row.Queued, Run: "salesforce_customer_health.q0123456789abcdef", RecordID: "cust_000001"}
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := bigquery.Protocol.Answer(&batch, answers)
		if err != nil || r.Status != 200 || !bytes.HasPrefix(r.Body, []byte(`{"replies":[`)) {
			b.Fatal(r.Status, err)
		}
	}
	perRow(b)
}
