package console

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/penstock-data/penstock/shared/app/view/viewtest"
)

// noBrowser is the line by which infra/ratios knows that nothing was measured.
const noBrowser = "BenchmarkPagesInBrowser: not measured: no browser (PENSTOCK_CHROMIUM names one)"

// chromium is the browser that PENSTOCK_CHROMIUM names, or one of the usual names; "" where
// there is none.
func chromium() string {
	for _, name := range []string{os.Getenv("PENSTOCK_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// sizes are the states that pages are compared over.
var sizes = []struct {
	name        string
	syncs, errs int
}{{"few", 1, 10}, {"many", 50, 100_000}}

// A measured browser is a tab, and a server at one address that shows either state: of two
// addresses the second would be another site's, and each change between them a new process
// of the browser.
type measured struct {
	ctx  context.Context
	base string
	size atomic.Int32 // which state is shown
	ages atomic.Int64 // how often the clock was put forward
}

// loadsIn opens the browser over consoles of both states.
func loadsIn(b *testing.B, path string) *measured {
	m := &measured{}
	var doors []http.Handler
	for _, size := range sizes {
		_, r := viewtest.OpenFile(b, size.syncs, size.errs)
		now := func() time.Time { return viewtest.Now().Add(time.Duration(m.ages.Load()) * time.Minute) }
		c, err := New(Config{Pages: r, Errors: r, Wake: func(ctx context.Context) bool { <-ctx.Done(); return false }, Now: now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		doors = append(doors, withSession(b, c))
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { doors[m.size.Load()].ServeHTTP(w, r) }))
	b.Cleanup(s.Close)
	m.base = s.URL
	allocator, end := chromedp.NewExecAllocator(b.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true))...)
	b.Cleanup(end)
	tab, closeTab := chromedp.NewContext(allocator)
	b.Cleanup(closeTab)
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank"), chromedp.EmulateViewport(1280, 800)); err != nil {
		b.Fatal(err)
	}
	m.ctx = tab
	return m
}

// withSession lets everybody in.
func withSession(b *testing.B, c *Console) http.Handler {
	in := httptest.NewRecorder()
	c.ServeHTTP(in, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1"+c.Open(), nil))
	cookie := in.Result().Cookies()[0]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mine := *cookie
		mine.Name = cookieName(r)
		r.AddCookie(&mine)
		c.ServeHTTP(w, r)
	})
}

// load opens a page of a state as somebody does who has not looked at it for a while, and
// answers the milliseconds from the start of the navigation to the load event.
func (m *measured) load(b *testing.B, size int, path string) float64 {
	m.size.Store(int32(size))
	m.ages.Add(1)
	ctx, cancel := context.WithTimeout(m.ctx, time.Minute)
	defer cancel()
	const took = `(e => ({ms: e.loadEventStart - e.startTime, status: e.responseStatus}))(performance.getEntriesByType("navigation")[0])`
	// Each load leaves the same page, so that taking down a large one is nobody's load.
	if err := chromedp.Do(ctx, chromedp.Navigate(m.base+"/audit"), chromedp.Navigate(m.base+path)); err != nil {
		b.Fatal(err)
	}
	out, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
		MS     float64 `json:"ms"`
		Status int     `json:"status"`
	}](took))
	if err != nil || out.Status != http.StatusOK || out.MS <= 0 {
		b.Fatalf("%s: %+v, %v", path, out, err)
	}
	return out.MS
}

// pairs is how many loads of each state are one operation.
const pairs = 10

// BenchmarkPagesInBrowser is what a person waits for: each page in a real browser over HTTP
// and a state's file, with one sync and ten errors in turn with 50 and 100,000. infra/ratios
// bounds the second by the first.
func BenchmarkPagesInBrowser(b *testing.B) {
	path := chromium()
	if path == "" {
		fmt.Println(noBrowser)
		b.Skip(noBrowser)
	}
	m := loadsIn(b, path)
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		b.Run(name, func(b *testing.B) {
			var took [2][]float64
			for size := range sizes { // what is read for the first time
				m.load(b, size, asked[name])
			}
			for b.Loop() {
				for n := range pairs {
					for turn := range sizes {
						size := (turn + n) % 2
						took[size] = append(took[size], m.load(b, size, asked[name]))
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			for size, all := range took {
				slices.Sort(all)
				b.ReportMetric(all[len(all)/2], sizes[size].name+"-ms")
				b.ReportMetric(all[0], sizes[size].name+"-least-ms") // what others on the machine disturbed least
			}
			b.ReportMetric(float64(len(took[0])), "loads")
		})
	}
}
