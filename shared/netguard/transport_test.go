package netguard

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

func TestSpecial(t *testing.T) {
	for _, ip := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.9.9.9",
		"169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
		"192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "::127.0.0.1", "::8.8.8.8",
		"fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "100::1", "2001::1", "2001:db8::1",
		"64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "2002:a00:1::", "2002:7f00:1::1", "2002:a9fe:a9fe::", "3fff::1", "4000::1", "5f00::1",
	} {
		if Special(netip.MustParseAddr(ip)) == "" {
			t.Errorf("%s passes for an address of the public internet", ip)
		}
	}
	for _, ip := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1", "169.253.1.1", "169.255.1.1",
		"172.15.255.255", "172.32.0.1", "192.167.1.1", "192.169.1.1", "198.17.1.1", "198.20.1.1", "223.255.255.255",
		"2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
	} {
		if what := Special(netip.MustParseAddr(ip)); what != "" {
			t.Errorf("%s is told as %s", ip, what)
		}
	}
	if Special(netip.Addr{}) == "" {
		t.Error("no address passes")
	}
}

// Nothing is connected to that is not of the public internet, whatever name it goes
// by, and nothing on the way to it sees the request.
func TestTransportRefuses(t *testing.T) {
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, to := range []string{
		"http://127.0.0.1:" + port, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port, "http://[::]:" + port,
		"https://127.0.0.1:" + port, "http://10.0.0.1", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.64.0.1", "http://[fe80::1]",
	} {
		_, err := (&http.Client{Transport: Transport(false)}).Get(to) //nolint:bodyclose // there is none
		refused, ok := errors.AsType[*Refused](err)
		if !ok || !strings.Contains(refused.Error(), "public internet only") || !refused.IP.IsValid() {
			t.Errorf("%s: %v", to, err)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d requests came through", reached.Load())
	}
}

// A server on this machine, named by --endpoint, is called; no other one is, and its
// answers lead nowhere else.
func TestTransportToThisMachine(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}
	}))
	defer server.Close()
	c := &http.Client{Transport: Transport(true)}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		resp, err := c.Get("http://" + host + ":" + port)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	_, err := c.Get(server.URL + "/away") //nolint:bodyclose // there is none
	if refused, ok := errors.AsType[*Refused](err); !ok || refused.IP.String() != "169.254.169.254" {
		t.Errorf("a redirect: %v", err)
	}
	_, err = c.Get("http://192.168.0.1") //nolint:bodyclose // there is none
	if _, ok := errors.AsType[*Refused](err); !ok {
		t.Errorf("a private address: %v", err)
	}
}

// What the socket is about to connect to counts, not what a name led to before.
func TestControlSeesTheAddress(t *testing.T) {
	g := &guard{}
	for address, want := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1111]:443": true, "10.0.0.1:443": false, "[::ffff:10.0.0.1]:443": false, "[fe80::1%lo]:443": false, "": false, "example.com:443": false,
	} {
		if err := g.control("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A proxy of the environment may be private; it is not asked for what is.
func TestTransportByProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.Host) }))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	g := &guard{proxy: http.ProxyURL(at)}
	c := &http.Client{Transport: &http.Transport{Proxy: g.proxied, DialContext: g.dial}}
	resp, err := c.Get("http://vendor.example/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, to := range []string{"http://169.254.169.254/", "http://[::1]/", "http://127.0.0.1:9/"} {
		_, err := c.Get(to) //nolint:bodyclose // there is none
		if _, ok := errors.AsType[*Refused](err); !ok {
			t.Errorf("%s: %v", to, err)
		}
	}
	if len(asked) != 1 || asked[0] != "vendor.example" {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

func TestRefusedSays(t *testing.T) {
	for want, r := range map[string]*Refused{
		"10.0.0.1 is a private address:":                             {Host: "10.0.0.1", IP: netip.MustParseAddr("10.0.0.1"), What: "a private address"},
		"crm.example leads to 10.0.0.1, which is a private address:": {Host: "crm.example", IP: netip.MustParseAddr("10.0.0.1"), What: "a private address"},
	} {
		if got := r.Error(); !strings.HasPrefix(got, want) || !strings.Contains(got, "url") {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
