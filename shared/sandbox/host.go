package sandbox

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// foreign reports whether a request comes by another name than this machine's, or
// from a page of another site: a browser that was led here (DNS rebinding) must not
// read or change the records.
func foreign(r *http.Request) bool {
	if !loopback(r.Host) {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !loopback(u.Host)
}

// loopback reports whether a Host, with or without a port, is this machine.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	ip, err := netip.ParseAddr(name)
	return strings.EqualFold(name, "localhost") || err == nil && ip.IsLoopback()
}
