package rawjson_test

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// A body of rows, which a gateway puts into one string.
func BenchmarkQuote(b *testing.B) {
	body := []byte(strings.Repeat(`[17,{"ACCOUNT_ID":"A-000017","NAME":"Société 17","HEALTH_SCORE":0.5231,"RISK":"High"}],`, 2000))
	dst := make([]byte, 0, 2*len(body))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		dst = rawjson.AppendQuote(dst[:0], body)
	}
}
