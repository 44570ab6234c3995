package forwarder

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MetadataHost is where Google's programs find the identity that they run as (Google
// documentation, "About VM metadata"; Cloud Run has the same server).
const MetadataHost = "metadata.google.internal"

const (
	renew    = 5 * time.Minute  // how long before its end a token is fetched anew
	spare    = 30 * time.Second // how long before its end one may still be sent, when no new one can be had
	mint     = 3 * time.Second  // how long fetching one may take
	maxToken = 8 << 10          // bytes; Google's have about 1,000
)

// Tokens are ID tokens of the service account that the program runs as, for one
// audience. They serve concurrent callers, of whom one fetches.
type Tokens struct {
	Host     string // MetadataHost, or what GCE_METADATA_HOST says
	Audience string
	Client   *http.Client // without a proxy: the server is the machine's own
	Now      func() time.Time

	mu    sync.Mutex
	token string
	ends  time.Time
}

// Token is a token that holds for a while.
func (s *Tokens) Token(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.ends.Sub(s.Now())
	if rest > renew {
		return s.token, nil
	}
	token, ends, err := s.fetch(ctx)
	switch {
	case err == nil:
		s.token, s.ends = token, ends
	case rest > spare:
		return s.token, nil
	default:
		return "", fmt.Errorf("fetch an ID token of the metadata server: %w", err)
	}
	return s.token, nil
}

// fetch asks for a token with its email, which format=full adds.
func (s *Tokens) fetch(ctx context.Context) (token string, ends time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, mint)
	defer cancel()
	u := url.URL{Scheme: "http", Host: s.Host, Path: "/computeMetadata/v1/instance/service-accounts/default/identity",
		RawQuery: url.Values{"audience": {s.Audience}, "format": {"full"}}.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return "", ends, err
	}
	req.Header.Set("Metadata-Flavor", "Google")
	resp, err := s.Client.Do(req)
	if err != nil {
		return "", ends, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	switch {
	case err != nil:
		return "", ends, err
	case resp.StatusCode != http.StatusOK || resp.Header.Get("Metadata-Flavor") != "Google":
		return "", ends, fmt.Errorf("status %d", resp.StatusCode)
	}
	token = strings.TrimSpace(string(body))
	var claims jwt.RegisteredClaims // the API verifies it; here only its end is read
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil || claims.ExpiresAt == nil {
		return "", ends, fmt.Errorf("the answer is no ID token")
	}
	return token, claims.ExpiresAt.Time, nil
}
