package salesforce

import (
	"crypto/rand"
	"crypto/rsa"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/penstock-data/penstock/shared/sandbox"
)

func TestSessionsAndLimits(t *testing.T) {
	now := noon
	o := open(t, Options{DailyLimit: 3, Core: sandbox.Options{Now: func() time.Time { return now }}})
	describe := data + "sobjects/Account/describe"
	status, h, body := o.send("GET", describe, "")
	if status != 200 || h.Get("Sforce-Limit-Info") != "api-usage=1/3" || !strings.Contains(body, `"name":"Health_Score__c","label":"Health Score","type":"double","length":0,"precision":5,"scale":1`) {
		t.Errorf("%d %v %.400s", status, h, body)
	}
	o.sim.ExpireSessions()
	status, _, body = o.send("GET", describe, "")
	if status != 401 || body != `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]` {
		t.Errorf("%d %s", status, body)
	}
	o.sim.mu.Lock()
	o.sim.sessions[o.token] = true
	o.sim.mu.Unlock()
	o.send("GET", describe, "")
	o.send("GET", describe, "")
	status, _, body = o.send("GET", describe, "")
	if status != 403 || !strings.Contains(body, "REQUEST_LIMIT_EXCEEDED") {
		t.Errorf("over the limit: %d %s", status, body)
	}
	now = now.Add(25 * time.Hour)
	if status, _, _ = o.send("GET", describe, ""); status != 200 {
		t.Errorf("a day later: %d", status)
	}
}

func TestTooLong(t *testing.T) {
	o := open(t, Options{})
	if status, _, _ := o.send("GET", data+"query?q="+strings.Repeat("x", 17_000), ""); status != 414 {
		t.Errorf("long URI: %d", status)
	}
	o.token += strings.Repeat("x", 17_000)
	if status, _, _ := o.send("GET", data+"query?q=x", ""); status != 431 {
		t.Errorf("long header: %d", status)
	}
}

func TestJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, Options{Credentials: Credentials{ClientID: "app", ClientSecret: "hush", Username: "sync@acme.example", PublicKey: &key.PublicKey}})
	good := jwt.RegisteredClaims{Issuer: "app", Subject: "sync@acme.example", Audience: jwt.ClaimStrings{"https://login.salesforce.com"}, ExpiresAt: jwt.NewNumericDate(noon.Add(2 * time.Minute))}
	for name, test := range map[string]struct {
		change func(*jwt.RegisteredClaims)
		key    *rsa.PrivateKey
		want   string
	}{
		"good":          {func(*jwt.RegisteredClaims) {}, key, `"token_type":"Bearer"`},
		"another key":   {func(*jwt.RegisteredClaims) {}, other, "invalid assertion"},
		"expired":       {func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(noon.Add(-time.Minute)) }, key, "expired"},
		"too far ahead": {func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(noon.Add(5 * time.Minute)) }, key, "expired"},
		"audience":      {func(c *jwt.RegisteredClaims) { c.Audience = jwt.ClaimStrings{"https://example.com"} }, key, "audience is invalid"},
		"issuer":        {func(c *jwt.RegisteredClaims) { c.Issuer = "x" }, key, "client identifier invalid"},
		"subject":       {func(c *jwt.RegisteredClaims) { c.Subject = "x" }, key, "hasn't approved"},
	} {
		claims := good
		test.change(&claims)
		assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(test.key)
		if err != nil {
			t.Fatal(err)
		}
		_, _, body := o.send("POST", "/services/oauth2/token", url.Values{"grant_type": {jwtGrant}, "assertion": {assertion}}.Encode())
		if !strings.Contains(body, test.want) {
			t.Errorf("%s: %s", name, body)
		}
	}
	for form, want := range map[string]string{
		"grant_type=client_credentials&client_id=app&client_secret=x": "invalid_client",
		"grant_type=client_credentials&client_id=x&client_secret=x":   "invalid_client_id",
		"grant_type=password": "unsupported_grant_type",
	} {
		if status, _, body := o.send("POST", "/services/oauth2/token", form); status != 400 || !strings.Contains(body, `"`+want+`"`) {
			t.Errorf("%s: %d %s", form, status, body)
		}
	}
}

// TestStandardKey wants the key that is derived to be one: two processes must agree on it,
// and clients refuse a bad one.
func TestStandardKey(t *testing.T) {
	if err := standardKey.Validate(); err != nil || standardKey.N.BitLen() != 2048 {
		t.Errorf("%d bits: %v", standardKey.N.BitLen(), err)
	}
	for _, p := range standardKey.Primes {
		if !p.ProbablyPrime(20) {
			t.Errorf("%d is no prime", p)
		}
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(Sandbox.Secret["private_key"]))
	if err != nil || !key.Equal(standardKey) {
		t.Errorf("the secret's key is another: %v", err)
	}
}
