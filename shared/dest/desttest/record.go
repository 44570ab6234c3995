package desttest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
)

// RecordEnv names the folder that Recorded writes to; without it nothing is recorded.
const RecordEnv = "PENSTOCK_REQUESTS"

// Recorded is a test's configuration whose requests are written down, a line of JSON
// each, in the file of the connection's type; without headers, for these hold secrets.
// .ci/referees compares them with the request types of the vendors' own clients.
func Recorded(t testing.TB, cfg dest.Config) dest.Config {
	t.Helper()
	dir := os.Getenv(RecordEnv) //nolint:forbidigo // a suite: tests by another name
	if dir == "" {
		return cfg
	}
	file, err := os.OpenFile(filepath.Join(dir, cfg.Connection.Type+".ndjson"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	var client http.Client
	if cfg.HTTP != nil {
		client = *cfg.HTTP
	} else {
		client = http.Client{Transport: netguard.Transport(cfg.Loopback), Timeout: 30 * time.Second}
	}
	client.Transport = recorder{file, client.Transport}
	cfg.HTTP = &client
	return cfg
}

// A recorder writes requests down and sends them on.
type recorder struct {
	file io.Writer
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper. A line is one write, so that those of
// several tests do not mix.
func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close() //nolint:errcheck // memory
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	line, err := json.Marshal(map[string]string{
		"method": req.Method, "path": req.URL.EscapedPath(), "query": req.URL.RawQuery, "type": req.Header.Get("Content-Type"), "body": string(body),
	})
	if err != nil {
		return nil, err
	}
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	return r.next.RoundTrip(req)
}
