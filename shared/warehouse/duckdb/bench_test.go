//go:build cgo

package duckdb

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

// newFastGateway answers every row alike and does as little as it can, so that
// the benchmark shows the client's side.
func newFastGateway(b *testing.B, answer []byte) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(r)
		if err != nil {
			b.Error(err)
			return
		}
		n := bytes.Count(body, []byte(`,"sf_health",`))
		out := append(make([]byte, 0, n*(len(answer)+8)), `{"data":[`...)
		for i := range n {
			if i > 0 {
				out = append(out, ',')
			}
			out = strconv.AppendInt(append(out, '['), int64(i), 10)
			out = append(append(append(out, ','), answer...), ']')
		}
		if _, err := w.Write(append(out, `]}`...)); err != nil {
			b.Error(err)
		}
	}))
	b.Cleanup(s.Close)
	return s.URL
}
