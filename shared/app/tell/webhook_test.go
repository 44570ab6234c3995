package tell_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/app/tell"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const hookKey = "0123456789abcdef"

var toHook = alert.Recipient{Type: syncdef.NotifyWebhook, Secret: "webhook"}

// hooked is a teller whose secret leads to a server with this handler, over TLS.
func hooked(t *testing.T, h http.HandlerFunc) (*tell.Teller, map[string]string) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	secret := map[string]string{"url": server.URL + "/hidden/path", "key": hookKey}
	return &tell.Teller{Now: now, HTTP: server.Client(), Secret: func(_ context.Context, name string) (map[string]string, error) {
		if name != "webhook" {
			return nil, errors.New("there is no such secret")
		}
		return secret, nil
	}}, secret
}

// A webhook gets the notice, signed as the documentation says.
func TestWebhook(t *testing.T) {
	var got *http.Request
	var body []byte
	teller, _ := hooked(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	})
	if err := teller.Tell(t.Context(), toHook, notice); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.URL.Path != "/hidden/path" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
	stamp := got.Header.Get("Penstock-Timestamp")
	if stamp != "1772452800" || got.Header.Get("Penstock-Signature") != "v1="+tell.Sign(hookKey, stamp, body) {
		t.Errorf("%v", got.Header)
	}
	golden(t, "webhook.golden", indent(t, body)+stamp+"\n"+got.Header.Get("Penstock-Signature")+"\n")
	later := notice
	later.Step, later.At, later.Times = alert.Recovered, noon.Add(time.Hour), 3
	first := body
	if err := teller.Tell(t.Context(), toHook, later); err != nil {
		t.Fatal(err)
	}
	if alertID(t, first) != alertID(t, body) {
		t.Errorf("the end of an alert has another id: %s", body)
	}
}

func alertID(t *testing.T, body []byte) (id string) {
	t.Helper()
	var said struct {
		ID string `json:"alert_id"`
	}
	if err := json.Unmarshal(body, &said); err != nil || said.ID == "" {
		t.Fatalf("%v: %s", err, body)
	}
	return said.ID
}

func indent(t *testing.T, body []byte) string {
	t.Helper()
	var fields any
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s: want %s\ngot\n%s", path, want, got)
	}
}

// The signature is HMAC-SHA256 over timestamp.body, computed by openssl dgst -sha256 -hmac.
func TestSign(t *testing.T) {
	if got := tell.Sign(hookKey, "1772452800", []byte(`{"version":1}`)); got != "735b42f757544bed9bfff0ec61250cd111b4f8a7645dd5b31a7d6391a8df0c02" {
		t.Error(got)
	}
}

// What a webhook refuses is tried again, and told without address and key.
func TestWebhooksThatFail(t *testing.T) {
	calls := 0
	status := http.StatusInternalServerError
	teller, secret := hooked(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	})
	server := secret["url"]
	for _, c := range []struct {
		name, url, key string
		status         int
		secret         string
		guarded        bool // by the client that is used outside of tests
		want           string
	}{
		{"a server error", server, hookKey, 500, "webhook", false, `the webhook of the secret "webhook" answered 500`},
		{"refused", server, hookKey, 403, "webhook", false, "answered 403"},
		{"a redirect", server, hookKey, 302, "webhook", false, "answered 302"},
		{"no secret", server, hookKey, 200, "another", false, "no such secret"},
		{"no url", "", hookKey, 200, "webhook", false, `it needs a "url"`},
		{"no TLS", strings.Replace(server, "https", "http", 1), hookKey, 200, "webhook", false, "url must begin with https://"},
		{"a short key", server, "short", 200, "webhook", false, `it needs a "key" of at least 16 characters`},
		{"this machine", server, hookKey, 200, "webhook", true, "this machine"},
		{"a private address", "https://10.1.2.3/hidden", hookKey, 200, "webhook", true, "10.1.2.3"},
		{"nobody listens", "https://127.0.0.1:1/hidden", hookKey, 200, "webhook", false, "was not reached"},
	} {
		one := *teller
		if c.guarded {
			one.HTTP = nil
		}
		secret["url"], secret["key"], status, calls = c.url, c.key, c.status, 0
		err := one.Tell(t.Context(), alert.Recipient{Type: syncdef.NotifyWebhook, Secret: c.secret}, notice)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), hookKey)) {
			t.Errorf("%s: the error quotes the secret: %v", c.name, err)
		}
		if calls > 1 {
			t.Errorf("%s: a redirect was followed", c.name)
		}
	}
	if err := (&tell.Teller{Now: now}).Tell(t.Context(), toHook, notice); err == nil {
		t.Error("without secrets nothing can be called")
	}
}

// On one machine a webhook may be a server there, without TLS.
func TestWebhookOnThisMachine(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	t.Cleanup(server.Close)
	teller := &tell.Teller{Now: now, Loopback: true, Secret: func(context.Context, string) (map[string]string, error) {
		return map[string]string{"url": server.URL, "key": hookKey}, nil
	}}
	if err := teller.Tell(t.Context(), toHook, notice); err != nil || calls != 1 {
		t.Errorf("%v, %d calls", err, calls)
	}
}
