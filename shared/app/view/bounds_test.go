package view_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/app/view/viewtest"
	"github.com/penstock-data/penstock/shared/sqlite"
)

func filled(t testing.TB, syncs, errs int) (*viewtest.Counted, *view.Reader) {
	t.Helper()
	now := func() time.Time { return viewtest.Start.Add(time.Minute) }
	s, err := sqlite.Open("", now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	viewtest.Fill(t, s, syncs, errs)
	c := viewtest.Count(s)
	return c, view.New(view.Config{Stores: c.Stores(), Now: now})
}

// With 50 syncs and 100,000 errors a page asks at most five times and reads at most 200
// items.
func TestBounds(t *testing.T) {
	c, r := filled(t, 50, 100_000)
	viewtest.Bounds(t, r, 50, 100_000, c.Count)
}

// BenchmarkPage reads each page with one sync and ten errors, and with 50 and 100,000: at
// most three times as long (infra/ratios).
func BenchmarkPage(b *testing.B) {
	for _, size := range []struct {
		name        string
		syncs, errs int
	}{{"few", 1, 10}, {"many", 50, 100_000}} {
		_, r := filled(b, size.syncs, size.errs)
		for name, page := range viewtest.Pages {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				for b.Loop() {
					if err := page(b.Context(), r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
