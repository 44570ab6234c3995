package console

import (
	"net/http"
	"strings"
	"testing"
)

// Who has the address and calls this machine by its own name is let in, and nobody else.
func TestDoor(t *testing.T) {
	p := serve(t, full(), nil)
	for name, c := range map[string]struct {
		path    string
		headers []string
		want    int
	}{
		"no token":                     {"/", nil, 403},
		"another token":                {"/open?token=WRONG", nil, 403},
		"an empty token":               {"/open?token=", nil, 403},
		"a cookie of one's own making": {"/", []string{"Cookie", cookieOf(p) + "=x.y"}, 403},
		"a name that was pointed here": {p.c.Open(), []string{"Host", "evil.example"}, 403},
		"a picture on a page":          {p.c.Open(), []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a page of another site":       {p.c.Open(), []string{"Origin", "https://evil.example"}, 403},
		"assets are nobody's":          {"/static/console.css", nil, 200},
		"no listings":                  {"/static/", nil, 404},
		"nothing else by itself":       {"/run/contacts.r1", nil, 403},
	} {
		if status, body := p.get(c.path, c.headers...); status != c.want {
			t.Errorf("%s: %d\n%s", name, status, body)
		}
	}
	status, body := p.get(p.c.Open())
	if status != 200 || !strings.Contains(body, "contacts") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := p.get("/"); status != 200 {
		t.Errorf("the session does not last: %d", status)
	}
	if strings.Contains(body, p.c.token) {
		t.Error("the token stands on the page")
	}
}

func cookieOf(p *person) string {
	r, _ := http.NewRequest(http.MethodGet, p.base, nil)
	return cookieName(r)
}

// The cookie is out of reach of scripts and of other sites, and each answer forbids what
// the pages do not need.
func TestHeaders(t *testing.T) {
	p := serve(t, full(), nil)
	p.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+p.c.Open(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if len(resp.Cookies()) != 1 || !resp.Cookies()[0].HttpOnly || resp.Cookies()[0].SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", resp.Cookies())
	}
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "X-Frame-Options": "DENY"} {
		if got := resp.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, part := range []string{"frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
		if got := resp.Header.Get("Content-Security-Policy"); !strings.Contains(got, part) || strings.Contains(got, "unsafe") {
			t.Errorf("the policy is %q", got)
		}
	}
}

// A form that the page did not make does nothing.
func TestForeignForms(t *testing.T) {
	s := full()
	p := inside(t, s)
	_, page := p.get("/confirm/reset?sync=contacts")
	own := form(page)
	other := inside(t, full())
	_, page = other.get("/confirm/reset?sync=contacts")
	theirs := form(page)
	none := form(page)
	none.Del("csrf")
	for name, send := range map[string]func() (int, string){
		"no token":               func() (int, string) { return p.do("POST", "/do/reset", none) },
		"another console's":      func() (int, string) { return p.do("POST", "/do/reset", theirs) },
		"a page of another site": func() (int, string) { return p.do("POST", "/do/reset", own, "Origin", "https://evil.example") },
		"another port of this machine": func() (int, string) {
			return p.do("POST", "/do/reset", own, "Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site")
		},
		"a page without an origin": func() (int, string) { return p.do("POST", "/do/reset", own, "Origin", "null") },
		"a link": func() (int, string) {
			status, body := p.get("/do/reset?" + own.Encode())
			return status - 1, body // 404: there is no such page
		},
	} {
		if status, body := send(); status != 403 || len(s.did) > 0 {
			t.Errorf("%s: %d, did %v\n%s", name, status, s.did, body)
		}
	}
	if status, body := p.do("POST", "/do/reset", own, "Origin", p.base, "Sec-Fetch-Site", "same-origin"); status != 200 || len(s.did) != 1 {
		t.Errorf("its own: %d, did %v\n%s", status, s.did, body)
	}
}
