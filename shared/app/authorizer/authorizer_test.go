package authorizer_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/authorizer"
	"github.com/penstock-data/penstock/shared/idtoken"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
)

const (
	audience = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1"
	email    = "penstock@acme.iam.gserviceaccount.com"
	api      = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/v1"
)

var pairs = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return keys
})

// A google publishes keys, may be down, and counts who asks.
type google struct {
	mu    sync.Mutex
	keys  map[string]*rsa.PrivateKey
	down  int // the status that it answers instead, 0 none
	asked int
}

func (g *google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	if g.down != 0 {
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", g.down)
		return
	}
	var keys []any
	for id, k := range g.keys {
		keys = append(keys, map[string]any{
			"kid": id, "kty": "RSA", "use": "sig", "alg": "RS256", "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()),
		})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
}

func (g *google) set(down int, keys map[string]*rsa.PrivateKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
	if keys != nil {
		g.keys = keys
	}
}

// A world is the authorizer, Google, and a clock.
type world struct {
	*authorizer.Handler
	google *google
	now    time.Time
	log    bytes.Buffer
}

func newWorld(t *testing.T) *world {
	w := &world{google: &google{keys: map[string]*rsa.PrivateKey{"k1": pairs()[0]}}, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(w.google)
	t.Cleanup(server.Close)
	clock := func() time.Time { return w.now }
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.Handler = &authorizer.Handler{
		Policy:     idtoken.Policy{Audience: audience, Emails: []string{email, "airflow@acme.iam.gserviceaccount.com"}, Skew: authorizer.Skew},
		Forwarders: []string{email}, Keys: &authorizer.KeySet{URL: server.URL, Client: client, Now: clock}, Now: clock,
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	return w
}

// token is one of this email, signed by a key.
func (w *world) token(t *testing.T, kid string, key *rsa.PrivateKey, of string) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": "https://accounts.google.com", "aud": audience, "sub": "1234", "email": of, "email_verified": true, "iat": w.now.Unix(), "exp": w.now.Add(time.Hour).Unix(),
	})
	token.Header["kid"] = kid
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An answer is what API Gateway reads.
type answer struct {
	PrincipalID    string
	PolicyDocument struct {
		Version   string
		Statement []struct{ Action, Effect, Resource string }
	}
	Context map[string]string
}

func (w *world) ask(t *testing.T, token, method string) (answer, error) {
	t.Helper()
	event, err := json.Marshal(map[string]string{"type": "TOKEN", "authorizationToken": token, "methodArn": method})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.Invoke(t.Context(), event)
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if a.PrincipalID == "" || a.PolicyDocument.Version != "2012-10-17" || len(a.PolicyDocument.Statement) != 1 || a.PolicyDocument.Statement[0].Action != "execute-api:Invoke" {
		t.Fatalf("no answer that API Gateway takes: %s", out)
	}
	return a, nil
}

// decision is the effect and where it holds.
func (a answer) decision() string {
	s := a.PolicyDocument.Statement[0]
	return s.Effect + " " + s.Resource
}

func TestGoodTokensMayCallEverything(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ of, forward string }{
		"a forwarder":     {email, "true"},
		"another account": {"airflow@acme.iam.gserviceaccount.com", "false"},
	} {
		a, err := w.ask(t, "Bearer "+w.token(t, "k1", pairs()[0], c.of), api+"/POST/token/begin")
		// One answer is kept for all addresses, and must open all of them and no others.
		if err != nil || a.decision() != "Allow "+api+"/POST/token/*" || a.PrincipalID != "1234" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if d := cmp.Diff(map[string]string{bigquery.VerifiedEmail: c.of, bigquery.VerifiedForward: c.forward}, a.Context); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// A refusal is an explicit Deny: beside the resource policy's Allow an empty policy
// would let everybody in.
func TestRefusalsAreExplicit(t *testing.T) {
	w := newWorld(t)
	good := w.token(t, "k1", pairs()[0], email)
	for name, c := range map[string]struct{ token, method, want string }{
		"no token":                      {"", api + "/POST/token/push", "Deny " + api + "/*"},
		"no bearer's":                   {"Basic " + good, api + "/POST/token/push", "Deny " + api + "/*"},
		"somebody else's":               {"Bearer " + w.token(t, "k1", pairs()[0], "mallory@acme.example"), api + "/POST/token/push", "Deny " + api + "/*"},
		"a made-up key's":               {"Bearer " + w.token(t, "k9", pairs()[1], email), api + "/POST/token/push", "Deny " + api + "/*"},
		"a made-up signature":           {"Bearer " + w.token(t, "k1", pairs()[1], email), api + "/POST/token/push", "Deny " + api + "/*"},
		"a good one at another address": {"Bearer " + good, api + "/POST/push", "Deny *"},
		"a good one nowhere":            {"Bearer " + good, "", "Deny *"},
		"a good one at two addresses":   {"Bearer " + good, "arn:aws:execute-api:eu-west-1:123456789012:*/v1/POST/token/push", "Deny *"},
	} {
		a, err := w.ask(t, c.token, c.method)
		if err != nil || a.decision() != c.want || a.Context != nil {
			t.Errorf("%s: %+v, %v; want %s", name, a, err, c.want)
		}
	}
	if log := w.log.String(); strings.Contains(log, good[:40]) || !strings.Contains(log, "mallory@acme.example") {
		t.Errorf("the log names who was refused, and holds no token:\n%s", log)
	}
}

// A stack without an audience takes no token, and does not even ask for keys.
func TestUnconfiguredTakesNothing(t *testing.T) {
	w := newWorld(t)
	w.Policy = idtoken.Policy{}
	a, err := w.ask(t, "Bearer "+w.token(t, "k1", pairs()[0], email), api+"/POST/token/push")
	if err != nil || a.decision() != "Deny "+api+"/*" || w.google.asked != 0 {
		t.Errorf("%+v, %v, asked %d times", a, err, w.google.asked)
	}
}

func TestFromEnvironment(t *testing.T) {
	t.Setenv("PENSTOCK_TOKEN_AUDIENCE", "none")
	t.Setenv("PENSTOCK_TOKEN_EMAILS", "none")
	t.Setenv("PENSTOCK_TOKEN_FORWARDERS", "none")
	h, err := authorizer.FromEnvironment()
	if err != nil || h.Policy.Audience != "" || h.Policy.Emails != nil || h.Forwarders != nil {
		t.Errorf("%+v, %v", h, err)
	}
	t.Setenv("PENSTOCK_TOKEN_AUDIENCE", audience)
	t.Setenv("PENSTOCK_TOKEN_EMAILS", "a@b.example,c@d.example")
	if h, err = authorizer.FromEnvironment(); err != nil || h.Policy.Audience != audience || len(h.Policy.Emails) != 2 || h.Forwarders != nil {
		t.Errorf("%+v, %v", h, err)
	}
	t.Setenv("PENSTOCK_TOKEN_AUDIENCE", "")
	if _, err = authorizer.FromEnvironment(); err == nil {
		t.Error("a variable that is missing goes unnoticed")
	}
}

// taken asks with a token and says what came of it, and how often Google was asked.
func (w *world) taken(t *testing.T, kid string, key *rsa.PrivateKey) (string, int) {
	t.Helper()
	before := w.google.asked
	a, err := w.ask(t, "Bearer "+w.token(t, kid, key, email), api+"/POST/token/push")
	if err != nil {
		return "error", w.google.asked - before
	}
	return a.PolicyDocument.Statement[0].Effect, w.google.asked - before
}

// Keys are read once an hour, anew for a key that is not known, and that once a minute
// at most; when they cannot be read the old ones hold for a day.
func TestKeys(t *testing.T) {
	w := newWorld(t)
	k1, k2 := pairs()[0], pairs()[1]
	for _, step := range []struct {
		name  string
		later time.Duration
		down  int
		keys  map[string]*rsa.PrivateKey
		kid   string
		key   *rsa.PrivateKey
		want  string
		asked int
	}{
		{"down from the start", 0, 503, nil, "k1", k1, "error", 1},
		{"not asked again at once", time.Second, 0, nil, "k1", k1, "error", 0},
		{"but soon", 5 * time.Second, 0, nil, "k1", k1, "Allow", 1},
		{"kept", time.Second, 0, nil, "k1", k1, "Allow", 0},
		{"a made-up key within the minute", time.Second, 0, nil, "k2", k2, "Deny", 0},
		{"rotated: the new key within the minute", time.Second, 0, map[string]*rsa.PrivateKey{"k2": k2}, "k2", k2, "Deny", 0},
		{"and after it", time.Minute, 0, nil, "k2", k2, "Allow", 1},
		{"the old key is gone", time.Second, 0, nil, "k1", k1, "Deny", 0},
		{"and asked for once a minute", time.Minute, 0, nil, "k1", k1, "Deny", 1},
		{"an outage after an hour", time.Hour, 500, nil, "k2", k2, "Allow", 1},
		{"is not asked about at once", time.Second, 500, nil, "k2", k2, "Allow", 0},
		{"and goes on", 20 * time.Hour, 404, nil, "k2", k2, "Allow", 1},
		{"redirects are not followed", time.Hour, 302, nil, "k2", k2, "Allow", 1},
		{"until a day is over", 3 * time.Hour, 500, nil, "k2", k2, "error", 1},
		{"and it ends", 6 * time.Second, 0, nil, "k2", k2, "Allow", 1},
		{"an hour later", time.Hour, 0, nil, "k2", k2, "Allow", 1},
	} {
		w.now = w.now.Add(step.later)
		w.google.set(step.down, step.keys)
		if got, asked := w.taken(t, step.kid, step.key); got != step.want || asked != step.asked {
			t.Errorf("%s: %s, asked %d times; want %s, %d", step.name, got, asked, step.want, step.asked)
		}
	}
}

// A thousand made-up tokens at once ask Google once.
func TestMadeUpTokensCauseNoTraffic(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for i := range 50 {
		token := w.token(t, "made-up-"+string(rune('a'+i)), pairs()[1], email)
		all.Go(func() {
			if a, err := w.ask(t, "Bearer "+token, api+"/POST/token/push"); err != nil || a.PolicyDocument.Statement[0].Effect != "Deny" {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	all.Wait()
	if w.google.asked != 1 {
		t.Errorf("Google was asked %d times", w.google.asked)
	}
}
