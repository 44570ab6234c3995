package tell

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/netguard"
)

// The headers of a webhook.
const (
	// TimestampHeader is when the request was signed, in seconds since 1970.
	TimestampHeader = "Penstock-Timestamp"
	// SignatureHeader is "v1=" and Sign's hex digits.
	SignatureHeader = "Penstock-Signature"
)

// leastKey is how many characters a signing key must have at least: half of the
// hash's 32 bytes.
const leastKey = 16

// hookTimeout is how long a webhook may take to answer, where its letter has so much time.
const hookTimeout = 10 * time.Second

// A payload is the body of a webhook. Fields are added, never changed.
type payload struct {
	Version int `json:"version"` // 1
	// Alert is the same in all notices of one alert, from raised to recovered, and of a
	// notice that is sent again.
	Alert string `json:"alert_id"`
	Title string `json:"title"`
	alert.Notice
	Section string `json:"section,omitempty"` // of the documentation
}

// Sign is the signature of a body: HMAC-SHA256, in hex, over the timestamp header's
// text, a dot, and the body.
func Sign(key, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(timestamp + "."))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// call sends a notice to the address in a secret, signed with the key that is there. Its
// errors name the secret, and neither address nor key.
func (t *Teller) call(ctx context.Context, name string, n alert.Notice) error {
	if t.Secret == nil {
		return errors.New("no webhook can be called here")
	}
	secret, err := t.Secret(ctx, name)
	if err != nil {
		return err
	}
	address, key := secret["url"], secret["key"]
	if err := t.usable(address, key); err != nil {
		return fmt.Errorf("the secret %q of the webhook: %w", name, err)
	}
	id := fmt.Sprintf("%s/%s/%s", n.Sync, n.Kind, n.Since.UTC().Format(time.RFC3339))
	body, err := json.Marshal(payload{Version: 1, Alert: id, Title: n.Subject(), Notice: n, Section: n.Kind.Section()})
	if err != nil {
		return fmt.Errorf("encode the notice: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the secret %q of the webhook: url is no address", name)
	}
	stamp := strconv.FormatInt(t.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "penstock")
	r.Header.Set(TimestampHeader, stamp)
	r.Header.Set(SignatureHeader, "v1="+Sign(key, stamp, body))
	answer, err := t.client().Do(r)
	if err != nil {
		return unreached(name, err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook of the secret %q answered %d", name, answer.StatusCode)
	}
	return nil
}

// usable says what is wrong with a webhook's address or key.
func (t *Teller) usable(address, key string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return errors.New(`it needs a "url", such as https://host/path`)
	case u.Scheme != "https" && (u.Scheme != "http" || !t.Loopback || !netguard.LoopbackHost(u.Hostname())):
		return errors.New("url must begin with https://")
	case len(key) < leastKey:
		return fmt.Errorf(`it needs a "key" of at least %d characters, with which requests are signed`, leastKey)
	}
	return nil
}

// client follows no redirect: a signed request is for its address alone.
func (t *Teller) client() *http.Client {
	c := http.Client{Timeout: hookTimeout, Transport: netguard.Transport(t.Loopback)}
	if t.HTTP != nil {
		c.Transport = t.HTTP.Transport
	} else if transport, ok := c.Transport.(*http.Transport); ok {
		transport.DisableKeepAlives = true // the client is used once
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// unreached is a call's failure without the address, which net/http quotes.
func unreached(name string, err error) error {
	if refused, ok := errors.AsType[*netguard.Refused](err); ok {
		return fmt.Errorf("the webhook of the secret %q: %w", name, refused)
	}
	if failed, ok := errors.AsType[*url.Error](err); ok && failed.Timeout() {
		return fmt.Errorf("the webhook of the secret %q did not answer in time", name)
	}
	return fmt.Errorf("the webhook of the secret %q was not reached: look whether its url is right, and the server up", name)
}
