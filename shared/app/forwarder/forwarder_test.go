package forwarder_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/klauspost/compress/gzip"

	"github.com/penstock-data/penstock/shared/app/forwarder"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
)

const audience = "https://penstock.acme.example"

// A metadata server gives tokens as Google's does, and refuses what that refuses.
type metadata struct {
	mu    sync.Mutex
	now   func() time.Time
	down  bool
	asked int
}

func (m *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	w.Header().Set("Metadata-Flavor", "Google")
	q := r.URL.Query()
	switch {
	case m.down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Header.Get("Metadata-Flavor") != "Google" || r.Header.Get("X-Forwarded-For") != "":
		w.WriteHeader(http.StatusForbidden)
	case r.Method != http.MethodGet || r.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/identity":
		w.WriteHeader(http.StatusNotFound)
	case q.Get("audience") == "":
		w.WriteHeader(http.StatusBadRequest)
	default:
		claims := jwt.MapClaims{"aud": q.Get("audience"), "n": m.asked, "exp": m.now().Add(time.Hour).Unix()}
		if q.Get("format") == "full" {
			claims["email"] = "penstock@acme.iam.gserviceaccount.com"
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("google's own"))
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(w, token+"\n")
	}
}

// An api is the API Gateway: it takes what carries a token for it, and answers as told.
type api struct {
	mu     sync.Mutex
	status int
	body   string
	got    []got
}

type got struct{ path, body, token, encoding string }

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(token, claims)
	if !bearer || err != nil || claims["aud"] != audience || claims["email"] == nil {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"Message":"User is not authorized to access this resource with an explicit deny"}`)
		return
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	b, err := io.ReadAll(body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a.got = append(a.got, got{r.URL.Path, string(b), token, r.Header.Get("Content-Encoding")})
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// A world is the forwarder between its stand-ins, on a clock.
type world struct {
	*forwarder.Handler
	meta *metadata
	api  *api
	now  time.Time
	log  bytes.Buffer
}

func newWorld(t *testing.T) *world {
	w := &world{api: &api{status: 200, body: `{"replies":[]}`}, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	w.meta = &metadata{now: clock}
	m, a := httptest.NewServer(w.meta), httptest.NewServer(w.api)
	t.Cleanup(m.Close)
	t.Cleanup(a.Close)
	host, err := url.Parse(m.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.Handler = &forwarder.Handler{
		API: a.URL + "/v1", Client: a.Client(), Now: clock, Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
		Tokens: &forwarder.Tokens{Host: host.Host, Audience: audience, Client: m.Client(), Now: clock},
	}
	return w
}

func (w *world) post(path, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return rec
}

const small = `{"requestId":"1","caller":"//bigquery/jobs/p:US.j","sessionUser":"jo@acme.example","userDefinedContext":{"function":"penstock_push"},"calls":[["sf_health",{"email":"s3cret@acme.example"}]]}`

func TestForwards(t *testing.T) {
	w := newWorld(t)
	w.api.body = `{"replies":[{"status":"queued"}]}`
	for path, want := range map[string]string{
		"/": "/v1/token/push", "/begin": "/v1/token/begin", "/x/y/begin": "/v1/token/begin", "/PUSH": "/v1/token/push", "/../push": "/v1/token/push", "/push%2F..%2F..%2Fpush": "/v1/token/push",
	} {
		w.api.got = nil
		r := w.post(path, small)
		if r.Code != 200 || r.Body.String() != w.api.body || r.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %d %s", path, r.Code, r.Body)
		}
		if len(w.api.got) != 1 || w.api.got[0].path != want || w.api.got[0].body != small || w.api.got[0].encoding != "" {
			t.Errorf("%s: %+v", path, w.api.got)
		}
	}
	wide := strings.Replace(small, "s3cret@", strings.Repeat("x", 200_000), 1)
	w.api.got = nil
	if r := w.post("/", wide); r.Code != 200 || len(w.api.got) != 1 || w.api.got[0].body != wide || w.api.got[0].encoding != "gzip" {
		t.Errorf("a large request is compressed on its way: %d, %.200v", r.Code, w.api.got)
	}
	if log := w.log.String(); strings.Contains(log, "s3cret") || strings.Contains(log, "jo@acme") || strings.Contains(log, "queued") || !strings.Contains(log, `"function":"push","status":200`) {
		t.Errorf("the log holds bodies:\n%s", log)
	}
}

// Answers go back as they are where the function spoke, and in BigQuery's form where the
// gateway did, with a status that makes BigQuery do the right thing.
func TestAnswers(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		status int
		body   string
		want   int
		says   string
	}{
		{400, `{"errorMessage":"there is no sync \"a\""}`, 400, `there is no sync "a"`},
		{429, `{"errorMessage":"slow down"}`, 429, "slow down"},
		{503, `{"errorMessage":"try again"}`, 503, "try again"},
		{401, `{"message":"Unauthorized"}`, 401, "TokenEmails"},
		{403, `{"Message":"explicit deny"}`, 403, "TokenEmails"},
		{413, `{"message":"Request Too Long"}`, 413, "max_batching_rows"},
		{429, `{"message":"Too Many Requests"}`, 429, "status 429"},
		{500, `{"message":null}`, 500, "status 500"},
		{502, `{"message": "Internal server error"}`, 503, "status 503"}, // 502 is not tried again
		{504, `{"message": "Endpoint request timed out"}`, 504, "status 504"},
		{302, `<html>`, 302, "status 302"},
		{404, ``, 404, "status 404"},
		{400, `{"errorMessage":"` + strings.Repeat("x", 5000) + `"}`, 400, "status 400"},
	} {
		w.api.status, w.api.body = c.status, c.body
		r := w.post("/push", small)
		if r.Code != c.want || !strings.Contains(bigquery.Message(r.Body.Bytes()), c.says) || r.Body.Len() >= 1024 {
			t.Errorf("%d %.80s: %d %s", c.status, c.body, r.Code, r.Body)
		}
	}
}

func TestRefuses(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		method, path, body string
		want               int
	}{
		"GET":                 {"GET", "/push", small, 405},
		"no function":         {"POST", "/", `{"requestId":"1"}`, 400},
		"no JSON":             {"POST", "/", `<html>`, 400},
		"another address":     {"POST", "/", `{"userDefinedContext":{"function":"../../v2/push"}}`, 400},
		"a host":              {"POST", "/", `{"userDefinedContext":{"function":"push@evil.example"}}`, 400},
		"far too large":       {"POST", "/push", strings.Repeat("x", 12<<20), 413},
		"incompressible bulk": {"POST", "/push", noise(8 << 20), 413},
	} {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if rec.Code != c.want || bigquery.Message(rec.Body.Bytes()) == "" || len(w.api.got) != 0 {
			t.Errorf("%s: %d %s, sent %d", name, rec.Code, rec.Body, len(w.api.got))
		}
	}
}

// noise does not get smaller by compression.
func noise(n int) string {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return string(b)
}

// A request that broke off is sent again, not refused as if it were too large.
func TestRequestThatBreaksOff(t *testing.T) {
	w := newWorld(t)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/push", io.MultiReader(strings.NewReader(small[:20]), iotest.ErrReader(io.ErrUnexpectedEOF))))
	if rec.Code != http.StatusServiceUnavailable || bigquery.Message(rec.Body.Bytes()) == "" || len(w.api.got) != 0 {
		t.Errorf("%d %s, %d sent on", rec.Code, rec.Body, len(w.api.got))
	}
}

// A token is kept until shortly before its end, and used to its end when the metadata
// server is away; without one BigQuery is told to try again.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		name  string
		later time.Duration
		down  bool
		want  int
		asked int
	}{
		{"away from the start", 0, true, 503, 1},
		{"back", time.Second, false, 200, 1},
		{"kept", 54 * time.Minute, false, 200, 0},
		{"away shortly before its end", 2 * time.Minute, true, 200, 1},
		{"away at its end", 4 * time.Minute, true, 503, 1},
		{"back again", time.Second, false, 200, 1},
		{"and kept", time.Minute, false, 200, 0},
		{"anew before its end", 55 * time.Minute, false, 200, 1},
	} {
		w.now, w.meta.down = w.now.Add(step.later), step.down
		before := w.meta.asked
		if r := w.post("/push", small); r.Code != step.want || w.meta.asked-before != step.asked {
			t.Errorf("%s: %d %s, asked %d times; want %d, %d", step.name, r.Code, r.Body, w.meta.asked-before, step.want, step.asked)
		}
	}
	if strings.Contains(w.log.String(), "eyJ") {
		t.Errorf("a token is in the log:\n%s", w.log.String())
	}
}

func TestManyAtOnceFetchOneToken(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if r := w.post("/push", small); r.Code != 200 {
				t.Errorf("%d %s", r.Code, r.Body)
			}
		})
	}
	all.Wait()
	if w.meta.asked != 1 {
		t.Errorf("the metadata server was asked %d times", w.meta.asked)
	}
}

// A call whose answer is lost may have arrived, and is tried again.
func TestLostAnswers(t *testing.T) {
	w := newWorld(t)
	w.Client = &http.Client{Transport: lost{}}
	if r := w.post("/push", small); r.Code != 503 || bigquery.Message(r.Body.Bytes()) == "" {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}

type lost struct{}

func (lost) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection reset")
}

// Only https, to one address that is the public internet's, is ever called.
func TestNew(t *testing.T) {
	for _, bad := range []string{"", "http://a.example/v1", "https://", "https://user@a.example", "https://a.example/?x=1", "https://a.example/#x", "ftp://a.example", "a.example", "://"} {
		if _, err := forwarder.New(env(forwarder.APIURL, bad), io.Discard); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	h, err := forwarder.New(env(forwarder.APIURL, "https://a1.execute-api.eu-west-1.amazonaws.com/v1/"), io.Discard)
	if err != nil || h.API != "https://a1.execute-api.eu-west-1.amazonaws.com/v1" || h.Tokens.Audience != h.API || h.Tokens.Host != forwarder.MetadataHost {
		t.Fatalf("%+v, %v", h, err)
	}
	other, err := forwarder.New(env(forwarder.APIURL, h.API, forwarder.Audience, audience, "GCE_METADATA_HOST", "127.0.0.1:1"), io.Discard)
	if err != nil || other.Tokens.Audience != audience || other.Tokens.Host != "127.0.0.1:1" {
		t.Errorf("%+v, %v", other.Tokens, err)
	}
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	inside, err := forwarder.New(env(forwarder.APIURL, server.URL), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := inside.Client.Get(server.URL)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "an address of this machine") {
		t.Errorf("an address of the inside is called: %v", err)
	}
}

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}
