package console

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
)

// A session is a browser that was let in: a random name, signed with the process's key,
// in a cookie. Nothing is stored of it, and it ends with the process.
type session struct{ name string }

type sessionKey struct{}

// cookieName holds the port, since a cookie is sent to all ports of a host.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	return "penstock_console_" + port
}

func (c *Console) sign(what, text string) string {
	m := hmac.New(sha256.New, c.key)
	m.Write([]byte(what + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// csrf is what a session's forms send along.
func (c *Console) csrf(s session) string { return c.sign("csrf", s.name) }

// same compares digests, so that neither time nor length tells how much is right.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// open exchanges the token for a session.
func (c *Console) open(w http.ResponseWriter, r *http.Request) {
	if !same(r.URL.Query().Get("token"), c.token) {
		c.refuse(w, r, http.StatusForbidden, "This is not the token of the console that runs here.")
		return
	}
	name := rand.Text()
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: name + "." + c.sign("session", name), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// inside lets in who has a session.
func (c *Console) inside(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, ok := c.session(r)
		if !ok {
			c.refuse(w, r, http.StatusForbidden, "The console opens with the address that was printed when it started: it holds a token, so that nobody else on this machine gets in.")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, s)))
	})
}

// session is the request's, if it has one of this process.
func (c *Console) session(r *http.Request) (session, bool) {
	for _, cookie := range r.CookiesNamed(cookieName(r)) {
		name, signed, _ := strings.Cut(cookie.Value, ".")
		if same(signed, c.sign("session", name)) {
			return session{name}, true
		}
	}
	return session{}, false
}

// sessionOf is the session that inside found; refusals have none.
func sessionOf(ctx context.Context) (session, bool) {
	s, ok := ctx.Value(sessionKey{}).(session)
	return s, ok
}
