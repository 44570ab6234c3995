package netguard

import (
	"net"
	"net/netip"
	"strings"
)

// LoopbackHost reports whether a host, with or without a port, is this machine by a
// name that no name server can point elsewhere: localhost, 127.0.0.0/8 or ::1, written
// in full.
func LoopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
		if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
			name = host[1 : len(host)-1]
		}
	}
	ip, err := netip.ParseAddr(name)
	return strings.EqualFold(name, "localhost") || err == nil && ip.Unmap().IsLoopback()
}
