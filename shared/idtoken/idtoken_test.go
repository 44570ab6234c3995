package idtoken_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/penstock-data/penstock/shared/idtoken"
)

const (
	audience = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1"
	email    = "penstock@acme.iam.gserviceaccount.com"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// pair is one key for all tests: making one takes long.
var pair = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func good() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": "https://accounts.google.com", "aud": audience, "azp": "1234", "sub": "1234", "email": email, "email_verified": true,
		"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// with is a good token's claims but for these, by name and value in turn; nil leaves one out.
func with(changes ...any) jwt.MapClaims {
	c := good()
	for i := 0; i < len(changes); i += 2 {
		if name := changes[i].(string); changes[i+1] == nil {
			delete(c, name)
		} else {
			c[name] = changes[i+1]
		}
	}
	return c
}

func sign(t *testing.T, method jwt.SigningMethod, key any, kid any, c jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	if kid != nil {
		token.Header["kid"] = kid
	}
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerify(t *testing.T) {
	policy := idtoken.Policy{Audience: audience, Emails: []string{"other@acme.example", email}, Skew: 10 * time.Second}
	keys := idtoken.Keys{"k1": &pair().PublicKey}
	rs := func(c jwt.Claims) string { return sign(t, jwt.SigningMethodRS256, pair(), "k1", c) }
	whole := rs(good())
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := pair().N.Bytes() // what everybody knows, as the secret of HS256
	for name, c := range map[string]struct {
		token string
		want  string // a part of the fault, "" none
	}{
		"good":                                    {whole, ""},
		"the issuer without https":                {rs(with("iss", "accounts.google.com")), ""},
		"expired within the skew":                 {rs(with("exp", now.Add(-9*time.Second).Unix())), ""},
		"issued within the skew":                  {rs(with("iat", now.Add(9*time.Second).Unix())), ""},
		"one audience in a list":                  {rs(with("aud", []string{audience})), ""},
		"expired":                                 {rs(with("exp", now.Add(-11*time.Second).Unix())), "expired"},
		"of the future":                           {rs(with("iat", now.Add(11*time.Second).Unix())), "in the future"},
		"not valid before":                        {rs(with("nbf", now.Add(time.Minute).Unix())), "does not hold yet"},
		"no end":                                  {rs(with("exp", nil)), "does not say when it ends"},
		"no begin":                                {rs(with("iat", nil)), "when it was issued"},
		"another issuer":                          {rs(with("iss", "https://accounts.google.com.evil.example")), "issuer"},
		"no issuer":                               {rs(with("iss", nil)), "issuer"},
		"another audience":                        {rs(with("aud", audience+"/")), "another audience"},
		"an audience more":                        {rs(with("aud", []string{audience, "https://else.example"})), "several audiences"},
		"no audience":                             {rs(with("aud", nil)), "for whom it is made"},
		"an email that is not verified":           {rs(with("email_verified", false)), "not verified"},
		"an email of which nothing is said":       {rs(with("email_verified", nil)), "not verified"},
		"no email (without format=full)":          {rs(with("email", nil)), "format=full"},
		"an email that is not in the list":        {rs(with("email", "mallory@acme.example")), "TokenEmails"},
		"an email in capitals":                    {rs(with("email", strings.ToUpper(email))), "TokenEmails"},
		"an email that is two of the list":        {rs(with("email", "other@acme.example,"+email)), "TokenEmails"},
		"an unknown key":                          {sign(t, jwt.SigningMethodRS256, pair(), "k2", good()), "does not publish"},
		"no key's id":                             {sign(t, jwt.SigningMethodRS256, pair(), nil, good()), "does not publish"},
		"a key's id that is no text":              {sign(t, jwt.SigningMethodRS256, pair(), 1, good()), "does not publish"},
		"signed by another key":                   {sign(t, jwt.SigningMethodRS256, other, "k1", good()), "signature"},
		"RS512":                                   {sign(t, jwt.SigningMethodRS512, pair(), "k1", good()), "signature"},
		"PS256":                                   {sign(t, jwt.SigningMethodPS256, pair(), "k1", good()), "signature"},
		"HS256 with the public key as the secret": {sign(t, jwt.SigningMethodHS256, public, "k1", good()), "signature"},
		"none":           {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "k1", good()), "signature"},
		"no signature":   {whole[:strings.LastIndexByte(whole, '.')+1], "signature"},
		"another body":   {swapBody(whole, rs(with("sub", "5"))), "signature"},
		"a part too few": {"a.b", "no JSON web token"},
		"nothing":        {"", "no JSON web token"},
		"too long":       {strings.Repeat("a", idtoken.MaxToken+1), "bytes"},
	} {
		claims, err := policy.Verify(c.token, keys, now)
		switch {
		case c.want == "" && (err != nil || claims.Email != email || claims.Subject != "1234" || claims.Expires.IsZero()):
			t.Errorf("%s: %+v, %v", name, claims, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || claims != (idtoken.Claims{})):
			t.Errorf("%s: %+v, %v; want %q", name, claims, err, c.want)
		case err != nil && len(c.token) > 100 && strings.Contains(err.Error(), c.token[:30]):
			t.Errorf("%s: the fault quotes the token: %v", name, err)
		}
		if unknown := c.want == "does not publish"; errors.Is(err, idtoken.ErrUnknownKey) != unknown {
			t.Errorf("%s: an unknown key: %v", name, !unknown)
		}
	}
}

// swapBody is a token with another one's claims.
func swapBody(token, other string) string {
	a, b := strings.Split(token, "."), strings.Split(other, ".")
	return a[0] + "." + b[1] + "." + a[2]
}

// Without an audience or emails nobody gets in, not even with an empty one.
func TestAnEmptyPolicyTakesNothing(t *testing.T) {
	keys := idtoken.Keys{"k1": &pair().PublicKey}
	for name, p := range map[string]idtoken.Policy{
		"no audience": {Emails: []string{email}}, "no emails": {Audience: audience}, "neither": {},
	} {
		for _, c := range []jwt.Claims{good(), with("aud", ""), with("aud", nil)} {
			if claims, err := p.Verify(sign(t, jwt.SigningMethodRS256, pair(), "k1", c), keys, now); err == nil {
				t.Errorf("%s: %+v", name, claims)
			}
		}
	}
}

func jwk(kid string, key *rsa.PublicKey) map[string]any {
	return map[string]any{
		"kid": kid, "kty": "RSA", "use": "sig", "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}
}

func TestParseKeys(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	change := func(name string, v any) map[string]any {
		k := jwk("changed", &pair().PublicKey)
		k[name] = v
		return k
	}
	set := map[string]any{"keys": []any{
		jwk("k1", &pair().PublicKey), change("kid", "plain"), jwk("short", &short.PublicKey), change("kid", ""), change("kty", "EC"), change("use", "enc"),
		change("alg", "RS512"), change("n", "!"), change("n", ""), change("e", "AQ"), change("e", "AAAAAAAA"), change("e", "Ag"), change("e", ""),
	}}
	body, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := idtoken.ParseKeys(body)
	if err != nil || len(keys) != 2 || !keys["k1"].Equal(&pair().PublicKey) || keys["plain"] == nil {
		t.Errorf("%v, %v", keys, err)
	}
	many := fmt.Sprintf(`{"keys":[%s{}]}`, strings.Repeat("{},", 40))
	for _, bad := range []string{"", "<html>", "[]", `{"keys":[]}`, `{"keys":{}}`, `{"keys":[{"kid":"a","kty":"RSA","n":"AQAB","e":"AQAB"}]}`, many} {
		if keys, err := idtoken.ParseKeys([]byte(bad)); err == nil {
			t.Errorf("%.40s: %v", bad, keys)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("a.b.c")
	f.Add("")
	f.Add("eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImEifQ.")
	f.Add("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.e30.AAAA")
	policy := idtoken.Policy{Audience: audience, Emails: []string{email}}
	keys := idtoken.Keys{"k1": &pair().PublicKey}
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := policy.Verify(token, keys, now); err == nil {
			t.Fatalf("taken: %+v", c)
		}
	})
}
