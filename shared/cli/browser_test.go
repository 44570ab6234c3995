package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A tab is a page of a real browser, and what its console said.
type tab struct {
	ctx  context.Context
	axe  string // axe-core's source
	mu   sync.Mutex
	said []string
}

// patience bounds each wait for the browser: a condition that does not come within it is
// a fault of the page.
const browserPatience = 60 * time.Second

// openTab starts Chromium, which PENSTOCK_CHROMIUM names, with axe-core, which PENSTOCK_AXE
// names; .ci/run browser sets both.
func openTab(t *testing.T) *tab {
	t.Helper()
	path, axe := os.Getenv("PENSTOCK_CHROMIUM"), os.Getenv("PENSTOCK_AXE")
	if path == "" {
		t.Skip("PENSTOCK_CHROMIUM names no browser: bash .ci/run browser sets it")
	}
	source, err := os.ReadFile(axe)
	if err != nil {
		t.Fatal("PENSTOCK_AXE names no axe-core: ", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-background-networking", true))
	allocator, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	b := &tab{ctx: ctx, axe: string(source)}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // without a limit, which would be the browser's
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	go func() {
		for m, err := range console {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.said = append(b.said, m.String()+" "+m.URL)
			b.mu.Unlock()
		}
	}()
	return b
}

// do acts on the page within browserPatience.
func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask evaluates an expression on the page.
func ask[T any](t *testing.T, b *tab, expression string, options ...chromedp.EvaluateOption) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return out
}

// until waits until an expression is true on the page.
func (b *tab) until(t *testing.T, expression string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void]("Boolean("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(browserPatience))); err != nil {
		shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
		t.Fatalf("%s: %v; the page shows:\n%s", expression, err, shown)
	}
}

// look makes the page so wide, light or dark.
func (b *tab) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	b.do(t, chromedp.EmulateViewport(width, 800), func(ctx context.Context, page *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return chromedp.Void{}, err
	})
}

// A fault is what axe-core finds wrong with a page.
type axeFault struct {
	ID, Impact, Help string
	Nodes            []string
}

// accessible fails for the faults of a page that axe-core calls serious or critical.
func (b *tab) accessible(t *testing.T, page string) {
	t.Helper()
	if !ask[bool](t, b, "typeof axe === 'object'") {
		ask[chromedp.Void](t, b, b.axe+";undefined")
	}
	text := ask[string](t, b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations
		.map(v => ({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => n.html)}))))`, chromedp.EvalAwaitPromise)
	var faults []axeFault
	if err := json.Unmarshal([]byte(text), &faults); err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		if f.Impact == "serious" || f.Impact == "critical" {
			t.Errorf("%s: %s: %s (%s): %s", page, f.Impact, f.Help, f.ID, strings.Join(f.Nodes, "\n"))
		}
	}
}

// picture keeps a screenshot where PENSTOCK_PICTURES names a folder.
func (b *tab) picture(t *testing.T, name string, whole bool) {
	t.Helper()
	dir := os.Getenv("PENSTOCK_PICTURES")
	if dir == "" {
		return
	}
	shoot := chromedp.CaptureScreenshot()
	if whole {
		shoot = chromedp.FullScreenshot(100)
	}
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	shot, err := chromedp.Run(ctx, shoot)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// quiet fails for what the browser's console said.
func (b *tab) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.said {
		t.Error("the console said: ", line)
	}
}
