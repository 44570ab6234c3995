package bigquery

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

// A standIn is Google's token endpoint and BigQuery: assertions are verified with the
// public key, tokens end, a job's id is taken for ever.
type standIn struct {
	t      *testing.T
	url    string
	key    *rsa.PublicKey
	now    time.Time
	tokens map[string]time.Time
	jobs   map[string]string // id -> status
	rows   string
	insert int // the status of jobs.insert; 0 is as documented
}

var jobID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,999}$`)

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		s.token(w, r)
		return
	}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if until, known := s.tokens[bearer]; !known || !s.now.Before(until) {
		s.fail(w, 401, "authError")
		return
	}
	const base = "/bigquery/v2/projects/acme-data"
	if r.Method == http.MethodPost && r.URL.Path == base+"/jobs" {
		s.take(w, r)
		return
	}
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case r.Method != http.MethodGet || r.URL.Query().Get("location") != "EU" || s.jobs[id] == "":
		s.fail(w, 404, "notFound")
	case strings.HasPrefix(r.URL.Path, base+"/jobs/"):
		fmt.Fprintf(w, `{"status":%s}`, s.jobs[id])
	case strings.HasPrefix(r.URL.Path, base+"/queries/"):
		fmt.Fprint(w, s.rows)
	default:
		s.fail(w, 404, "notFound")
	}
}

func (s *standIn) token(w http.ResponseWriter, r *http.Request) {
	claims := jwt.MapClaims{}
	parsed, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return s.now }), jwt.WithAudience(s.url+"/token"), jwt.WithIssuer("penstock@acme-data.iam.gserviceaccount.com"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt()).ParseWithClaims(r.PostFormValue("assertion"), claims, func(*jwt.Token) (any, error) { return s.key, nil })
	if err != nil || parsed.Header["kid"] != "kid1" || claims["scope"] != "https://www.googleapis.com/auth/bigquery" || claims["exp"].(float64)-claims["iat"].(float64) > 3600 ||
		r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		s.t.Log(err)
		w.WriteHeader(400)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	token := fmt.Sprint("ya29.", len(s.tokens))
	s.tokens[token] = s.now.Add(time.Hour)
	fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600,"token_type":"Bearer"}`, token)
}

func (s *standIn) take(w http.ResponseWriter, r *http.Request) {
	var job struct {
		JobReference  struct{ ProjectID, JobID, Location string }
		Configuration struct {
			Query struct {
				Query           string
				UseLegacySQL    *bool
				ParameterMode   string
				QueryParameters []struct {
					Name           string
					ParameterType  struct{ Type string }
					ParameterValue struct{ Value string }
				}
			}
		}
	}
	err := json.NewDecoder(r.Body).Decode(&job)
	ref, q := job.JobReference, job.Configuration.Query
	if s.insert != 0 {
		s.fail(w, s.insert, map[int]string{403: "accessDenied", 429: "rateLimitExceeded"}[s.insert])
		return
	}
	if err != nil || ref.ProjectID != "acme-data" || ref.Location != "EU" || !jobID.MatchString(ref.JobID) || q.UseLegacySQL == nil || *q.UseLegacySQL || q.ParameterMode != "NAMED" ||
		q.Query != "CALL `acme-data.penstock.penstock_run`(@sync, @mode)" || len(q.QueryParameters) != 2 || q.QueryParameters[0].ParameterValue.Value != "sf_health" || q.QueryParameters[1].ParameterType.Type != "STRING" {
		s.t.Logf("%v %+v", err, job)
		s.fail(w, 400, "invalid")
		return
	}
	if s.jobs[ref.JobID] != "" {
		s.fail(w, 409, "duplicate")
		return
	}
	s.jobs[ref.JobID] = `{"state":"PENDING"}`
	fmt.Fprintf(w, `{"jobReference":{"jobId":%q},"status":{"state":"PENDING"}}`, ref.JobID)
}

func (s *standIn) fail(w http.ResponseWriter, status int, reason string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"it quotes jane@example.com","errors":[{"reason":%q,"message":"jane@example.com"}]}}`, status, reason)
}

func open(t *testing.T) (*standIn, *Client) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &standIn{t: t, key: &key.PublicKey, now: noon, tokens: map[string]time.Time{}, jobs: map[string]string{}, rows: `{"jobComplete":true}`}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s, New(Config{Project: "acme-data", Dataset: "penstock", Location: "EU", URL: server.URL, HTTP: server.Client(), Now: func() time.Time { return s.now },
		Key: Key{Email: "penstock@acme-data.iam.gserviceaccount.com", ID: "kid1", TokenURL: server.URL + "/token", Private: key}})
}

func call(n int) run.Call {
	f := run.Firing{Sync: "sf_health", At: noon, Call: n}
	return run.Call{Sync: "sf_health", Mode: run.Full, Request: f.Request()}
}

func TestStartAndLook(t *testing.T) {
	s, c := open(t)
	st, err := c.Start(t.Context(), call(1))
	if err != nil || st.State != run.StatementRunning {
		t.Fatalf("%+v, %v", st, err)
	}
	for status, want := range map[string]run.StatementState{
		`{"state":"PENDING"}`: run.StatementRunning, `{"state":"RUNNING"}`: run.StatementRunning, `{"state":"DONE"}`: run.StatementDone,
		`{"state":"DONE","errorResult":{"reason":"invalidQuery","message":"Bad double value: jane@example.com"}}`: run.StatementFailed,
	} {
		s.jobs[st.Handle] = status
		got, err := c.Look(t.Context(), st.Handle)
		if err != nil || got.State != want || got.Handle != st.Handle || strings.Contains(got.Reason, "jane") || strings.Contains(got.Reason, "invalidQuery") != (want == run.StatementFailed) {
			t.Errorf("%s: %+v, %v", status, got, err)
		}
		// A repeat finds the job, in whatever state it is.
		again, err := c.Start(t.Context(), call(1))
		if err != nil || again != got || len(s.jobs) != 1 {
			t.Errorf("%s: a repeat: %+v, %v, %d jobs", status, again, err, len(s.jobs))
		}
	}
	if other, err := c.Start(t.Context(), call(2)); err != nil || other.Handle == st.Handle || len(s.jobs) != 2 {
		t.Errorf("another call: %+v, %v", other, err)
	}
	if len(s.tokens) != 1 {
		t.Errorf("%d tokens were asked for", len(s.tokens))
	}
	s.now = noon.Add(59*time.Minute + 30*time.Second)
	if _, err := c.Look(t.Context(), st.Handle); err != nil || len(s.tokens) != 2 {
		t.Errorf("%d tokens before the first one's end, %v", len(s.tokens), err)
	}
	if _, err := c.Look(t.Context(), "penstock_nobody"); !errors.Is(err, run.ErrRefused) {
		t.Errorf("an unknown job: %v", err)
	}
}

func TestSummary(t *testing.T) {
	s, c := open(t)
	st, err := c.Start(t.Context(), call(1))
	if err != nil {
		t.Fatal(err)
	}
	s.jobs[st.Handle] = `{"state":"DONE"}`
	for rows, want := range map[string]run.Statement{
		`{"schema":{"fields":[{"name":"sync"},{"name":"run"},{"name":"status"},{"name":"reason"}]},"rows":[{"f":[{"v":"sf_health"},{"v":null},{"v":"skipped"},{"v":"it goes on"}]}]}`: {Skipped: true, Reason: "it goes on"},
		`{"schema":{"fields":[{"name":"run"},{"name":"status"},{"name":"received"}]},"rows":[{"f":[{"v":"sf_health.r01"},{"v":"finishing"},{"v":"3"}]}]}`:                             {Run: "sf_health.r01"},
		`{"schema":{"fields":[{"name":"answer"}]},"rows":[{"f":[{"v":"{\"run\":\"sf_health.r01\",\"status\":\"finishing\"}"}]}]}`:                                                     {Run: "sf_health.r01"},
		`{"jobComplete":true}`: {},
	} {
		s.rows = rows
		want.Handle, want.State = st.Handle, run.StatementDone
		if got, err := c.Look(t.Context(), st.Handle); err != nil || got != want {
			t.Errorf("%s: %+v, %v", rows, got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	s, c := open(t)
	for status, want := range map[int]error{400: run.ErrRefused, 403: run.ErrRefused, 404: run.ErrRefused, 429: run.ErrBusy, 503: run.ErrBusy, 500: nil} {
		s.insert = status
		_, err := c.Start(t.Context(), call(1))
		if err == nil || strings.Contains(err.Error(), "jane") || want != nil && !errors.Is(err, want) || want == nil && (errors.Is(err, run.ErrRefused) || errors.Is(err, run.ErrBusy)) {
			t.Errorf("%d: %v", status, err)
		}
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cfg := c.cfg
	cfg.Key.Private = stranger
	if _, err := New(cfg).Start(t.Context(), call(1)); !errors.Is(err, run.ErrRefused) {
		t.Errorf("another key: %v", err)
	}
	if _, err := c.Start(t.Context(), run.Call{Sync: "a`; DROP"}); !errors.Is(err, run.ErrRefused) || len(s.jobs) != 0 {
		t.Errorf("%v", err)
	}
}

func TestReadKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "private_key_id": "kid", "token_uri": "https://oauth2.googleapis.com/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
	if k, err := ReadKey(good); err != nil || !k.Private.Equal(key) || k.ID != "kid" {
		t.Errorf("%+v, %v", k, err)
	}
	for member, bad := range map[string][2]string{
		"type": {"authorized_user", "no service account"}, "private_key": {"secret words", "no PEM"}, "token_uri": {"https://oauth2.googleapis.com.evil.example/token", "token_uri"}, "client_email": {"", "no service account"},
	} {
		file := map[string]string{}
		for k, v := range good {
			file[k] = v
		}
		file[member] = bad[0]
		if _, err := ReadKey(file); err == nil || !strings.Contains(err.Error(), bad[1]) || strings.Contains(err.Error(), "words") {
			t.Errorf("%s: %v", member, err)
		}
	}
}
