package machine

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Bytes that no client of ours sends are answered as their sender's mistake.
func TestRawRequests(t *testing.T) {
	m := running(t, Config{})
	address := strings.TrimPrefix(m.URL, "http://")
	const head = "Host: localhost\r\nConnection: close\r\nsf-external-function-query-batch-id: b\r\n"
	for name, c := range map[string]struct{ request, want string }{
		"no HTTP":                  {"hello\r\n\r\n", "400"},
		"no host":                  {"POST /push HTTP/1.1\r\n\r\n", "400"},
		"no host, HTTP/1.0":        {"POST /push HTTP/1.0\r\n\r\n", "403"},
		"two hosts":                {"POST /push HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "400"},
		"a foreign absolute path":  {"POST http://evil.example/push HTTP/1.1\r\n" + head + "\r\n", "403"},
		"no path that there is":    {"POST /nothing HTTP/1.1\r\n" + head + "\r\n", "404"},
		"a path up":                {"POST /push/../../x HTTP/1.1\r\n" + head + "\r\n", "30"},
		"another method":           {"DELETE /push HTTP/1.1\r\n" + head + "\r\n", "403"},
		"a body cut off":           {"POST /push HTTP/1.1\r\n" + head + "Content-Length: 10\r\n\r\n{", "400"},
		"chunks that are none":     {"POST /push HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		"header bytes of no text":  {"POST /push HTTP/1.1\r\n" + head + "x: \xff\xfe\r\nContent-Length: 1\r\n\r\n{", "400"},
		"a role of no text":        {"POST /status HTTP/1.1\r\n" + head + "sf-context-current-role: \xc4DMIN\r\nContent-Length: 1\r\n\r\n{", "400"},
		"a body of no text":        {"POST /push HTTP/1.1\r\n" + head + "Content-Length: 2\r\n\r\n\xff\xfe", "400"},
		"a length of 20 MB":        {"POST /push HTTP/1.1\r\n" + head + "Content-Length: 20000000\r\n\r\n", "4"},
		"a gzip header without it": {"POST /push HTTP/1.1\r\n" + head + "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n{\"data\":[]} ", "200"},
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(conn, c.request); err != nil {
			t.Fatal(err)
		}
		// A sender that ends a whole request is taken for one that went away.
		if whole := name != "a body cut off" && name != "a length of 20 MB"; !whole {
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		resp.Body.Close()
		if !strings.HasPrefix(fmt.Sprint(resp.StatusCode), c.want) {
			t.Errorf("%s: %s, want %s", name, resp.Status, c.want)
		}
		conn.Close()
	}
}
