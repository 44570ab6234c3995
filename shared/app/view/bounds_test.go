package view_test

import (
	"testing"

	"github.com/penstock-data/penstock/shared/app/view/viewtest"
)

// With 50 syncs and 100,000 errors a page asks at most five times and reads at most 200
// items; one that finds no error looks further.
func TestBounds(t *testing.T) {
	c, r := viewtest.Open(t, 50, 100_000)
	viewtest.Bounds(t, r, 50, 100_000, c.Count)
}

// BenchmarkPage reads each page with one sync and ten errors, and with 50 and 100,000.
// infra/ratios bounds the console's BenchmarkPages, which read the same and write it.
func BenchmarkPage(b *testing.B) {
	for _, size := range []struct {
		name        string
		syncs, errs int
	}{{"few", 1, 10}, {"many", 50, 100_000}} {
		_, r := viewtest.Open(b, size.syncs, size.errs)
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
