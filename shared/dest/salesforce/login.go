package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/penstock-data/penstock/shared/dest"
)

const (
	authSecret = "client_credentials"
	authJWT    = "jwt_bearer"
	jwtGrant   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	jwtLife    = 2 * time.Minute // the vendor's cap is 3, clocks differ
	loginHost  = "https://login.salesforce.com"
	maxToken   = 1 << 20
	opLogin    = "log in to Salesforce"
)

// open answers a session other than the ended one, logging in when there is none.
// The error is a *dest.CallError of scope Connection, or the context's.
func (c *client) open(ctx context.Context, ended session) (session, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return session{}, ctx.Err()
	}
	if c.session.token != "" && c.session != ended {
		return c.session, nil
	}
	c.session = session{}
	form, err := c.grant(ctx)
	if err != nil {
		return session{}, err
	}
	s, err := c.logIn(ctx, form)
	if err != nil {
		return session{}, err
	}
	c.session = s
	return s, nil
}

// refused is a login that a person must mend.
func (c *client) refused(code, format string, args ...any) error {
	if code == "" {
		code = "login"
	}
	return &dest.CallError{Op: opLogin, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: code,
		Message: fmt.Sprintf("connection %s: ", c.conn.Name) + fmt.Sprintf(format, args...)}
}

// grant builds the token request from the secret.
func (c *client) grant(ctx context.Context) (url.Values, error) {
	secretName := dest.Config{Connection: c.conn}.SecretName()
	need := []string{"client_id", "client_secret"}
	if c.conn.Options[keyAuth] == authJWT {
		need = []string{"client_id", "username", "private_key"}
	}
	secret, err := c.secret(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, c.refused("secret", `the secret %q cannot be read: %v; it holds {"%s": "..."}`, secretName, err, strings.Join(need, `": "...", "`))
	}
	for _, key := range need {
		if secret[key] == "" {
			return nil, c.refused("secret", "the secret %q has no %s; it needs %s", secretName, key, strings.Join(need, ", "))
		}
	}
	if c.conn.Options[keyAuth] != authJWT {
		return url.Values{"grant_type": {authSecret}, "client_id": {secret["client_id"]}, "client_secret": {secret["client_secret"]}}, nil
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(secret["private_key"]))
	if err != nil {
		return nil, c.refused("secret", "the secret %q: private_key is not an RSA key in PEM", secretName)
	}
	audience := secret["audience"]
	if audience == "" {
		audience = loginHost
	}
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: secret["client_id"], Subject: secret["username"],
		Audience: jwt.ClaimStrings{audience}, ExpiresAt: jwt.NewNumericDate(c.now().Add(jwtLife)),
	}).SignedString(key)
	if err != nil {
		return nil, c.refused("secret", "the secret %q: its private_key cannot sign", secretName)
	}
	return url.Values{"grant_type": {jwtGrant}, "assertion": {assertion}}, nil
}

// logIn trades the grant for a session.
func (c *client) logIn(ctx context.Context, form url.Values) (session, error) {
	base := c.login.Scheme + "://" + c.login.Host
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/services/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return session{}, c.refused("request", "the login cannot be made: check the url")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return session{}, dest.Unanswered(ctx, opLogin, title, c.conn.Name, false, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxToken))
	if err != nil {
		return session{}, dest.Unanswered(ctx, opLogin, title, c.conn.Name, false, err)
	}
	return c.readToken(res, body)
}

// readToken reads the login's answer.
func (c *client) readToken(res *http.Response, body []byte) (session, error) {
	switch status := res.StatusCode; {
	case status >= 500 || status == http.StatusTooManyRequests:
		return session{}, &dest.CallError{Op: opLogin, Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: strconv.Itoa(status),
			Message: "Salesforce's login answers " + res.Status, After: dest.RetryAfter(res.Header, c.now())}
	case status >= 300 && status < 400:
		return session{}, c.refused(strconv.Itoa(status), "Salesforce's login answers with a redirect (status %d): check the url; it must be the organisation's My Domain address, as Setup, My Domain shows it", status)
	}
	base := c.login.Scheme + "://" + c.login.Host
	var token struct {
		Token    string `json:"access_token"`
		ID       string `json:"id"`
		Instance string `json:"instance_url"`
		Error    string `json:"error"`
		Text     string `json:"error_description"`
	}
	if json.Unmarshal(body, &token) != nil {
		return session{}, c.refused("not_json", "the login %s", notJSON(res, body))
	}
	if res.StatusCode != http.StatusOK || token.Token == "" {
		return session{}, c.refused(token.Error, "Salesforce refuses the login (%s: %s): %s", token.Error, token.Text, loginRemedy(token.Error))
	}
	if u, err := myDomain(token.Instance); err == nil {
		base = u.Scheme + "://" + u.Host
	}
	return session{token: token.Token, base: base, org: organisation(token.ID)}, nil
}

// organisation reads the organisation's id out of the address of the user's
// identity: https://login.salesforce.com/id/00D.../005...
func organisation(id string) string {
	u, err := url.Parse(id)
	if err != nil {
		return ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) != 3 || parts[0] != "id" {
		return ""
	}
	org, _ := id18(parts[1])
	return org
}

// loginRemedy says what to do about an OAuth error.
func loginRemedy(code string) string {
	switch code {
	case "invalid_client_id", "invalid_client":
		return "check client_id and client_secret in the secret, and that the client credentials flow is enabled with a run-as user"
	case "invalid_grant":
		return "check username, audience and private_key in the secret, the certificate in the External Client App, that the user is pre-authorised, and this machine's clock"
	case "unsupported_grant_type":
		return "enable the flow named by the connection's auth in the External Client App"
	}
	return "check the External Client App and the connection's secret"
}
