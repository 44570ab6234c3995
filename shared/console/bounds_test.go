package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/penstock-data/penstock/shared/app/view/viewtest"
)

// asked are the pages of a state that viewtest filled.
var asked = map[string]string{
	"overview": "/", "run": "/run/" + viewtest.LastRun(), "sync": "/sync/" + viewtest.Name(0), "errors": "/errors", "errors_of_a_sync": "/errors?sync=" + viewtest.Name(0),
	"errors_of_a_type": "/errors?sync=" + viewtest.Name(0) + "&type=TYPE_07", "search": "/errors?text=nothing+says+this",
	"record": "/record?connection=" + viewtest.Connection + "&key=k0",
}

// filled is a console over a state with so many syncs and errors, and how it asks for a page.
func filled(t testing.TB, syncs, errs int) (*viewtest.Counted, func(path string) *httptest.ResponseRecorder) {
	t.Helper()
	counted, r := viewtest.Open(t, syncs, errs)
	c, err := New(Config{Pages: r, Errors: r, Wake: func(context.Context) bool { return false }, Now: viewtest.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRecorder()
	c.ServeHTTP(in, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1"+c.Open(), nil))
	cookies := in.Result().Cookies()
	return counted, func(path string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1"+path, nil)
		for _, cookie := range cookies {
			req.AddCookie(cookie)
		}
		out := httptest.NewRecorder()
		c.ServeHTTP(out, req)
		if out.Code != http.StatusOK {
			t.Fatalf("%s: %d: %.300s", path, out.Code, out.Body)
		}
		return out
	}
}

// With 50 syncs and 100,000 errors a page asks the storage at most five times, and reads at
// most 200 items; one that finds no error looks further.
func TestPagesKeepToTheirBounds(t *testing.T) {
	counted, get := filled(t, 50, 100_000)
	for name, path := range asked {
		counted.Count()
		get(path)
		queries, items := counted.Count()
		t.Logf("%s: %d queries, %d items", name, queries, items)
		if mostQueries, mostItems := viewtest.Most(name); queries == 0 || queries > mostQueries || items > mostItems {
			t.Errorf("%s: %d queries and %d items, at most %d and %d", name, queries, items, mostQueries, mostItems)
		}
	}
}

// BenchmarkPages asks for each page with one sync and ten errors, and with 50 and 100,000:
// what the console itself takes. BenchmarkPagesInBrowser measures what people wait for.
func BenchmarkPages(b *testing.B) {
	for _, size := range sizes {
		counted, get := filled(b, size.syncs, size.errs)
		for name, path := range asked {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				counted.Count()
				n := 0
				for b.Loop() {
					get(path)
					n++
				}
				queries, _ := counted.Count()
				b.ReportMetric(float64(queries)/float64(n), "queries/op")
			})
		}
	}
}
