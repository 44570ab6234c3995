package netguard_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/netguard"
)

func TestLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "127.0.0.1": true, "127.0.0.1:8787": true, "127.255.255.254:1": true,
		"[::1]": true, "[::1]:8787": true, "::1": true, "[::ffff:127.0.0.1]:80": true,
		"": false, ":8787": false, "localhost.": false, "localhost.evil.example": false, "evil.localhost": false,
		"127.0.0.1.evil.example": false, "127.0.0.1.nip.io:8787": false, "evil.example": false, "evil.example:8787": false,
		"127.1": false, "2130706433": false, "0x7f000001": false, "0177.0.0.1": false, "127.0.0.1@evil.example": false,
		"0.0.0.0": false, "[::]": false, "192.168.1.2": false, "10.0.0.1:80": false, "128.0.0.1": false, "126.255.255.255": false,
		"[::1": false, "::1]": false, "localhost:80:80": false, "[localhost]": true, "user@localhost": false,
	} {
		if got := netguard.LoopbackHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

const token = "0123456789abcdef"

func TestDoor(t *testing.T) {
	type headers map[string]string
	for name, c := range map[string]struct {
		token, host string
		headers     headers
		want        int
	}{
		"this machine":                      {"", "127.0.0.1:8787", nil, 200},
		"its name":                          {"", "localhost:8787", nil, 200},
		"version 6":                         {"", "[::1]:8787", nil, 200},
		"a page of its own":                 {"", "localhost:8787", headers{"Origin": "http://localhost:8787", "Sec-Fetch-Site": "same-origin"}, 200},
		"typed into the browser":            {"", "localhost:8787", headers{"Sec-Fetch-Site": "none"}, 200},
		"a name that was pointed here":      {"", "evil.example:8787", nil, 403},
		"the same, with its own origin":     {"", "evil.example:8787", headers{"Origin": "http://evil.example:8787", "Sec-Fetch-Site": "same-origin"}, 403},
		"a page of another site":            {"", "127.0.0.1:8787", headers{"Origin": "https://evil.example"}, 403},
		"a page of none":                    {"", "127.0.0.1:8787", headers{"Origin": "null"}, 403},
		"a file":                            {"", "127.0.0.1:8787", headers{"Origin": "file://"}, 403},
		"an extension":                      {"", "127.0.0.1:8787", headers{"Origin": "chrome-extension://localhost"}, 403},
		"an empty origin":                   {"", "127.0.0.1:8787", headers{"Origin": ""}, 403},
		"an origin that begins like ours":   {"", "127.0.0.1:8787", headers{"Origin": "http://localhost.evil.example"}, 403},
		"an origin with a user":             {"", "127.0.0.1:8787", headers{"Origin": "http://localhost@evil.example"}, 403},
		"a picture on a page":               {"", "127.0.0.1:8787", headers{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		"a form on a page":                  {"", "127.0.0.1:8787", headers{"Sec-Fetch-Site": "Cross-Site", "Sec-Fetch-Mode": "navigate"}, 403},
		"no host":                           {"", "", nil, 403},
		"the machine's name on the network": {"", "warehouse.internal:8787", nil, 403},

		"the token":                         {token, "warehouse.internal:8787", headers{"Authorization": "Bearer " + token}, 200},
		"the token, in another case":        {token, "warehouse.internal:8787", headers{"Authorization": "bearer  " + token}, 200},
		"the token, from this machine":      {token, "127.0.0.1:8787", headers{"Authorization": "Bearer " + token}, 200},
		"none":                              {token, "warehouse.internal:8787", nil, 401},
		"none, from this machine":           {token, "127.0.0.1:8787", nil, 401},
		"another":                           {token, "warehouse.internal:8787", headers{"Authorization": "Bearer 0123456789abcdeF"}, 401},
		"a part of it":                      {token, "warehouse.internal:8787", headers{"Authorization": "Bearer 0123456789abcde"}, 401},
		"more than it":                      {token, "warehouse.internal:8787", headers{"Authorization": "Bearer " + token + "0"}, 401},
		"an empty one":                      {token, "warehouse.internal:8787", headers{"Authorization": "Bearer "}, 401},
		"another scheme":                    {token, "warehouse.internal:8787", headers{"Authorization": "Basic " + token}, 401},
		"the bare token":                    {token, "warehouse.internal:8787", headers{"Authorization": token}, 401},
		"the token by a page of its own":    {token, "warehouse.internal:8787", headers{"Authorization": "Bearer " + token, "Origin": "http://warehouse.internal:8787"}, 200},
		"the token by a page of another":    {token, "warehouse.internal:8787", headers{"Authorization": "Bearer " + token, "Origin": "http://evil.example"}, 403},
		"the token by a picture on a page":  {token, "warehouse.internal:8787", headers{"Authorization": "Bearer " + token, "Sec-Fetch-Site": "cross-site"}, 403},
		"a page of its own, on one machine": {"", "127.0.0.1:8787", headers{"Origin": "http://warehouse.internal:8787"}, 403},
	} {
		reached := false
		door := netguard.Door{Token: c.token, What: "the gateway"}.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if reached = true; r.Header.Get("Authorization") != "" {
				t.Errorf("%s: the token goes on", name)
			}
		}))
		r := httptest.NewRequest(http.MethodPost, "http://example/push", nil)
		r.Host = c.host
		for k, v := range c.headers {
			r.Header[k] = []string{v}
		}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code != c.want || reached != (c.want == 200) || strings.Contains(w.Body.String(), token) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	// The second of two headers is looked at, too, and two tokens are none.
	door := netguard.Door{Token: token}.Wrap(http.NotFoundHandler())
	for name, values := range map[string][]string{"Origin": {"http://localhost", "http://evil.example"}, "Authorization": {"Bearer " + token, "Bearer x"}} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
		r.Header["Authorization"] = []string{"Bearer " + token}
		r.Header[name] = values
		w := httptest.NewRecorder()
		if door.ServeHTTP(w, r); w.Code == http.StatusNotFound {
			t.Errorf("two of %s pass", name)
		}
	}
}

func TestOpen(t *testing.T) {
	for name, c := range map[string]struct{ address, token, want string }{
		"this machine":             {"127.0.0.1:8787", "", ""},
		"its name":                 {"localhost:8787", "", ""},
		"a token there, too":       {"127.0.0.1:8787", token, ""},
		"every address":            {"0.0.0.0:8787", "", "--token"},
		"every address, no number": {":8787", "", "--token"},
		"version 6":                {"[::]:8787", "", "--token"},
		"the network":              {"192.168.1.2:8787", "", "--token"},
		"a name":                   {"warehouse.internal:8787", "", "--token"},
		"with a token":             {"0.0.0.0:8787", token, ""},
		"a short one":              {"0.0.0.0:8787", "secret", "has 6 characters"},
		"a short one here":         {"127.0.0.1:8787", "secret", "has 6 characters"},
		"one with a blank":         {"0.0.0.0:8787", "0123456789 abcdef", "without blanks"},
		"one with a line's end":    {"0.0.0.0:8787", "0123456789abcdef\n", "without blanks"},
	} {
		_, err := netguard.Open("the gateway", c.address, c.token)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && c.token != "" && strings.Contains(err.Error(), c.token) {
			t.Errorf("%s: the token is told: %v", name, err)
		}
	}
}
