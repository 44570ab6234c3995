package slack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/penstock-data/penstock/shared/dest"
)

// What the calls are named in errors.
const (
	opPost = "post a Slack message"
	opLook = "look for a Slack message"
)

// throttledFor is the pause where Slack names none.
const throttledFor = 30 * time.Second

// Sentinels of client.Do.
var (
	errNotSent = errors.New("no connection") // the request did not leave
	errLost    = errors.New("no answer")     // it may have been carried out
)

// setupError is a connection that cannot be used as it is configured.
type setupError struct{ cause error }

func (e *setupError) Error() string { return e.cause.Error() }

// secretError is a secret that cannot be read (cause) or holds no token.
type secretError struct {
	name  string
	cause error
}

func (e *secretError) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("read the secret %q: %v", e.name, e.cause)
	}
	return fmt.Sprintf("the secret %q holds no token", e.name)
}

func (e *secretError) Unwrap() error { return e.cause }

// strangerError is a whole answer that no Slack gives.
type strangerError struct{ what string }

func (e *strangerError) Error() string { return "answered with " + e.what }

// cause takes the URL off an error of http.Client: the message names it already.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// kind is what an error means, before it is known whether it struck a message or a
// lookup.
type kind uint8

const (
	unavailable   kind = iota // nothing was sent: wait it out
	throttled                 // too fast
	configuration             // a person must act
	badChannel                // a person must act, or, with the channel from a column, the row is at fault
	badRecord                 // this message will not be accepted
	busy                      // not accepted now
	lost                      // perhaps carried out
)

// A verdict is what an error means and what a person is told about it.
type verdict struct {
	kind    kind
	code    string
	message string
	after   time.Duration
}

// push is the verdict on a message: an outcome where something may have been sent
// or the row is at fault, else the error of the call.
func (v verdict) push(fromColumn bool) (dest.Outcome, error) {
	o := dest.Outcome{Code: v.code, Message: v.message, After: v.after}
	switch {
	case v.kind == lost:
		o.Status = dest.Unknown
	case v.kind == busy:
		o.Status = dest.Retry
	case v.kind == badRecord:
		o.Status, o.Field = dest.Rejected, fieldText
	case v.kind == badChannel && fromColumn:
		o.Status, o.Field = dest.Rejected, fieldChannel
	default:
		return dest.Outcome{}, v.callError(opPost)
	}
	return o, nil
}

// callError is the verdict on a call that sent nothing.
func (v verdict) callError(op string) *dest.CallError {
	class := dest.Unavailable // a lookup that got no answer has changed nothing
	switch v.kind {
	case throttled:
		class = dest.Throttled
	case configuration, badChannel, badRecord:
		class = dest.Configuration
	}
	return &dest.CallError{Op: op, Class: class, Code: v.code, Message: v.message, After: v.after}
}

// judge classes an error of the client.
func (d *Destination) judge(err error) verdict {
	var (
		answer   slackapi.SlackErrorResponse
		limited  *slackapi.RateLimitedError
		status   slackapi.StatusCodeError
		secret   *secretError
		setup    *setupError
		stranger *strangerError
		untrue   *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &answer):
		return d.judgeCode(answer)
	case errors.As(err, &limited):
		return verdict{throttled, "ratelimited", "Slack asks to wait " + limited.RetryAfter.String(), limited.RetryAfter}
	case errors.As(err, &status):
		return d.judgeStatus(status.Code)
	case errors.As(err, &stranger):
		return verdict{configuration, "not_slack", fmt.Sprintf("%s answered with %s, so it is not Slack's API: check the url of connection %q and any proxy in between",
			d.client.base, stranger.what, d.client.conn.Name), 0}
	case errors.As(err, &setup):
		return verdict{configuration, "invalid_url", fmt.Sprintf("connection %q: %s", d.client.conn.Name, setup), 0}
	case errors.As(err, &secret):
		return d.judgeSecret(secret)
	case errors.As(err, &untrue):
		return verdict{configuration, "bad_certificate", fmt.Sprintf("%s does not prove who it is (%v): check the url of connection %q and any proxy in between",
			d.client.base, untrue.Err, d.client.conn.Name), 0}
	case errors.Is(err, errNotSent):
		return verdict{unavailable, "unreachable", fmt.Sprintf("%s cannot be reached: %v", d.client.base, err), 0}
	default: // errLost, and whatever the library could not read: it may have been sent
		return verdict{lost, "no_answer", fmt.Sprintf("%s gave no answer that can be read: %v", d.client.base, err), 0}
	}
}

// judgeSecret tells a store that is down from a secret that is not there.
func (d *Destination) judgeSecret(e *secretError) verdict {
	var network net.Error
	if errors.Is(e, context.Canceled) || errors.Is(e, context.DeadlineExceeded) || errors.As(e.cause, &network) {
		return verdict{unavailable, "secret_unreadable", e.Error(), 0}
	}
	return verdict{configuration, "no_token", fmt.Sprintf(
		"%v: store the app's bot token (xoxb-...) in it under the key token (connection %q)", e, d.client.conn.Name), 0}
}

// judgeStatus classes an answer whose HTTP status is not 200, which Slack gives
// only when it is overloaded.
func (d *Destination) judgeStatus(code int) verdict {
	name := fmt.Sprintf("http_%d", code)
	switch {
	case code == http.StatusTooManyRequests:
		return verdict{throttled, "ratelimited", "Slack asks to slow down", throttledFor}
	case code >= 500 || code == http.StatusRequestTimeout:
		return verdict{lost, name, fmt.Sprintf("Slack answered %d %s", code, http.StatusText(code)), 0}
	case code >= 300 && code < 400:
		return verdict{configuration, name, fmt.Sprintf("%s answers with a redirect, which is not followed: set the url of connection %q to where the API is",
			d.client.base, d.client.conn.Name), 0}
	default:
		return verdict{configuration, name, fmt.Sprintf("%s answered %d %s, which Slack's API never does: check the url of connection %q and any proxy in between",
			d.client.base, code, http.StatusText(code), d.client.conn.Name), 0}
	}
}
