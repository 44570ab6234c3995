package netguard

import (
	"fmt"
	"net/netip"
	"strings"
)

// special are the addresses that are not the public internet's (IANA, "IPv4 and IPv6
// Special-Purpose Address Registry"). Of IPv6 only 2000::/3 is in public use at all.
var special = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an address of no host"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "an address shared by a provider's customers (CGNAT)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "an address of this machine"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address, such as instance metadata has"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "an address of many hosts"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},
	{netip.MustParsePrefix("::/128"), "an address of no host"},
	{netip.MustParsePrefix("::1/128"), "an address of this machine"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("fec0::/10"), "a private address"},
	{netip.MustParsePrefix("ff00::/8"), "an address of many hosts"},
	{netip.MustParsePrefix("2001::/23"), "a reserved address"},
	{netip.MustParsePrefix("2001:db8::/32"), "an address for documentation"},
	{netip.MustParsePrefix("3fff::/20"), "an address for documentation"},
}

var (
	public6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last 4 bytes are an IPv4 address
	sixTo4  = netip.MustParsePrefix("2002::/16")    // RFC 3056: bytes 2 to 5 are one
)

// Special says what an address is that is not of the public internet; "" when it is.
// What is an IPv4 address in the clothes of an IPv6 one is judged by it.
func Special(ip netip.Addr) string {
	ip = ip.WithZone("").Unmap()
	if !ip.IsValid() {
		return "no address"
	}
	if b := ip.As16(); ip.Is6() {
		switch {
		case nat64.Contains(ip):
			return Special(netip.AddrFrom4([4]byte(b[12:])))
		case sixTo4.Contains(ip):
			return Special(netip.AddrFrom4([4]byte(b[2:6])))
		}
	}
	for _, s := range special {
		if s.prefix.Contains(ip) {
			return s.what
		}
	}
	if ip.Is6() && !public6.Contains(ip) {
		return "a reserved address"
	}
	return ""
}

// A Refused says that a call was not made because of where it would have gone. It
// names the address and no more of the request.
type Refused struct {
	Host string // as it was called; the address itself where it was called by that
	IP   netip.Addr
	What string // is wrong with it
}

// Error implements error, with the remedy.
func (r *Refused) Error() string {
	place := fmt.Sprintf("%s is %s", r.IP, r.What)
	if r.Host != "" && strings.Trim(r.Host, "[]") != r.IP.String() {
		place = fmt.Sprintf("%s leads to %s, which is %s", r.Host, r.IP, r.What)
	}
	return place + ": rows and secrets go to addresses of the public internet only; correct the connection's url (on one machine, --endpoint TYPE=http://127.0.0.1:PORT calls a server there)"
}
