package authorizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/idtoken"
)

// KeysURL is where Google publishes the keys of its ID tokens (Google documentation,
// "OpenID Connect", jwks_uri of the discovery document).
const KeysURL = "https://www.googleapis.com/oauth2/v3/certs"

const (
	fresh   = time.Hour       // how long keys are used before they are read again; Google announces a new one earlier than it signs with it
	kept    = 24 * time.Hour  // how long they are used when they cannot be read again
	unknown = time.Minute     // how often an unknown key's id makes them read at most
	again   = 5 * time.Second // how soon a reading that failed is tried again
	wait    = 3 * time.Second // how long one may take
	maxSet  = 64 << 10        // bytes of a key set; Google's has 2,000
)

// KeySet reads an issuer's keys and keeps them. It serves concurrent callers, of whom
// one reads and the others wait for it.
type KeySet struct {
	URL    string
	Client *http.Client
	Now    func() time.Time

	mu     sync.Mutex
	keys   idtoken.Keys
	read   time.Time // when keys were read
	tried  time.Time // when they were last asked for
	failed error     // why that failed; nil where it did not
}

// Keys are the issuer's keys: read again after an hour, and for an id that is not among
// them once a minute at most, so that made-up tokens cause no traffic. Where they cannot
// be read, the old ones hold for a day. An error says that there are none.
func (s *KeySet) Keys(ctx context.Context, id string) (idtoken.Keys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if s.due(id, now) {
		s.tried = now
		if keys, err := s.fetch(ctx); err != nil {
			s.failed = err
		} else {
			s.keys, s.read, s.failed = keys, now, nil
		}
	}
	if s.keys == nil || now.Sub(s.read) >= kept {
		return nil, fmt.Errorf("no keys of the issuer: %w", s.failed)
	}
	return s.keys, nil
}

// due reports whether the keys are to be read.
func (s *KeySet) due(id string, now time.Time) bool {
	switch since := now.Sub(s.tried); {
	case s.tried.IsZero():
		return true
	case s.failed != nil && since < again:
		return false
	case s.keys == nil || now.Sub(s.read) >= fresh:
		return true
	default:
		return s.keys[id] == nil && since >= unknown
	}
}

func (s *KeySet) fetch(ctx context.Context) (idtoken.Keys, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("read the issuer's keys: %w", err)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read the issuer's keys: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read the issuer's keys: status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSet+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the issuer's keys: %w", err)
	case len(body) > maxSet:
		return nil, errors.New("read the issuer's keys: the set is too large")
	}
	return idtoken.ParseKeys(body)
}

// noRedirects keeps the keys from being read elsewhere than where they are asked for.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
