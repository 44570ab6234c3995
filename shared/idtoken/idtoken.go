// Package idtoken checks ID tokens of Google: signature, issuer, audience, times and
// email. It is a rule: keys and the time are arguments, and it reads no network. A
// fault's text holds nothing of the token but its email, and that only of a token that
// Google signed for our audience.
//
// Format: Google documentation, "Token types" and "Verify ID tokens"; OpenID Connect
// Core 1.0, "ID Token Validation".
package idtoken

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ErrUnknownKey is returned by Verify for a token whose key is not among the keys: the
// issuer may have a new one, or the token is made up.
var ErrUnknownKey = errors.New("the token is signed by a key that Google does not publish")

// issuers are how Google writes itself into its tokens.
var issuers = []string{"https://accounts.google.com", "accounts.google.com"}

// MaxToken is how many bytes a token may have; Google's have about 1,000.
const MaxToken = 8 << 10

// A Policy is what a token must say.
type Policy struct {
	Audience string        // the one audience that it is made for; "" takes no token
	Emails   []string      // whose tokens are taken, byte by byte; none takes no token
	Skew     time.Duration // how far the clocks may be apart
}

// Claims are what a token says, once it is verified.
type Claims struct {
	Email   string    // verified by Google
	Subject string    // the account's unique number, which no later account of the same email has
	Expires time.Time // when it ends
}

// claims are a token's, as it is written.
type claims struct {
	jwt.RegisteredClaims
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
}

// Verify checks a token at a time. Only RS256 is taken: a token says itself how it is
// signed, so that any other word is a try to be believed without a key. An error is
// ErrUnknownKey, or what is wrong with the token.
func (p Policy) Verify(token string, keys Keys, now time.Time) (Claims, error) {
	switch {
	case p.Audience == "" || len(p.Emails) == 0:
		return Claims{}, errors.New("no token is taken here: the stack has no audience and emails")
	case len(token) > MaxToken:
		return Claims{}, fmt.Errorf("the token has %d bytes, at most %d are taken", len(token), MaxToken)
	}
	var c claims
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithStrictDecoding(),
		jwt.WithAudience(p.Audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(p.Skew), jwt.WithTimeFunc(func() time.Time { return now }),
	).ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		if key := keys[id]; key != nil {
			return key, nil
		}
		return nil, ErrUnknownKey
	})
	switch {
	case errors.Is(err, ErrUnknownKey):
		return Claims{}, ErrUnknownKey
	case err != nil:
		return Claims{}, fault(err)
	case !slices.Contains(issuers, c.Issuer):
		return Claims{}, errors.New("the token's issuer is not Google")
	case len(c.Audience) != 1:
		return Claims{}, errors.New("the token is made for several audiences")
	case c.IssuedAt == nil:
		return Claims{}, errors.New("the token does not say when it was issued")
	case c.Email == "":
		return Claims{}, errors.New("the token names no email: ask the metadata server with format=full")
	case !c.EmailVerified:
		return Claims{}, errors.New("the token's email is not verified")
	case !slices.Contains(p.Emails, c.Email):
		return Claims{}, fmt.Errorf("%q is not among the emails of the stack's parameter TokenEmails", c.Email)
	}
	return Claims{Email: c.Email, Subject: c.Subject, Expires: c.ExpiresAt.Time}, nil
}

// fault says in our own words what the library found: its texts may quote the token.
func fault(err error) error {
	for _, f := range []struct {
		is   error
		what string
	}{
		{jwt.ErrTokenMalformed, "it is no JSON web token"},
		{jwt.ErrTokenSignatureInvalid, "the token's signature is wrong, or not RS256"},
		{jwt.ErrTokenRequiredClaimMissing, "the token does not say when it ends, or for whom it is made"},
		{jwt.ErrTokenExpired, "the token has expired"},
		{jwt.ErrTokenUsedBeforeIssued, "the token was issued in the future"},
		{jwt.ErrTokenNotValidYet, "the token does not hold yet"},
		{jwt.ErrTokenInvalidAudience, "the token is made for another audience"},
	} {
		if errors.Is(err, f.is) {
			return errors.New(f.what)
		}
	}
	return errors.New("the token cannot be verified")
}
