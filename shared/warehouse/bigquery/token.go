package bigquery

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/penstock-data/penstock/shared/warehouse"
)

// A Key is a service account's key.
type Key struct {
	Email    string
	ID       string
	TokenURL string
	Private  *rsa.PrivateKey
}

// tokenHosts are where a key may be exchanged: the file names it, and a secret that
// somebody changed must not send signed tokens elsewhere.
var tokenHosts = []string{"oauth2.googleapis.com", "accounts.google.com"}

// ReadKey reads the members of the JSON file that Google makes. Its errors quote nothing
// of it.
func ReadKey(file map[string]string) (Key, error) {
	if file["type"] != "service_account" || file["client_email"] == "" || file["private_key"] == "" {
		return Key{}, errors.New("is no service account's key: put the JSON file that Google Cloud makes for a key into the secret as it is")
	}
	u, err := url.Parse(file["token_uri"])
	if err != nil || u.Scheme != "https" || u.Host != tokenHosts[0] && u.Host != tokenHosts[1] {
		return Key{}, fmt.Errorf("has a token_uri that is not at %s", strings.Join(tokenHosts, " or "))
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(file["private_key"]))
	switch {
	case errors.Is(err, jwt.ErrKeyMustBePEMEncoded):
		return Key{}, errors.New("has a private_key that is no PEM")
	case err != nil:
		return Key{}, errors.New("has a private_key that cannot be read")
	}
	return Key{Email: file["client_email"], ID: file["private_key_id"], TokenURL: u.String(), Private: key}, nil
}

// scope is what the token is for.
const scope = "https://www.googleapis.com/auth/bigquery"

// bearer is an access token, exchanged for a signed one (Google's documentation, "Using
// OAuth 2.0 for server to server applications") and kept until shortly before its end.
func (c *Client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	if c.token != "" && now.Before(c.expires) {
		return c.token, nil
	}
	signed := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": c.cfg.Key.Email, "scope": scope, "aud": c.cfg.Key.TokenURL, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	signed.Header["kid"] = c.cfg.Key.ID
	assertion, err := signed.SignedString(c.cfg.Key.Private)
	if err != nil {
		return "", fmt.Errorf("sign the token for Google: %w", err)
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.Key.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", warehouse.Refused("the key's token_uri is no address")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, text, err := warehouse.Send(c.cfg.HTTP, r)
	if err != nil {
		return "", err
	}
	var a struct {
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	if status == http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusForbidden {
		return "", warehouse.Refused("Google lets the service account not in (%d): is its key deleted, or the account disabled?", status)
	}
	if status != http.StatusOK || json.Unmarshal(text, &a) != nil || a.Token == "" {
		return "", warehouse.Unanswered("Google's token endpoint", status)
	}
	c.token, c.expires = a.Token, now.Add(time.Duration(a.Expires)*time.Second-time.Minute)
	return c.token, nil
}

// forget drops a token that was not accepted.
func (c *Client) forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = ""
	}
}
