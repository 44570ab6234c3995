package machine

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

const token = "0123456789abcdef"

// get asks the machine's gateway for a status, as somebody who writes any headers.
func get(t *testing.T, url, host string, headers map[string]string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/status", strings.NewReader(`{"data":[[0,"no_such_sync"]]}`))
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	r.Header.Set(snowflake.HeaderBatchID, "b")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// running is a machine that serves until the test ends.
func running(t *testing.T, cfg Config) *Machine {
	t.Helper()
	cfg.Dir, cfg.Log = t.TempDir(), slog.New(slog.DiscardHandler)
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestGatewayAnswersThisMachineOnly(t *testing.T) {
	m := running(t, Config{})
	for name, c := range map[string]struct {
		host    string
		headers map[string]string
		want    int
	}{
		"this machine":                 {"", nil, 200},
		"its name":                     {"localhost", nil, 200},
		"a name that was pointed here": {"evil.example", nil, 403},
		"a page of another site":       {"", map[string]string{"Origin": "https://evil.example"}, 403},
		"a picture on a page":          {"", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
	} {
		status, body := get(t, m.URL, c.host, c.headers)
		if status != c.want {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if status == 200 && !strings.Contains(body, `there is no sync \"no_such_sync\"`) {
			t.Errorf("%s: %s", name, body)
		}
	}
}

// At an address that others can reach, who has no token is let in by no name.
func TestGatewayWithAToken(t *testing.T) {
	if _, err := New(Config{Dir: t.TempDir(), Listen: "0.0.0.0:0"}); err == nil || !strings.Contains(err.Error(), "--token") {
		t.Errorf("without a token: %v", err)
	}
	if _, err := New(Config{Dir: t.TempDir(), Listen: "0.0.0.0:0", Token: "secret"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("with a short token: %v", err)
	}
	m := running(t, Config{Listen: "0.0.0.0:0", Token: token})
	if !strings.HasPrefix(m.URL, "http://127.0.0.1:") {
		t.Errorf("this machine calls it at %s", m.URL)
	}
	for name, c := range map[string]struct {
		host, sent string
		want       int
	}{
		"no token":                     {"", "", 401},
		"a name of the network":        {"warehouse.internal", "", 401},
		"another token":                {"", "Bearer 0123456789abcdee", 401},
		"the token":                    {"", "Bearer " + token, 200},
		"the token, by another name":   {"warehouse.internal", "Bearer " + token, 200},
		"the token as a role's header": {"", "", 401},
	} {
		headers := map[string]string{snowflake.HeaderRole: token}
		if c.sent != "" {
			headers["Authorization"] = c.sent
		}
		if status, body := get(t, m.URL, c.host, headers); status != c.want || strings.Contains(body, token) && status != 200 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// A simulator is nobody's but this machine's.
func TestSimulatorsListenHereOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.168.1.2:0", "warehouse.internal:0"} {
		_, err := NewSandbox(SandboxConfig{Simulators: simulators, Listen: map[string]string{"slack": address}})
		if err == nil || !strings.Contains(err.Error(), "this machine only") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
