package salesforce

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Credentials are what the simulated External Client App accepts.
type Credentials struct {
	ClientID     string
	ClientSecret string         // client_credentials; "" refuses that flow
	Username     string         // JWT bearer: the sub that is pre-authorised
	PublicKey    *rsa.PublicKey // JWT bearer: the certificate's key; nil refuses that flow
	Audiences    []string       // JWT bearer: accepted aud; default the login hosts
}

const (
	jwtGrant  = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	maxJWTAge = 3 * time.Minute // "JWT Bearer Flow": exp within 3 minutes
)

// serveToken is POST /services/oauth2/token.
func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		oauthError(w, "invalid_request", "must use HTTP POST")
		return
	}
	if err := r.ParseForm(); err != nil {
		oauthError(w, "invalid_request", "the form cannot be read")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		if code, text := s.checkSecret(r); code != "" {
			oauthError(w, code, text)
			return
		}
	case jwtGrant:
		if text := s.checkAssertion(r.PostForm.Get("assertion")); text != "" {
			oauthError(w, "invalid_grant", text)
			return
		}
	default:
		oauthError(w, "unsupported_grant_type", "grant type not supported")
		return
	}
	s.mu.Lock()
	token := s.newToken()
	s.sessions[token] = true
	s.mu.Unlock()
	b := append([]byte(nil), `{"access_token":`...)
	b = appendString(b, token)
	b = append(b, `,"signature":"c2ltdWxhdGVk","scope":"api","instance_url":`...)
	b = appendString(b, s.base(r))
	b = append(b, `,"id":`...)
	b = appendString(b, s.identity(r))
	b = append(b, `,"token_type":"Bearer","issued_at":"`...)
	b = strconv.AppendInt(b, s.core.Now().UnixMilli(), 10)
	answer(w, http.StatusOK, append(b, `"}`...))
}

// checkSecret takes the credentials from the form or from Basic authentication.
func (s *Simulator) checkSecret(r *http.Request) (code, text string) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id != s.opts.Credentials.ClientID {
		return "invalid_client_id", "client identifier invalid"
	}
	if s.opts.Credentials.ClientSecret == "" || secret != s.opts.Credentials.ClientSecret {
		return "invalid_client", "invalid client credentials"
	}
	return "", ""
}

// checkAssertion verifies a JWT bearer assertion; "" accepts it.
func (s *Simulator) checkAssertion(assertion string) string {
	cred := s.opts.Credentials
	if cred.PublicKey == nil {
		return "user hasn't approved this consumer"
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(assertion, &claims, func(*jwt.Token) (any, error) { return cred.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(s.core.Now), jwt.WithExpirationRequired())
	switch {
	case err != nil && strings.Contains(err.Error(), "expired"):
		return "expired authorization code"
	case err != nil:
		return "invalid assertion"
	case claims.ExpiresAt.After(s.core.Now().Add(maxJWTAge + time.Second)):
		return "expired authorization code" // exp too far ahead reads the same
	case claims.Issuer != cred.ClientID:
		return "client identifier invalid"
	case claims.Subject != cred.Username:
		return "user hasn't approved this consumer"
	}
	for _, aud := range claims.Audience {
		for _, allowed := range cred.Audiences {
			if strings.TrimSuffix(aud, "/") == allowed {
				return ""
			}
		}
	}
	return "audience is invalid"
}

func oauthError(w http.ResponseWriter, code, text string) {
	b := appendString([]byte(`{"error":`), code)
	b = appendString(append(b, `,"error_description":`...), text)
	answer(w, http.StatusBadRequest, append(b, '}'))
}

func (s *Simulator) newToken() string {
	var b [24]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return s.opts.OrgID[:15] + "!" + hex.EncodeToString(b[:])
}

// authorised checks the bearer token.
func (s *Simulator) authorised(r *http.Request) *apiError {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok || !s.sessions[token] {
		return &apiError{status: http.StatusUnauthorized, code: "INVALID_SESSION_ID", message: "Session expired or invalid"}
	}
	return nil
}

// ExpireSessions logs everybody out; the action expire_sessions of a fault.
func (s *Simulator) ExpireSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

// base is the address that the request came to.
func (s *Simulator) base(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host
}
