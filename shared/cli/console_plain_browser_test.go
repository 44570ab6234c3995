package cli

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// noScripts keeps the pages that are opened from now on from running any script.
func (b *tab) noScripts(t *testing.T) {
	t.Helper()
	b.do(t, func(ctx context.Context, page *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, page, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}

// follow acts on the page, and waits for the page that this leads to.
func (b *tab) follow(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	r, err := chromedp.RunResponse(ctx, steps...)
	if err != nil || r.Status != http.StatusOK {
		t.Fatalf("%+v, %v", r, err)
	}
	if ask[bool](t, b, "typeof htmx !== 'undefined'") {
		t.Fatal("the page has run its scripts")
	}
}

// shows fails where the page that is open does not say a text, or a live page claims to be
// live.
func (b *tab) shows(t *testing.T, text string) {
	t.Helper()
	if shown := ask[string](t, b, "document.body.innerText"); !strings.Contains(shown, text) {
		t.Errorf("%s does not say %q:\n%s", ask[string](t, b, "location.href"), text, shown)
	}
	if pulse := ask[string](t, b, `document.querySelector("#pulse")?.textContent ?? ""`); pulse != "" {
		t.Errorf("without scripts it says %q", pulse)
	}
}

// reloaded loads the page again until it says a text.
func (b *tab) reloaded(t *testing.T, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), browserPatience)
	defer cancel()
	for wait := wake(100 * time.Millisecond); !strings.Contains(ask[string](t, b, "document.body.innerText"), text); {
		if !wait(ctx) {
			t.Fatalf("the page does not come to say %q:\n%s", text, ask[string](t, b, "document.body.innerText"))
		}
		b.follow(t, chromedp.Reload())
	}
}

// TestConsoleWithoutScriptsInBrowser uses the console in a browser that runs no script: every
// page is readable, links and forms lead on, and what a person does is done.
func TestConsoleWithoutScriptsInBrowser(t *testing.T) {
	b := openTab(t)
	s := newStack(t, t.TempDir(), "../../sql/syncs", 0)
	heal := s.refusing(t, "hubspot", "INVALID_EMAIL", "Email address is invalid", mailbox(1), mailbox(2))
	first := s.begin(t, "hubspot_health")
	s.push(t, first, contacts(0, 20)...)
	s.finish(t, first, 20)

	b.noScripts(t)
	b.look(t, 1280, "light")
	b.follow(t, chromedp.Navigate(s.page.url()))
	t.Run("views", func(t *testing.T) {
		for _, v := range s.pages(t, first) {
			b.follow(t, chromedp.Navigate(s.base+v.path))
			b.shows(t, v.says)
			b.picture(t, "plain-"+v.name, true)
		}
	})
	t.Run("links", func(t *testing.T) { s.linksWithoutScripts(t, b, first) })
	t.Run("retry", func(t *testing.T) {
		heal()
		b.follow(t, chromedp.Navigate(s.base+"/run/"+first))
		b.follow(t, chromedp.Click("table.groups td.acts a.button"))
		b.shows(t, "Up to 2 rows of hubspot_health")
		b.follow(t, chromedp.Click("form button"))
		b.shows(t, "2 rows are sent again")
		b.follow(t, chromedp.Reload()) // acts no second time
		b.shows(t, "2 rows are sent again")
		b.follow(t, chromedp.Click("a.main"))
		b.reloaded(t, "2 rows delivered since by retries")
	})
	t.Run("pause", func(t *testing.T) {
		b.follow(t, chromedp.Navigate(s.base+"/sync/slack_alerts"))
		b.follow(t, chromedp.Click("a[href^='/confirm/pause']"))
		b.do(t, chromedp.SendKeys("input[name=reason]", "the channel moves"))
		b.follow(t, chromedp.Click("form button"))
		if p, paused, err := s.machine.Runs.Paused(t.Context(), "slack_alerts"); err != nil || !paused || p.Reason != "the channel moves" || p.By != consoleUser() {
			t.Fatalf("%+v, %v, %v", p, paused, err)
		}
		b.follow(t, chromedp.Navigate(s.base+"/sync/slack_alerts"))
		b.reloaded(t, "the channel moves")
		b.follow(t, chromedp.Click("a[href^='/confirm/resume']"))
		b.follow(t, chromedp.Click("form button"))
		if _, paused, err := s.machine.Runs.Paused(t.Context(), "slack_alerts"); err != nil || paused {
			t.Errorf("it is still paused: %v, %v", paused, err)
		}
	})
	b.quiet(t)
}

// linksWithoutScripts goes from page to page as people do.
func (s *stack) linksWithoutScripts(t *testing.T, b *tab, id string) {
	at := func(want string) {
		t.Helper()
		if got := ask[string](t, b, "location.pathname + location.search"); !strings.HasPrefix(got, want) {
			t.Errorf("it is at %s, want %s", got, want)
		}
	}
	b.follow(t, chromedp.Navigate(s.base+"/"))
	b.follow(t, chromedp.Click("#sync-hubspot_health th a"))
	at("/sync/hubspot_health")
	b.follow(t, chromedp.Click("a[href^='/run/']"))
	at("/run/" + url.PathEscape(id))
	b.follow(t, chromedp.Click("nav a[href='/errors']"))
	at("/errors")
	b.do(t, chromedp.SendKeys("input[name=text]", "nothing says this"))
	b.follow(t, chromedp.Click(".filter button"))
	b.shows(t, "No error is like that")
	b.follow(t, chromedp.Click(".filter a.button"))
	b.shows(t, "The newest 2 errors")
	b.follow(t, chromedp.Click("tbody tr a"))
	b.shows(t, "HubSpot takes the value for no email address")
	b.follow(t, chromedp.Click("nav a[href='/record']"))
	b.do(t, chromedp.SetValue("select[name=connection]", "hubspot_prod"), chromedp.SendKeys("input[name=key]", mailbox(3)))
	b.follow(t, chromedp.Click(".filter button"))
	b.shows(t, "Held")
	b.follow(t, chromedp.Click("nav a[href='/audit']"))
	at("/audit")
}
