package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// A stack is a whole Penstock in this process, with its simulators and its console.
type stack struct {
	*place
	gate *gate
	base string // of the console's addresses
}

// newStack serves the syncs of a folder until the test ends, as penstock local does; what the
// console reads by its clock is later than the rest.
func newStack(t *testing.T, data, syncs string, later time.Duration) *stack {
	t.Helper()
	now := func() time.Time { return time.Now().Add(later) }
	s := program{out: io.Discard, err: os.Stderr, clock: clock{now: now, zone: time.UTC}, known: listed()}
	c := localCmd{Data: data, Listen: "127.0.0.1:0", Syncs: syncs, Quiet: 200 * time.Millisecond, tells: true}
	c.AcceptNames = true
	p, err := c.start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	p.run(ctx, g)
	if err := c.console(ctx, s, p, g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := stop(g, p); err != nil {
			t.Error(err)
		}
	})
	return &stack{place: p, gate: &gate{url: p.machine.URL}, base: "http://" + p.page.listener.Addr().String()}
}

// begin begins a run.
func (s *stack) begin(t *testing.T, sync string) string {
	t.Helper()
	var out struct{ Run string }
	if err := s.gate.call(t.Context(), wire.Begin, &out, sync, "full"); err != nil || out.Run == "" {
		t.Fatal(out, err)
	}
	return out.Run
}

// push pushes rows to a run in one request.
func (s *stack) push(t *testing.T, run string, rows ...map[string]any) {
	t.Helper()
	var body struct {
		Data [][]any `json:"data"`
	}
	for i, r := range rows {
		body.Data = append(body.Data, []any{i, run, r})
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.machine.URL+"/push", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(snowflake.HeaderBatchID, fmt.Sprintf("%s %x", run, sha256.Sum256(text)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, string(answer))
	}
}

// finish finishes a run and waits until it has ended.
func (s *stack) finish(t *testing.T, id string, rows int) {
	t.Helper()
	var out struct{}
	if err := s.gate.call(t.Context(), wire.Finish, &out, id, rows); err != nil {
		t.Fatal(err)
	}
	ended := func() bool {
		r, err := s.machine.Store.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return r.Status.Ended()
	}
	for wait := wake(20 * time.Millisecond); !ended(); {
		if !wait(t.Context()) {
			t.Fatal("the run does not end")
		}
	}
}

// contact is a row of hubspot_health.
func contact(n int) map[string]any {
	return map[string]any{"customer_id": fmt.Sprintf("cust_%05d", n), "email": mailbox(n), "ltv_usd": 100 + n, "ltv_segment": "high", "updated_at": "2026-11-26 08:00:00"}
}

func mailbox(n int) string { return fmt.Sprintf("person%05d@example.com", n) }

func contacts(from, to int) (rows []map[string]any) {
	for n := from; n < to; n++ {
		rows = append(rows, contact(n))
	}
	return rows
}

// refusing makes the simulated destination refuse these records until the function is called.
func (s *stack) refusing(t *testing.T, kind, code, message string, names ...string) (heal func()) {
	t.Helper()
	core := s.box.Simulated[kind].Core()
	if err := core.AddFault(sandbox.Fault{FailRecords: names, Count: -1, Code: code, Message: message}); err != nil {
		t.Fatal(err)
	}
	return core.ClearFaults
}

// TestConsoleInBrowser drives the console in a real browser over a whole stack of one
// machine: every view loads, a run's progress moves by itself, and what is wrong is found
// and mended at the page.
func TestConsoleInBrowser(t *testing.T) {
	b := openTab(t)
	s := newStack(t, t.TempDir(), "../../sql/syncs", 0)
	heal := s.refusing(t, "hubspot", "INVALID_EMAIL", "Email address is invalid", mailbox(1), mailbox(2))
	first := s.begin(t, "hubspot_health")
	s.push(t, first, contacts(0, 20)...)
	s.finish(t, first, 20)

	b.look(t, 1280, "light")
	b.do(t, chromedp.Navigate(s.page.url()))
	if at := ask[string](t, b, "location.pathname + location.search"); at != "/" {
		t.Errorf("the token stays in the address: %s", at)
	}
	t.Run("views", func(t *testing.T) { s.views(t, b, first) })
	t.Run("keyboard", func(t *testing.T) { s.keyboard(t, b) })
	t.Run("live", func(t *testing.T) { s.live(t, b) })
	t.Run("retry", func(t *testing.T) { s.retryAtThePage(t, b, first, heal) })
	t.Run("pause", func(t *testing.T) { s.pauseAtThePage(t, b) })
	b.quiet(t)
}

// A viewed is a page and what it says.
type viewed struct{ name, path, says string }

// pages are all pages, after the first run of TestConsoleInBrowser.
func (s *stack) pages(t *testing.T, id string) []viewed {
	t.Helper()
	errs, _, err := s.machine.Store.RunErrors(t.Context(), id, 1, "")
	if err != nil || len(errs) != 1 {
		t.Fatal(errs, err)
	}
	return []viewed{
		{"overview", "/", "hubspot_health"},
		{"errors", "/errors", "The newest 2 errors"},
		{"error", "/error?ref=" + url.QueryEscape(errs[0].Ref()), `"email": "person0000`},
		{"run", "/run/" + id, "Errors of 2 rows"},
		{"sync", "/sync/hubspot_health", "ltv_segment"},
		{"record", "/record?connection=hubspot_prod&key=" + url.QueryEscape(mailbox(3)), "Held"},
		{"audit", "/audit", "Audit"},
		{"confirm", "/confirm/retry?run=" + id, "Send 2 rows again"},
	}
}

// views opens every page, wide and on a phone, light and dark.
func (s *stack) views(t *testing.T, b *tab, id string) {
	for _, v := range s.pages(t, id) {
		for _, look := range []struct {
			width  int64
			scheme string
		}{{1280, "light"}, {1280, "dark"}, {360, "light"}, {320, "dark"}} {
			b.look(t, look.width, look.scheme)
			b.do(t, chromedp.Navigate(s.base+v.path), chromedp.WaitReady("#content"))
			if text := ask[string](t, b, "document.body.innerText"); !strings.Contains(text, v.says) {
				t.Errorf("%s does not say %q:\n%s", v.path, v.says, text)
			}
			name := fmt.Sprintf("%s, %d px, %s", v.name, look.width, look.scheme)
			if over := ask[int](t, b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s is %d px too wide", name, over)
			}
			b.accessible(t, name)
			b.picture(t, fmt.Sprintf("%s-%d-%s", v.name, look.width, look.scheme), true)
		}
	}
	b.look(t, 1280, "light")
}

// keyboard reaches the content and the first sync without a mouse.
func (s *stack) keyboard(t *testing.T, b *tab) {
	b.do(t, chromedp.Navigate(s.base+"/"), chromedp.WaitReady("#content"), chromedp.KeyEvent(kb.Tab))
	if on := ask[string](t, b, "document.activeElement.textContent"); on != "Skip to the content" {
		t.Errorf("the first stop is %q", on)
	}
	if ask[string](t, b, "getComputedStyle(document.activeElement).outlineStyle") == "none" {
		t.Error("the focus is not seen")
	}
	b.do(t, chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if on := ask[string](t, b, "document.activeElement.closest('main') ? document.activeElement.pathname : 'outside'"); !strings.HasPrefix(on, "/sync/") {
		t.Errorf("the stop after the skip link is %s", on)
	}
	b.do(t, chromedp.KeyEvent(kb.Enter), chromedp.WaitReady("h1"))
	b.until(t, "location.pathname.startsWith('/sync/')")
}

// live looks at a run that goes on: it moves without a reload.
func (s *stack) live(t *testing.T, b *tab) {
	id := s.begin(t, "hubspot_health")
	s.push(t, id, contacts(100, 110)...)
	b.do(t, chromedp.Navigate(s.base+"/run/"+id), chromedp.WaitReady("#settled"))
	ask[bool](t, b, "window.stayed = true")
	b.until(t, `document.querySelector("#settled").textContent === "10 of 10 settled"`)
	b.until(t, `document.querySelector("#pulse").textContent === "live"`)
	s.push(t, id, contacts(110, 135)...)
	b.until(t, `document.querySelector("#settled").textContent === "35 of 35 settled"`)
	if got := ask[string](t, b, `document.querySelector("progress").value + "/" + document.querySelector("progress").max`); got != "35/35" {
		t.Errorf("the bar stands at %s", got)
	}
	s.finish(t, id, 35)
	b.until(t, `document.querySelector(".badge").textContent.includes("Succeeded")`)
	if !ask[bool](t, b, "window.stayed === true") {
		t.Error("the page was loaded again")
	}
	b.do(t, chromedp.Navigate(s.base+"/"), chromedp.WaitReady("#live"))
	going := `document.querySelector("#sync-hubspot_health .going")`
	next := s.begin(t, "hubspot_health")
	s.push(t, next, contacts(200, 207)...)
	b.until(t, going+`?.textContent.includes("7 of 7")`) // the overview's row moves, too
	s.finish(t, next, 7)
	b.until(t, "!"+going)
}

// retryAtThePage finds the errors at the overview, opens one, mends what is wrong, and sends
// all rows again.
func (s *stack) retryAtThePage(t *testing.T, b *tab, id string, heal func()) {
	b.do(t, chromedp.Navigate(s.base+"/errors?run="+id), chromedp.WaitReady("tbody tr"))
	b.do(t, chromedp.Click("tbody tr a"), chromedp.WaitReady("#source"))
	if text := ask[string](t, b, "document.body.innerText"); !strings.Contains(text, "HubSpot takes the value for no email address") {
		t.Errorf("the error does not give its reason:\n%s", text)
	}
	heal()
	b.do(t, chromedp.Navigate(s.base+"/run/"+id), chromedp.WaitReady("table.groups"))
	b.do(t, chromedp.Click("table.groups td.acts a.button"), chromedp.WaitReady("form[action='/do/retry']"))
	if text := ask[string](t, b, "document.body.innerText"); !strings.Contains(text, "Up to 2 rows of hubspot_health") || !strings.Contains(text, "retry "+id+" --type INVALID_EMAIL") {
		t.Errorf("it does not ask about the group:\n%s", text)
	}
	b.do(t, chromedp.Click("form button"), chromedp.WaitReady("#said"))
	if text := ask[string](t, b, `document.querySelector("#said").textContent`); !strings.Contains(text, "2 rows are sent again") {
		t.Errorf("it says %q", text)
	}
	b.do(t, chromedp.Click("a.main"), chromedp.WaitReady("#settled"))
	b.until(t, `document.body.innerText.includes("2 rows delivered since by retries")`)
	all, err := s.machine.Runs.Actions(t.Context(), time.Now().Add(-time.Hour), 10)
	if err != nil || len(all) == 0 || all[0].What != "retry" || all[0].Who != consoleUser() || all[0].Result != run.ActionDone {
		t.Errorf("the audit log says %+v, %v", all, err)
	}
	b.do(t, chromedp.Navigate(s.base+"/audit"), chromedp.WaitReady("tbody tr"))
	if text := ask[string](t, b, "document.body.innerText"); !strings.Contains(text, consoleUser()) {
		t.Errorf("the audit page does not tell of it:\n%s", text)
	}
}

// pauseAtThePage pauses a sync with a reason, and lets it go on.
func (s *stack) pauseAtThePage(t *testing.T, b *tab) {
	b.do(t, chromedp.Navigate(s.base+"/sync/slack_alerts"), chromedp.WaitReady("h1"))
	b.do(t, chromedp.Click("a[href^='/confirm/pause']"), chromedp.WaitReady("input[name=reason]"))
	b.do(t, chromedp.SendKeys("input[name=reason]", "the channel moves"), chromedp.Click("form button"), chromedp.WaitReady("#said"))
	p, paused, err := s.machine.Runs.Paused(t.Context(), "slack_alerts")
	if err != nil || !paused || p.Reason != "the channel moves" || p.By != consoleUser() {
		t.Fatalf("%+v, %v, %v", p, paused, err)
	}
	b.do(t, chromedp.Navigate(s.base+"/"), chromedp.WaitReady("#live"))
	b.until(t, `document.getElementById("sync-slack_alerts").textContent.includes("Paused")`)
	b.do(t, chromedp.Navigate(s.base+"/confirm/resume?sync=slack_alerts"), chromedp.Click("form button"), chromedp.WaitReady("#said"))
	if _, paused, err := s.machine.Runs.Paused(t.Context(), "slack_alerts"); err != nil || paused {
		t.Errorf("it is still paused: %v, %v", paused, err)
	}
}
