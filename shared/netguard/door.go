package netguard

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A Door stands before a server that is meant for one machine. Without a token it lets
// in only what names this machine, so that neither a page of another site nor a name
// that was pointed at 127.0.0.1 (DNS rebinding) reaches what is behind it. With one it
// lets in, by any name of the machine, who sends
//
//	Authorization: Bearer TOKEN
//
// and nobody else: also not from the machine itself, where a proxy may stand for
// anybody. The zero Door has no token.
type Door struct {
	Token string
	What  string // is behind it, for people: "the gateway"
}

// MinToken is how many characters a token has at least: 16 of base64 are 96 bits.
const MinToken = 16

// Open is the door of a server that listens at an address. One that others can reach
// needs a token.
func Open(what, address, token string) (Door, error) {
	d := Door{Token: token, What: what}
	switch {
	case token != "" && (len(token) < MinToken || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c >= 0x7f })):
		return d, fmt.Errorf("the token has %d characters: it needs %d at least, of ASCII without blanks, such as openssl rand -hex 16 makes", len(token), MinToken)
	case token == "" && !LoopbackHost(address):
		return d, fmt.Errorf("at %s others than this machine can call %s: give a --token, which callers send as Authorization: Bearer TOKEN, or an address such as 127.0.0.1:8787", address, what)
	}
	return d, nil
}

// Wrap answers 401 and 403 in the place of a handler.
func (d Door) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case foreign(r, d.Token != ""):
			http.Error(w, d.What+" answers no page of another site", http.StatusForbidden)
		case d.Token == "" && !LoopbackHost(r.Host):
			http.Error(w, d.What+" answers on this machine only: call it as localhost or 127.0.0.1", http.StatusForbidden)
		case d.Token != "" && !d.knows(r.Header.Values("Authorization")):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, d.What+" was started with --token: send it as Authorization: Bearer TOKEN (penstock sql: --token, or PENSTOCK_TOKEN)", http.StatusUnauthorized)
		default:
			if d.Token != "" {
				r.Header.Del("Authorization") // it goes no further: not into events, not into logs
			}
			next.ServeHTTP(w, r)
		}
	})
}

// knows compares digests, so that neither time nor length tells how much is right.
func (d Door) knows(sent []string) bool {
	if len(sent) != 1 || len(sent[0]) < 7 || !strings.EqualFold(sent[0][:7], "Bearer ") {
		return false
	}
	want, got := sha256.Sum256([]byte(d.Token)), sha256.Sum256([]byte(strings.TrimSpace(sent[0][7:])))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// foreign reports whether a browser sends a request for a page of another site. Every
// browser says so itself: by Sec-Fetch-Site (W3C, "Fetch Metadata Request Headers"), or
// by Origin, which is "null" for a page without one. named says that the machine may be
// called by other names than loopback's; a page of its own then has that name.
func foreign(r *http.Request, named bool) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if strings.EqualFold(strings.TrimSpace(site), "cross-site") {
			return true
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !LoopbackHost(u.Host) && (!named || u.Host != r.Host) {
			return true
		}
	}
	return false
}
