package apptest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"

	"github.com/penstock-data/penstock/shared/app/authorizer"
	"github.com/penstock-data/penstock/shared/app/forwarder"
	"github.com/penstock-data/penstock/shared/idtoken"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// The accounts of a project at Google.
const (
	forwarderAccount = "penstock@acme-data.iam.gserviceaccount.com"
	tokenAudience    = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1"
)

var googleKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// A google is the whole road from BigQuery to the functions: its forwarder on Cloud Run
// with the metadata server beside it, API Gateway with the authorizer, and Google's keys.
type google struct {
	w         *World
	user      string // sessionUser
	account   string // that the forwarder runs as
	authorize *authorizer.Handler
	forward   *forwarder.Handler
	apiStatus int // that the gateway answers instead of calling a function, 0 none
}

func newGoogle(t *testing.T, w *World) *google {
	t.Helper()
	g := &google{w: w, user: "jo@acme.example", account: forwarderAccount}
	serve := func(h http.HandlerFunc) *httptest.Server {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s
	}
	keys, metadata, api := serve(g.keys), serve(g.metadata), serve(g.api)
	log := slog.New(slog.NewJSONHandler(&w.log, nil))
	g.authorize = &authorizer.Handler{
		Policy:     idtoken.Policy{Audience: tokenAudience, Emails: []string{forwarderAccount, "airflow@acme-data.iam.gserviceaccount.com"}, Skew: authorizer.Skew},
		Forwarders: []string{forwarderAccount}, Keys: &authorizer.KeySet{URL: keys.URL, Client: keys.Client(), Now: w.Clock.Now}, Now: w.Clock.Now, Log: log,
	}
	g.forward = &forwarder.Handler{
		API: api.URL + "/v1", Client: api.Client(), Now: w.Clock.Now, Log: log,
		Tokens: &forwarder.Tokens{Host: strings.TrimPrefix(metadata.URL, "http://"), Audience: tokenAudience, Client: metadata.Client(), Now: w.Clock.Now},
	}
	return g
}

func (g *google) keys(w http.ResponseWriter, _ *http.Request) {
	k := googleKey()
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
		"kid": "k1", "kty": "RSA", "use": "sig", "alg": "RS256", "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()),
	}}})
}

func (g *google) metadata(w http.ResponseWriter, r *http.Request) {
	now := g.w.Clock.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": "https://accounts.google.com", "aud": r.URL.Query().Get("audience"), "sub": "1048576", "email": g.account, "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	token.Header["kid"] = "k1"
	s, err := token.SignedString(googleKey())
	if err != nil || r.Header.Get("Metadata-Flavor") != "Google" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Metadata-Flavor", "Google")
	_, _ = io.WriteString(w, s)
}

// api is API Gateway: it asks the authorizer, heeds its policy, and hands the event to
// the function of the address.
func (g *google) api(w http.ResponseWriter, r *http.Request) {
	const arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/"
	refuse := func(status int, message string) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"message":%q}`, message)
	}
	if g.apiStatus != 0 {
		refuse(g.apiStatus, "Internal server error")
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	asked, err := json.Marshal(map[string]string{"type": "TOKEN", "authorizationToken": r.Header.Get("Authorization"), "methodArn": arn + r.Method + path})
	if err != nil {
		panic(err)
	}
	said, err := g.authorize.Invoke(r.Context(), asked)
	if err != nil {
		refuse(http.StatusInternalServerError, "AuthorizerFailureException")
		return
	}
	var policy struct {
		PolicyDocument struct {
			Statement []struct{ Effect, Resource string }
		}
		Context map[string]string
	}
	if err := json.Unmarshal(said, &policy); err != nil {
		panic(err)
	}
	s := policy.PolicyDocument.Statement[0]
	if s.Effect != "Allow" || !strings.HasPrefix(arn+r.Method+path, strings.TrimSuffix(s.Resource, "*")) {
		refuse(http.StatusForbidden, "User is not authorized to access this resource with an explicit deny in an identity-based policy")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	event := gateway.WithVerified(gateway.EncodeRequest(r.Method, path, r.Header, nil, body), "email", policy.Context["email"], "forward", policy.Context["forward"])
	name := "control"
	if path == "/token/push" {
		name = "push"
	}
	raw, err := g.w.Functions[name].Invoke(r.Context(), event)
	if err != nil {
		refuse(http.StatusBadGateway, "Internal server error")
		return
	}
	answer, err := gateway.DecodeResponse(raw)
	if err != nil {
		refuse(http.StatusBadGateway, "Internal server error")
		return
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body)
}

// post is one request of BigQuery's, and what comes back.
func (g *google) post(function string, query int, id string, rows [][]jsontext.Value) (status int, body []byte) {
	sent := bigquery.Request{
		ID: id, Job: fmt.Sprintf("//bigquery.googleapis.com/projects/acme-data/jobs/acme-data:EU.bquxjob_%08d", query), User: g.user,
		Context: []string{bigquery.ContextFunction, "penstock_" + function}, Calls: rows,
	}
	rec := httptest.NewRecorder()
	g.forward.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(sent.Append(nil)))))
	return rec.Code, rec.Body.Bytes()
}

// send does what BigQuery's documentation says of an answer.
func (g *google) send(_ *testing.T, _ *World, function string, query int, id string, rows [][]jsontext.Value) ([]jsontext.Value, bool, error) {
	status, body := g.post(function, query, id, rows)
	switch status {
	case http.StatusOK:
		values, err := bigquery.DecodeReply(body)
		return values, false, err
	case 408, 429, 500, 503, 504:
		return nil, true, nil
	}
	return nil, false, fmt.Errorf("the query fails: %d %s", status, bigquery.Message(body))
}

func jsonRows(rows ...[]string) [][]jsontext.Value {
	out := make([][]jsontext.Value, len(rows))
	for i, r := range rows {
		for _, v := range r {
			out[i] = append(out[i], jsontext.Value(v))
		}
	}
	return out
}

// Who may call over tokens: by the email that the API verified, and by the person's where
// the forwarder is trusted to tell it. What a body says is nobody's word by itself.
func TestAllowByToken(t *testing.T) {
	const airflow = "airflow@acme-data.iam.gserviceaccount.com"
	for name, c := range map[string]struct {
		allow, account, user string
		want                 int
		says                 string
	}{
		"the forwarder's account":               {forwarderAccount, forwarderAccount, "anybody@acme.example", 200, ""},
		"a person through it":                   {"jo@acme.example", forwarderAccount, "jo@acme.example", 200, ""},
		"another person through it":             {"jo@acme.example", forwarderAccount, "mallory@acme.example", 400, "there is no sync"},
		"the person in capitals":                {"jo@acme.example", forwarderAccount, "JO@acme.example", 400, "there is no sync"},
		"nobody through it":                     {"jo@acme.example", forwarderAccount, "", 400, "there is no sync"},
		"another account of its own":            {airflow, airflow, "", 200, ""},
		"another account that writes a name":    {"jo@acme.example", airflow, "jo@acme.example", 400, "there is no sync"},
		"another account that writes forwarder": {forwarderAccount, airflow, forwarderAccount, 400, "there is no sync"},
		"an account that no list names":         {"jo@acme.example", "stranger@else.iam.gserviceaccount.com", "jo@acme.example", 403, "TokenEmails"},
	} {
		t.Run(name, func(t *testing.T) {
			set := Set(t)
			for i := range set.Syncs {
				if d := &set.Syncs[i].Definition; d.Sync == healthSync {
					d.Allow = &syncdef.Allow{Push: []string{c.allow}}
				}
			}
			w := NewWith(t, set)
			g := newGoogle(t, w)
			g.account, g.user = c.account, c.user
			status, body := g.post("push", 1, "r-1", jsonRows(Health(healthSync, "john@acmecorp.com", 2)))
			if status != c.want || !strings.Contains(bigquery.Message(body), c.says) {
				t.Errorf("%d %s; want %d, %q", status, body, c.want, c.says)
			}
			status, body = g.post("begin", 2, "r-2", jsonRows([]string{fmt.Sprintf("%q", healthSync), "null"}))
			if status != c.want {
				t.Errorf("begin: %d %s; want %d", status, body, c.want)
			}
			for _, value := range []string{"john@", "eyJ", "acmecorp"} {
				if strings.Contains(w.Log(), value) { // I6
					t.Errorf("the log holds %q:\n%s", value, w.Log())
				}
			}
		})
	}
}

// What a gateway answers for a function makes BigQuery do the right thing.
func TestGatewayFailuresReachBigQuery(t *testing.T) {
	w := New(t)
	g := newGoogle(t, w)
	for status, again := range map[int]bool{429: true, 500: true, 502: true, 503: true, 504: true, 413: false, 403: false, 404: false} {
		g.apiStatus = status
		if _, tried, err := g.send(t, w, "push", 1, "r-1", jsonRows(Health(healthSync, "john@acmecorp.com", 2))); tried != again || (err == nil) != again {
			t.Errorf("status %d: tried again %v, %v", status, tried, err)
		}
	}
}

// Every function of SQL is reached by its name.
func TestEveryFunctionOverTokens(t *testing.T) {
	w := New(t)
	g := newGoogle(t, w)
	for _, name := range wire.Functions() {
		f, _ := wire.Lookup(name)
		row := make([]string, len(f.Params))
		for i := range row {
			row[i] = "null"
		}
		if len(row) > 0 {
			row[0] = `"no_such_sync"`
		}
		status, body := g.post(strings.TrimPrefix(name, "penstock_"), 1, name, jsonRows(row))
		if strings.Contains(string(body), "names no function") || strings.Contains(string(body), "other arguments") || status >= 500 || status == 403 || status == 404 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}
