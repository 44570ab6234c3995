package slack_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What is wrong with the connection itself is said before anything is sent, by
// whichever call comes first.
func TestConnection(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	t.Cleanup(tls.Close)
	secret := func(m map[string]string, err error) func(*dest.Config) {
		return func(c *dest.Config) { c.Secret = func(context.Context) (map[string]string, error) { return m, err } }
	}
	address := func(u string) func(*dest.Config) { return func(c *dest.Config) { c.Connection.URL = u } }
	wrong := func(code, remedy string) result { return connection(dest.Configuration, code, remedy) }
	for name, c := range map[string]struct {
		change func(*dest.Config)
		want   result
	}{
		"no secret":       {secret(nil, errors.New("SLACK_PROD is not set")), wrong("no_token", `read the secret "slack_prod": SLACK_PROD is not set: store the app's bot token`)},
		"no token":        {secret(map[string]string{"key": "x"}, nil), wrong("no_token", "under the key token")},
		"no way to one":   {func(c *dest.Config) { c.Secret = nil }, wrong("no_token", "under the key token")},
		"secrets down":    {secret(nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}), connection(dest.Unavailable, "secret_unreadable", "refused")},
		"secrets slow":    {secret(nil, context.DeadlineExceeded), connection(dest.Unavailable, "secret_unreadable", "deadline")},
		"other secret":    {func(c *dest.Config) { c.Connection.Secret = "team/slack"; c.Secret = nil }, wrong("no_token", `"team/slack"`)},
		"nobody there":    {address("http://" + refused.Addr().String()), connection(dest.Unavailable, "unreachable", "cannot be reached")},
		"bad certificate": {address(tls.URL), wrong("bad_certificate", "check the url")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(_ *sim.Config, w *world) { c.change(&w.cfg) })
			w.opts.Channel = "C0ALERTS1"
			w.open()
			b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
			out, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
			c.want.check(t, out, err)
			out, err = w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
			c.want.check(t, out, err)
			c.want.check(t, nil, w.acct.Probe(t.Context()))
			_, err = w.acct.Identity(t.Context())
			c.want.check(t, nil, err)
			if got := w.sim.Core().Calls().Total; got != 0 || w.acct.APICalls() != 0 {
				t.Errorf("%d requests arrived, %d were counted", got, w.acct.APICalls())
			}
		})
	}
}

// An address that cannot be used is refused when the account is opened.
func TestAddress(t *testing.T) {
	for address, remedy := range map[string]string{
		"http://slack.example/api/": "use https", "slack": "https://slack.com/api/",
		"https://user:xoxb-test@slack.example/": "put the token into the secret", "https://slack.example/?token=xoxb-test": "put the token into the secret",
	} {
		_, err := slack.Vendor.Open(dest.Config{Connection: syncdef.Connection{Name: "slack_prod", Type: "slack", URL: address}})
		connection(dest.Configuration, "invalid_url", remedy).check(t, nil, err)
	}
}

// The account names its workspace, and a probe fails when the token does.
func TestIdentityAndProbe(t *testing.T) {
	w := newWorld(t)
	if id, err := w.acct.Identity(t.Context()); id != "T0PENSTOCK" || err != nil {
		t.Error(id, err)
	}
	if err := w.acct.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		want  result
	}{
		"revoked":    {sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"token_revoked"}`}, connection(dest.Configuration, "token_revoked", "bot token")},
		"limited":    {sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "7"}}, throttled("ratelimited", "7s", 7*time.Second)},
		"down":       {sandbox.Fault{Status: 503}, unavailable("http_503", "")},
		"lost":       {sandbox.Fault{DropAfterCommit: true}, unavailable("no_answer", "")},
		"no team_id": {sandbox.Fault{Status: 200, Body: `{"ok":true,"team":"a"}`}, unavailable("unreadable", "team_id")},
	} {
		t.Run(name, func(t *testing.T) {
			w.fault(c.fault)
			c.want.check(t, nil, w.acct.Probe(t.Context()))
			w.fault(c.fault)
			_, err := w.acct.Identity(t.Context())
			c.want.check(t, nil, err)
		})
	}
	w.fault(sandbox.Fault{Match: "auth.test", Status: 200, Body: `{"ok":true,"team_id":"","enterprise_id":"E1"}`})
	if id, err := w.acct.Identity(t.Context()); id != "E1" || err != nil {
		t.Error(id, err)
	}
}

// Every bucket that a call names has a limit.
func TestLimits(t *testing.T) {
	w := newWorld(t)
	limits := w.acct.Limits()
	windows := limits.Windows
	b := dest.Batch{Records: intend(alerts(2))}
	costs := limits.Probe
	for _, c := range append(w.dest.Calls(b, 0), w.dest.Lookups(b)...) {
		costs = append(costs, c.Costs...)
	}
	for _, c := range costs {
		if len(windows(c.Bucket)) == 0 {
			t.Errorf("no limit for %q", c.Bucket)
		}
	}
	if len(costs) != 4 || windows("") != nil {
		t.Error(costs)
	}
}
