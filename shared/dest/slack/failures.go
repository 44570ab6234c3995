package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"
)

// unsentError is a request that did not leave; client.Do returns it.
type unsentError struct{ cause error }

func (e *unsentError) Error() string { return "no connection: " + e.cause.Error() }
func (e *unsentError) Unwrap() error { return e.cause }

// lostError is a request that left and got no answer; client.Do returns it.
type lostError struct{ cause error }

func (e *lostError) Error() string { return "no answer: " + e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

// unreadableError is an answer that is not whole, or that no Slack gives.
type unreadableError struct {
	what     string
	stranger bool
}

func (e *unreadableError) Error() string { return "answered with " + e.what }

// statusError is an answer with a status other than 200 and nothing of Slack's in it.
type statusError struct {
	code  int
	after time.Duration
	page  bool // it was a web page
	small bool // the request was smaller than dest.SmallRequest
}

func (e *statusError) Error() string { return fmt.Sprintf("answered %d", e.code) }

// refusedError is an answer with "ok": false.
type refusedError struct {
	code, needed string
	after        time.Duration
}

func (e *refusedError) Error() string { return "refused: " + e.code }

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

// cause takes the URL off an error of http.Client: the message names it already.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// breach says how a request that left lost its answer, in words of this package or
// of the system: what net/http cannot read it quotes, and that may be a row's (I6).
func breach(err error) string {
	var network *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return "the call was cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "the time for it was over"
	case errors.As(err, &network):
		return network.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return "the connection broke"
}
