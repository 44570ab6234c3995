package wiretest_test

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/redshift"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// benchRows is how many rows of about 350 bytes a request of the benchmark has.
const benchRows = 4096

// benchTable is the rows of one request, the same for every caller.
func benchTable() [][]jsontext.Value {
	rows := make([][]jsontext.Value, benchRows)
	for i := range rows {
		rows[i] = []jsontext.Value{jsontext.Value(`"salesforce_customer_health"`), jsontext.Value(fmt.Sprintf(`{"CUSTOMER_ID":"cust_%06d","EMAIL":"contact.%d@company-%d.example.com",`+
			`"COMPANY_NAME":"COMPANY NUMBER %d INCORPORATED","HEALTH_SCORE_PCT":%d.%02d,"CUSTOMER_HEALTH_STATUS":"Moderate Risk",`+
			`"USAGE_SCORE_PCT":%d.25,"SUPPORT_SCORE_PCT":%d.50,"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:%02d:00.000 +0000"}`,
			i, i, i*7919%100003, i, i%100, i%97, i%89, i%83, i%60))}
	}
	return rows
}

// benchCallers are the protocols with their request of the rows.
func benchCallers() []struct {
	protocol wire.Protocol
	request  wire.Request
} {
	rows := benchTable()
	header := func(name string) string {
		return map[string]string{snowflake.HeaderBatchID: "01b2c3d4:1:1:0:0", snowflake.HeaderQueryID: "01b2c3d4", snowflake.HeaderName: "PENSTOCK_PUSH"}[name]
	}
	direct := redshift.Head{
		Request: "23FF1F97-F28A-44AA-AB67-266ED976BF40", Cluster: "arn:aws:redshift:eu-west-1:123456789012:cluster:warehouse",
		User: "etl", Database: "dev", Function: "public.penstock_push", Query: 5678234, Records: -1,
	}
	remote := bigquery.Request{
		ID: "124ab1c", Job: "//bigquery.googleapis.com/projects/acme/jobs/acme:US.bquxjob_5b4c112c_17961fafeaf", User: "jo@acme.example",
		Context: []string{bigquery.ContextFunction, wire.Push}, Calls: rows,
	}
	return []struct {
		protocol wire.Protocol
		request  wire.Request
	}{
		{snowflake.Protocol, wire.Request{Method: "POST", Path: "/push", Header: header, Body: snowflake.EncodeRequest(nil, rows)}},
		{redshift.Protocol, wire.Request{Body: redshift.EncodeRequest(nil, direct, rows)}},
		{bigquery.Protocol, wire.Request{Method: "POST", Path: "/token/push", Body: remote.Append(nil)}},
	}
}

// BenchmarkProtocols decodes the same rows as each caller sends them, so that their
// cost can be compared within one run.
func BenchmarkProtocols(b *testing.B) {
	for _, c := range benchCallers() {
		b.Run(c.protocol.Name, func(b *testing.B) {
			b.SetBytes(int64(len(c.request.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if batch, err := c.protocol.Decode(c.request); err != nil || len(batch.Rows) != benchRows {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}
