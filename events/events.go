// Package events holds one sample event per function and case, as Lambda would
// hand it over. The files serve `sam local invoke -e` and the tests, which read
// them through this package; no function links it. README.md says what each
// shows.
package events

import (
	"bytes"
	"embed"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

//go:embed *.json
var files embed.FS

// Read is the sample NAME.json.
func Read(name string) ([]byte, error) {
	b, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("read sample event %q: %w", name, err)
	}
	return b, nil
}

// Names are the stored samples, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the embedded folder is always there
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".json")
	}
	return names
}

// Oversize is the sample push-oversize, which would be too large to store: three
// rows, of which the middle one carries a note of 4.4 MB. It is one request of
// Snowflake's, plain, and in base64 it just fits Lambda's 6 MB.
func Oversize() []byte {
	row := func(id, note string) []jsontext.Value {
		return []jsontext.Value{
			jsontext.Value(`"salesforce_customer_health"`),
			jsontext.Value(`{"CUSTOMER_ID":"` + id + `","EMAIL":"` + id + `@example.com","COMPANY_NAME":"EXAMPLE","HEALTH_SCORE_PCT":50,` +
				`"CUSTOMER_HEALTH_STATUS":"Healthy","USAGE_SCORE_PCT":50,"SUPPORT_SCORE_PCT":50,` +
				`"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:30:00.000","NOTE":"` + note + `"}`),
		}
	}
	large := string(bytes.Repeat([]byte("penstock "), 4_400_000/9))
	body := snowflake.EncodeRequest(nil, [][]jsontext.Value{row("cust_001", ""), row("cust_002", large), row("cust_003", "")})
	query := "01b1a2c3-0604-8f1e-0000-000000000005"
	header := http.Header{}
	for name, value := range map[string]string{
		"Content-Type":                   "application/json",
		snowflake.HeaderFormat:           "json",
		snowflake.HeaderFormatVersion:    "1.0",
		snowflake.HeaderQueryID:          query,
		snowflake.HeaderBatchID:          query + ":1:1:0:0",
		snowflake.HeaderName:             "PENSTOCK_PUSH",
		snowflake.HeaderName + "-base64": "UEVOU1RPQ0tfUFVTSA==",
	} {
		header[name] = []string{value}
	}
	return gateway.EncodeRequest("POST", "/push", header, nil, body)
}
