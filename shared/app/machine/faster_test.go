package machine

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/sandbox"
	amplitudesim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	hubspotsim "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// Faster windows hold as many calls as the vendor's, and are never off: the call after
// the last one is refused, until the window has gone by.
func TestFasterWindowsHold(t *testing.T) {
	events := `{"api_key":"` + amplitudesim.Sandbox.Secret["api_key"] + `","events":[` + strings.Repeat(`{"event_type":"x","user_id":"cust_001"},`, 1999) + `{"event_type":"x","user_id":"cust_001"}]}`
	for _, c := range []struct {
		simulator    sandbox.Simulator
		method, path string
		body         string
		most         int
		window       time.Duration // the vendor's
	}{
		{hubspotsim.Sandbox, http.MethodGet, "/account-info/2026-09/details", "", 190, 10 * time.Second},
		{intercomsim.Sandbox, http.MethodGet, "/me", "", 1667, 10 * time.Second},
		{slacksim.Sandbox, http.MethodPost, "/api/chat.postMessage", `{"channel":"C0000000001","text":"hello"}`, 1, time.Second},
		{amplitudesim.Sandbox, http.MethodPost, "/batch", events, 15, 30 * time.Second}, // 1,000 events a second
	} {
		for _, faster := range []int{0, 100} {
			now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
			settings := sandbox.Settings{Now: func() time.Time { return now }, Faster: faster}
			s, err := c.simulator.Open(settings)
			if err != nil {
				t.Fatal(err)
			}
			ask := func() bool {
				r := httptest.NewRequest(c.method, "http://127.0.0.1:1"+c.path, strings.NewReader(c.body))
				r.Header.Set("Authorization", "Bearer "+c.simulator.Secret["token"])
				r.Header.Set("Accept", "application/json")
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != http.StatusOK && w.Code != http.StatusTooManyRequests {
					t.Fatalf("%s: %d %s", c.simulator.Type, w.Code, w.Body)
				}
				return w.Code == http.StatusOK
			}
			for n := range c.most {
				if !ask() {
					t.Fatalf("%s, %d times faster: call %d of %d is refused", c.simulator.Type, faster, n+1, c.most)
				}
			}
			lasts := c.window
			if faster > 1 {
				lasts = max(c.window/time.Duration(faster), sandbox.LeastWindow)
			}
			for _, soon := range []time.Duration{0, lasts - time.Millisecond} {
				if now = now.Add(soon); ask() {
					t.Errorf("%s, %d times faster: a call beyond %d is taken within %s", c.simulator.Type, faster, c.most, lasts)
				}
			}
			if now = now.Add(time.Millisecond); !ask() {
				t.Errorf("%s, %d times faster: the window of %s is not over after it", c.simulator.Type, faster, lasts)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// leases are tokens that note what they are asked.
type leases struct {
	deliver.Tokens
	now, slowed time.Time
}

func (l *leases) Lease(_ context.Context, _ string, _ []pace.Window, want int, now time.Time) (int, time.Duration, error) {
	l.now = now
	return want, time.Second, nil
}

func (l *leases) Slow(_ context.Context, _ string, now time.Time) error {
	l.slowed = now
	return nil
}

// A bucket's clock runs as much faster as its slowest window may, and waits are real.
func TestHastenedTokens(t *testing.T) {
	start := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		windows []pace.Window
		by      time.Duration
	}{
		{"ten seconds", []pace.Window{{Calls: 95, Per: 10 * time.Second}, {Calls: 1000, Per: 24 * time.Hour}}, 100},
		{"a minute", []pace.Window{{Calls: 40, Per: time.Minute}}, 100},
		{"a second", []pace.Window{{Calls: 1, Per: time.Second}}, 10},
		{"a second and a minute", []pace.Window{{Calls: 1, Per: time.Minute}, {Calls: 1, Per: time.Second}}, 10},
		{"a day", []pace.Window{{Calls: 1000, Per: 24 * time.Hour}}, 1},
		{"none", nil, 1},
	} {
		under := &leases{}
		tokens := hasten(under, 100, start)
		granted, wait, err := tokens.Lease(t.Context(), c.name, c.windows, 7, start.Add(time.Second))
		if want := start.Add(time.Second * c.by); err != nil || granted != 7 || wait != time.Second/c.by || !under.now.Equal(want) {
			t.Errorf("%s: %d granted, wait %s, at %s, %v", c.name, granted, wait, under.now, err)
		}
		if err := tokens.Slow(t.Context(), c.name, start.Add(time.Second)); err != nil || !under.slowed.Equal(under.now) {
			t.Errorf("%s: slowed at %s, %v", c.name, under.slowed, err)
		}
	}
	if under := (&leases{}); hasten(under, 1, start) != deliver.Tokens(under) {
		t.Error("tokens that are no faster are others")
	}
}
