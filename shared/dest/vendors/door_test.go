package vendors_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/penstock-data/penstock/shared/dest/vendors"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// Every simulator by itself answers this machine only, on its control paths and on its
// vendor's alike.
func TestSimulatorsAnswerThisMachineOnly(t *testing.T) {
	for _, d := range vendors.All {
		s, err := d.Simulator.Open(sandbox.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/_sandbox/calls", "/_sandbox/faults", "/_sandbox/records", "/services/oauth2/token", "/api/auth.test", "/"} {
			for name, change := range map[string]func(*http.Request){
				"a name that was pointed here": func(r *http.Request) { r.Host = "evil.example:8788" },
				"a name that begins like ours": func(r *http.Request) { r.Host = "127.0.0.1.evil.example" },
				"the network's address":        func(r *http.Request) { r.Host = "192.168.1.2:8788" },
				"a page of another site":       func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
				"a page of none":               func(r *http.Request) { r.Header.Set("Origin", "null") },
				"a picture on a page":          func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
			} {
				r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8788"+path, nil)
				change(r)
				w := httptest.NewRecorder()
				if s.ServeHTTP(w, r); w.Code != http.StatusForbidden {
					t.Errorf("%s %s: %s is answered %d", d.Vendor.Name, path, name, w.Code)
				}
			}
		}
		for _, host := range []string{"127.0.0.1:8788", "localhost:8788", "[::1]:8788"} {
			r := httptest.NewRequest(http.MethodGet, "http://"+host+"/_sandbox/calls", nil)
			w := httptest.NewRecorder()
			if s.ServeHTTP(w, r); w.Code != http.StatusOK {
				t.Errorf("%s: %s is answered %d", d.Vendor.Name, host, w.Code)
			}
		}
		if n := s.Core().Calls().Total; n != 0 {
			t.Errorf("%s: %d calls were counted", d.Vendor.Name, n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
