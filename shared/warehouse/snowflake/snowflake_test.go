package snowflake

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/penstock-data/penstock/shared/run"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// A standIn answers as the SQL API does, and takes nothing that it would not: tokens are
// verified with the public key, names are compared as they are stored, a request id is
// executed again unless retry=true names one that succeeded.
type standIn struct {
	t       *testing.T
	key     *rsa.PublicKey
	runs    int
	handles map[string]string // request id -> handle
	ended   map[string]int    // handle -> the status of GET
	data    string
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := s.stranger(r); why != "" {
		s.t.Log(why)
		s.say(w, 401, `{"code":"390144","message":"JWT token is invalid."}`)
		return
	}
	if r.Method == http.MethodGet {
		handle := strings.TrimPrefix(r.URL.Path, "/api/v2/statements/")
		switch status := s.ended[handle]; status {
		case 0:
			s.say(w, 404, `{"code":"000709","message":"statement not found"}`)
		case 200:
			s.say(w, 200, `{"statementHandle":"`+handle+`","resultSetMetaData":{"numRows":1,"rowType":[{"name":"PENSTOCK_RUN"}]},"data":[[`+s.data+`]]}`)
		case 422:
			s.say(w, 422, `{"statementHandle":"`+handle+`","code":"100038","sqlState":"22018","message":"Numeric value 'jane@example.com' is not recognized"}`)
		default:
			s.say(w, status, `{"statementHandle":"`+handle+`","code":"333334"}`)
		}
		return
	}
	q := r.URL.Query()
	var body struct {
		Statement, Database, Schema, Warehouse, Role string
		Timeout                                      int
		Bindings                                     map[string]binding
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/api/v2/statements" || !uuid.MatchString(q.Get("requestId")) || q.Get("async") != "true" {
		s.say(w, 400, `{"code":"390142","message":"bad request"}`)
		return
	}
	if body.Role != "RUNNER" || body.Warehouse != "WH" || body.Database != "PENSTOCK" || body.Schema != "Public x" || body.Timeout != 10800 {
		s.t.Logf("%+v", body)
		s.say(w, 400, `{"code":"390189","message":"Role 'x' specified in the connect string does not exist"}`)
		return
	}
	if body.Statement != "CALL penstock_run(?, ?)" || body.Bindings["1"] != (binding{"TEXT", "sf_health"}) || body.Bindings["2"] != (binding{"TEXT", "full"}) {
		s.say(w, 422, `{"code":"001003","sqlState":"42000","message":"SQL compilation error"}`)
		return
	}
	id := q.Get("requestId")
	if handle := s.handles[id]; handle != "" && q.Get("retry") == "true" && s.ended[handle] == 200 {
		s.say(w, 202, `{"statementHandle":"`+handle+`"}`)
		return
	}
	s.runs++
	handle := fmt.Sprintf("01b1a2c3-0604-8f1e-0000-00000000000%d", s.runs)
	s.handles[id], s.ended[handle] = handle, 202
	s.say(w, 202, `{"code":"333334","message":"Asynchronous execution in progress","statementHandle":"`+handle+`","statementStatusUrl":"/api/v2/statements/`+handle+`"}`)
}

// stranger says what is wrong with a request's token; "" for nothing.
func (s *standIn) stranger(r *http.Request) string {
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	claims := &jwt.RegisteredClaims{}
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return noon }), jwt.WithIssuedAt(), jwt.WithExpirationRequired()).
		ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return s.key, nil })
	print, _ := fingerprint(s.key)
	switch {
	case err != nil:
		return err.Error()
	case claims.Issuer != "XY12345-EU-CENTRAL-1.SCHEDULER."+print || claims.Subject != "XY12345-EU-CENTRAL-1.SCHEDULER":
		return fmt.Sprintf("issuer %s, subject %s", claims.Issuer, claims.Subject)
	case claims.ExpiresAt.Sub(claims.IssuedAt.Time) > time.Hour:
		return "it holds for more than an hour"
	case r.Header.Get("X-Snowflake-Authorization-Token-Type") != "KEYPAIR_JWT":
		return "the kind of token is not told"
	case r.Header.Get("User-Agent") == "" || r.Header.Get("Accept") != "application/json":
		return "no User-Agent or no Accept"
	}
	return ""
}

func (s *standIn) say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func open(t *testing.T) (*standIn, *Client) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &standIn{t: t, key: &key.PublicKey, handles: map[string]string{}, ended: map[string]int{}, data: `"{}"`}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, New(Config{Account: "xy12345.eu-central-1", User: "scheduler", Role: "runner", Warehouse: "wh", Database: "penstock", Schema: `"Public x"`,
		Key: key, URL: server.URL, HTTP: server.Client(), Now: func() time.Time { return noon }})
}

func call(n int, again bool) run.Call {
	f := run.Firing{Sync: "sf_health", At: noon, Call: n}
	return run.Call{Sync: "sf_health", Mode: run.Full, Request: f.Request(), Again: again}
}

func TestStartAndLook(t *testing.T) {
	s, c := open(t)
	st, err := c.Start(t.Context(), call(1, false))
	if err != nil || st.State != run.StatementRunning || st.Handle == "" {
		t.Fatalf("%+v, %v", st, err)
	}
	for status, want := range map[int]run.StatementState{202: run.StatementRunning, 429: run.StatementRunning, 200: run.StatementDone, 422: run.StatementFailed} {
		s.ended[st.Handle] = status
		got, err := c.Look(t.Context(), st.Handle)
		if err != nil || got.State != want || got.Handle != st.Handle {
			t.Errorf("%d: %+v, %v", status, got, err)
		}
		if strings.Contains(got.Reason, "jane") || want == run.StatementFailed && !strings.Contains(got.Reason, "SQLSTATE 22018, code 100038") {
			t.Errorf("%d: the reason is %q", status, got.Reason)
		}
	}
	s.ended[st.Handle] = 503
	if _, err := c.Look(t.Context(), st.Handle); err == nil || errors.Is(err, run.ErrRefused) {
		t.Errorf("503: %v", err)
	}
	if _, err := c.Look(t.Context(), "00000000-0000"); !errors.Is(err, run.ErrRefused) {
		t.Errorf("an unknown handle: %v", err)
	}
}

// What penstock_run answered: a run, or that nothing was begun.
func TestSummary(t *testing.T) {
	s, c := open(t)
	st, err := c.Start(t.Context(), call(1, false))
	if err != nil {
		t.Fatal(err)
	}
	s.ended[st.Handle] = 200
	for _, x := range []struct {
		data, run, reason string
		skipped           bool
	}{
		{`"{\"run\":\"sf_health.r0123456789abcdef\",\"status\":\"finishing\",\"reason\":\"not refreshed: 'jane' is no number\"}"`, "sf_health.r0123456789abcdef", "", false},
		{`"{\"run\":null,\"status\":\"skipped\",\"reason\":\"run sf_health.r1 goes on\"}"`, "", "run sf_health.r1 goes on", true},
		{`null`, "", "", false},
		{`"no object"`, "", "", false},
	} {
		s.data = x.data
		got, err := c.Look(t.Context(), st.Handle)
		if err != nil || got.State != run.StatementDone || got.Run != x.run || got.Skipped != x.skipped || got.Reason != x.reason {
			t.Errorf("%s: %+v, %v", x.data, got, err)
		}
	}
}

// A repeat names the same request: of one that has succeeded nothing runs again.
func TestRepeats(t *testing.T) {
	s, c := open(t)
	first, err := c.Start(t.Context(), call(1, false))
	if err != nil {
		t.Fatal(err)
	}
	s.ended[first.Handle] = 200
	again, err := c.Start(t.Context(), call(1, true))
	if err != nil || again.Handle != first.Handle || s.runs != 1 {
		t.Errorf("%d runs, %+v, %v", s.runs, again, err)
	}
	if other, err := c.Start(t.Context(), call(2, false)); err != nil || other.Handle == first.Handle || s.runs != 2 {
		t.Errorf("another call: %d runs, %+v, %v", s.runs, other, err)
	}
}

func TestRefused(t *testing.T) {
	s, c := open(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*Config)) *Client {
		cfg := c.cfg
		change(&cfg)
		return New(cfg)
	}
	for name, c := range map[string]*Client{
		"another key":    with(func(c *Config) { c.Key = stranger }),
		"another user":   with(func(c *Config) { c.User = "somebody" }),
		"another role":   with(func(c *Config) { c.Role = "SYSADMIN" }),
		"a slow clock":   with(func(c *Config) { c.Now = func() time.Time { return noon.Add(-time.Hour) } }),
		"no such schema": with(func(c *Config) { c.Schema = "PUBLIC X" }),
	} {
		if _, err := c.Start(t.Context(), call(1, false)); !errors.Is(err, run.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []run.Call{{Sync: "x'); DROP TABLE y", Mode: "full"}, {Sync: "sf_health", Mode: "full'"}, {Sync: "sf_health.r0123", Mode: "full"}} {
		if _, err := c.Start(t.Context(), bad); !errors.Is(err, run.ErrRefused) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if s.runs != 0 {
		t.Errorf("%d statements ran", s.runs)
	}
	for status, want := range map[int]error{429: run.ErrBusy, 503: run.ErrBusy, 500: nil, 504: nil, 405: run.ErrRefused} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		_, err := with(func(c *Config) { c.URL = server.URL }).Start(t.Context(), call(1, false))
		if err == nil || want != nil && !errors.Is(err, want) || want == nil && (errors.Is(err, run.ErrBusy) || errors.Is(err, run.ErrRefused)) {
			t.Errorf("%d: %v", status, err)
		}
		server.Close()
	}
}

func TestAddress(t *testing.T) {
	if got := New(Config{Account: "MyOrg-MyAccount"}).cfg.URL; got != "https://myorg-myaccount.snowflakecomputing.com" {
		t.Error(got)
	}
}

func TestParseKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	good := text("PRIVATE KEY", pkcs8)
	for _, in := range []string{good, strings.ReplaceAll(good, "\n", `\n`), text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))} {
		if got, err := ParseKey(in); err != nil || !got.Equal(key) {
			t.Errorf("%.40s: %v", in, err)
		}
	}
	for in, want := range map[string]string{
		"": "no PEM", "secret words": "no PEM", text("ENCRYPTED PRIVATE KEY", pkcs8): "passphrase", text("PRIVATE KEY", []byte("secret words")): "cannot be read",
		text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small)): "2,048",
	} {
		if _, err := ParseKey(in); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "words") {
			t.Errorf("%.40s: %v, want %s", in, err, want)
		}
	}
}
