package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/penstock-data/penstock/shared/app/doctor"
)

// proxies judges the proxy that the environment names, for all calls of this process:
// its text may hold a password, so that only its host is told.
func proxies(ctx context.Context) ([]doctor.Finding, error) {
	var found []doctor.Finding
	seen := map[string]bool{}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		text := os.Getenv(name)
		if text == "" || seen[text] {
			continue
		}
		seen[text] = true
		found = append(found, proxy(ctx, name, text))
	}
	if found == nil {
		found = []doctor.Finding{{Check: "proxy", Verdict: doctor.OK, Detail: "none is set"}}
	}
	return found, nil
}

// proxy judges one.
func proxy(ctx context.Context, name, text string) doctor.Finding {
	f := doctor.Finding{Check: "proxy", About: name, Verdict: doctor.Fail, Remedy: "unset " + name + ", or set it to http://HOST:PORT; NO_PROXY names hosts that are called without it"}
	if !strings.Contains(text, "://") {
		text = "http://" + text // as net/http reads it
	}
	u, err := url.Parse(text)
	ports := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}
	if err != nil || u.Hostname() == "" || ports[u.Scheme] == "" {
		f.Detail = "its value is no address of a proxy"
		return f
	}
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		f.Detail = fmt.Sprintf("%s does not answer: no account can be reached through it", address)
		return f
	}
	conn.Close()
	f.Verdict, f.Detail, f.Remedy = doctor.OK, "calls go through "+address, ""
	return f
}
