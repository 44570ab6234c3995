package dest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/netguard"
)

// HTTPClient is the client that an account calls with: cfg.HTTP, or one that connects
// to allowed addresses only, keeps so many idle connections, and waits so long for an
// answer. It follows no redirect, which would carry the secret and the rows to another
// place.
func HTTPClient(cfg Config, idle int, wait time.Duration) *http.Client {
	c := &http.Client{}
	if cfg.HTTP != nil {
		*c = *cfg.HTTP
	} else {
		transport := netguard.Transport(cfg.Loopback)
		transport.MaxIdleConnsPerHost = idle
		c.Transport, c.Timeout = transport, wait
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// SmallRequest is, in bytes, what no single record's request can be refused for by its size:
// where it is (status 413, 414, 431), every record's is, and the failure is the version's.
const SmallRequest = 8 << 10

// ErrTooLong is an answer that is longer than any can be; from ReadAnswer.
var ErrTooLong = errors.New("the answer is longer than any can be")

// ReadAnswer reads a body of at most so many bytes; a longer one is no answer.
func ReadAnswer(body io.Reader, most int64) ([]byte, error) {
	read, err := io.ReadAll(io.LimitReader(body, most+1))
	if err == nil && int64(len(read)) > most {
		err = ErrTooLong
	}
	return read, err
}

// MaxAfter is the longest wait of a vendor's that is believed: what SQS can hide a
// message (AWS documentation, "Amazon SQS visibility timeout").
const MaxAfter = 12 * time.Hour

// RetryAfter reads the header (RFC 9110, 10.2.3), in seconds or as a date; 0 when there
// is none that can be read, or when its time has passed.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), MaxAfter)
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > int(MaxAfter/time.Second) {
		return MaxAfter
	}
	return time.Duration(n) * time.Second
}

// NoAnswer is the code of a call that was sent and not answered: the vendor may have carried
// it out, or still be at it.
const NoAnswer = "no_answer"

// Unanswered is the failure of a request without an answer: of the connection where it
// never left, and of the call where it did, which the vendor may have carried out. vendor
// is its name towards people. The error is a *CallError, or the context's when nothing
// was sent.
func Unanswered(ctx context.Context, op, vendor, connection string, sent bool, err error) error {
	if misdirected := Misdirected(op, connection, err); misdirected != nil {
		return misdirected
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // without the address
	}
	switch {
	case sent:
		return &CallError{Op: op, Class: Unavailable, Code: NoAnswer, Received: true, Message: "sent, but no answer came: " + breach(err)}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &CallError{Op: op, Class: Unavailable, Scope: ScopeConnection, Code: "network", Message: vendor + " cannot be reached: " + err.Error()}
}

// breach says how a request that left lost its answer, in words of this package or of
// the system: what net/http cannot read it quotes, and that may be a row's (I6).
func breach(err error) string {
	switch {
	case errors.Is(err, ErrTooLong), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return err.Error()
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return network.Error()
	}
	return "the connection broke, or what came is no HTTP"
}

// BadSecret is the failure of a connection whose secret cannot be used: err says why
// and, where the place that keeps it knows, how to mend it; nil is a secret without
// what holds shows. holds is what it has to look like.
func BadSecret(op, secret, holds string, err error) *CallError {
	why := "does not hold what it needs"
	if err != nil {
		why = "cannot be read: " + err.Error()
	}
	return &CallError{Op: op, Class: Configuration, Scope: ScopeConnection, Code: "secret",
		Message: fmt.Sprintf("the secret %q %s; it holds %s", secret, why, holds)}
}

// SecretName is the name of a connection's secret: its own where the connection names
// none.
func (c Config) SecretName() string {
	if c.Connection.Secret != "" {
		return c.Connection.Secret
	}
	return c.Connection.Name
}
