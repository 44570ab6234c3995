package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/app/view/viewtest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// BenchmarkPages asks for each page with one sync and ten errors, and with 50 and 100,000:
// at most three times as long (infra/ratios).
func BenchmarkPages(b *testing.B) {
	now := func() time.Time { return viewtest.Start.Add(time.Minute) }
	for _, size := range []struct {
		name        string
		syncs, errs int
	}{{"few", 1, 10}, {"many", 50, 100_000}} {
		s, err := sqlite.Open("", now)
		if err != nil {
			b.Fatal(err)
		}
		viewtest.Fill(b, s, size.syncs, size.errs)
		r := view.New(view.Config{Stores: runs.Stores{
			Syncs: s, Connections: s, Runs: s, History: s, Marks: s, Errors: s, Due: s, Ledger: s, Halts: s, Overviews: s, Some: s, Lists: s, Places: s, Told: s,
		}, Now: now})
		c, err := New(Config{Pages: r, Errors: r, Wake: func(context.Context) bool { return false }, Now: now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		in := httptest.NewRecorder()
		c.ServeHTTP(in, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1"+c.Open(), nil))
		cookies := in.Result().Cookies()
		for name, path := range map[string]string{
			"overview": "/", "run": "/run/" + viewtest.LastRun(), "sync": "/sync/" + viewtest.Name(0), "errors": "/errors", "errors_of_a_sync": "/errors?sync=" + viewtest.Name(0),
			"record": "/record?connection=" + viewtest.Connection + "&key=k0",
		} {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				for b.Loop() {
					req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1"+path, nil)
					for _, cookie := range cookies {
						req.AddCookie(cookie)
					}
					out := httptest.NewRecorder()
					c.ServeHTTP(out, req)
					if out.Code != http.StatusOK {
						b.Fatalf("%s: %d: %.300s", path, out.Code, out.Body)
					}
				}
			})
		}
		_ = s.Close()
	}
}
