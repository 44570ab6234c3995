package netguard

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// Transport is net/http's own transport for the calls of a destination: it connects to
// addresses of the public internet only. The address is looked at when the socket is
// about to connect, after the name was resolved, so that no name can be pointed
// elsewhere in between (DNS rebinding), and for every connection alike: the url's, that
// of a host which an answer named, that after a redirect. loopback adds this machine's
// addresses, for a server that a person named by --endpoint. The error of a connection
// that is not made is, or wraps, a *Refused.
//
// A proxy that the environment names (HTTPS_PROXY) is its owner's will, and is called
// wherever it is; what it is asked for is looked at as far as it is an address: names
// are resolved by the proxy, which decides.
func Transport(loopback bool) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	g := &guard{loopback: loopback, proxy: t.Proxy}
	t.Proxy, t.DialContext = g.proxied, g.dial
	return t
}

type guard struct {
	loopback bool
	proxy    func(*http.Request) (*url.URL, error)
	proxies  sync.Map // the addresses of proxies, as net/http dials them
}

// proxied is the proxy of a request; nil for none.
func (g *guard) proxied(r *http.Request) (*url.URL, error) {
	if g.proxy == nil {
		return nil, nil
	}
	u, err := g.proxy(r)
	if err != nil || u == nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil {
		if err := g.judge(ip); err != nil {
			return nil, err
		}
	}
	port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	g.proxies.Store(net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), true)
	return u, nil
}

// dial connects as http.DefaultTransport does.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	if _, proxy := g.proxies.Load(address); !proxy {
		d.Control = g.control
	}
	conn, err := d.DialContext(ctx, network, address)
	if refused, ok := errors.AsType[*Refused](err); ok {
		refused.Host, _, _ = net.SplitHostPort(address)
	}
	return conn, err
}

// control sees the very address that the socket is about to connect to.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refused{What: "no address"}
	}
	return g.judge(at.Addr())
}

func (g *guard) judge(ip netip.Addr) error {
	what := Special(ip)
	if what == "" || g.loopback && ip.Unmap().IsLoopback() {
		return nil
	}
	return &Refused{IP: ip, What: what}
}
