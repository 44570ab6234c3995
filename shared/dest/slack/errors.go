package slack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// What the calls are named in errors.
const (
	opPost = "post a Slack message"
	opLook = "look for a Slack message"
)

// kind is what an error means, before it is known whether it struck a message or a
// lookup.
type kind uint8

const (
	unavailable   kind = iota // nothing was sent, and it is not told why: wait it out
	unreachable               // nothing was sent, for want of a connection
	lost                      // perhaps carried out
	throttled                 // too fast
	allowance                 // what the plan allows is used up
	configuration             // a person must mend the connection
	notSlack                  // something else has refused: a person must look, it is not told at what
	tooLarge                  // the request, for something on the way
	allTooLarge               // a small request, so that every message is
	badChannel                // the channel: the version's fault, or, with channels from a column, the row's
	badRecord                 // this message will not be accepted
	strange                   // a code that is not known here
)

// A verdict is what an error means and what a person is told about it.
type verdict struct {
	kind    kind
	code    string
	message string
	after   time.Duration
}

// callError is the verdict on a call as a whole; everywhere says that the version
// has no other channel.
func (v verdict) callError(op string, everywhere bool) *dest.CallError {
	ce := &dest.CallError{Op: op, Class: dest.Unavailable, Code: v.code, Message: v.message, After: v.after}
	switch v.kind {
	case unreachable:
		ce.Scope = dest.ScopeConnection
	case lost:
		ce.Received = true
	case throttled:
		ce.Class, ce.Scope, ce.Quota = dest.Throttled, dest.ScopeConnection, dest.QuotaSecond
	case allowance:
		ce.Class, ce.Scope = dest.Throttled, dest.ScopeConnection
	case configuration:
		ce.Class, ce.Scope = dest.Configuration, dest.ScopeConnection
	case notSlack:
		ce.Class = dest.Configuration
	case tooLarge:
		ce.Class = dest.Refused
	case allTooLarge:
		ce.Class, ce.Scope = dest.Refused, dest.ScopeVersion
	case badChannel:
		ce.Class = dest.Configuration
		if everywhere {
			ce.Scope = dest.ScopeVersion
		}
	}
	return ce
}

// rejection is the verdict on a record that is at fault.
func (v verdict) rejection() dest.Outcome {
	o := dest.Outcome{Status: dest.Rejected, Code: v.code, Message: v.message}
	switch v.kind {
	case badRecord:
		o.Field = fieldText
	case badChannel:
		o.Field = fieldChannel
	}
	return o
}

// refused is what becomes of a message that was not accepted; first is the first
// record that it carries.
func (d *destination) refused(v verdict, first dest.Record) (dest.Outcome, error) {
	if v.kind == strange {
		if d.account.odd.met(d.def.Sync + "\x00" + first.RecordID) {
			v.kind = configuration
			v.message = fmt.Sprintf("Slack refuses one message after another with a code that Penstock does not know: look it up in Slack's documentation of chat.postMessage (%s)", v.code)
			return dest.Outcome{}, v.callError(opPost, d.everywhere)
		}
		return v.rejection(), nil
	}
	if v.kind == badRecord || v.kind == badChannel {
		d.account.odd.clear()
	}
	if v.kind == badRecord || v.kind == badChannel && !d.everywhere {
		return v.rejection(), nil
	}
	return dest.Outcome{}, v.callError(opPost, d.everywhere)
}

// judge classes an error of the client.
func (a *account) judge(err error) verdict {
	var (
		refused    *refusedError
		status     *statusError
		secret     *secretError
		unreadable *unreadableError
		unsent     *unsentError
		lostAnswer *lostError
		untrue     *tls.CertificateVerificationError
		base, name = a.client.base, a.client.conn.Name
	)
	if misdirected := dest.Misdirected("", name, err); misdirected != nil {
		return verdict{configuration, misdirected.Code, misdirected.Message, 0}
	}
	switch {
	case errors.As(err, &refused):
		return a.judgeCode(refused)
	case errors.As(err, &status):
		return a.judgeStatus(status)
	case errors.As(err, &secret):
		return a.judgeSecret(secret)
	case errors.As(err, &unreadable) && unreadable.stranger:
		return verdict{lost, "not_slack", fmt.Sprintf("%s %s, so it is not Slack's API that answers: check the url of connection %q and any proxy in between", base, unreadable, name), 0}
	case errors.As(err, &unreadable):
		return verdict{lost, "unreadable", fmt.Sprintf("%s %s, which cannot be relied on", base, unreadable), 0}
	case errors.As(err, &untrue):
		return verdict{configuration, "bad_certificate", fmt.Sprintf("%s does not prove who it is (%v): check the url of connection %q and any proxy in between", base, untrue.Err, name), 0}
	case errors.As(err, &unsent):
		return verdict{unreachable, "unreachable", fmt.Sprintf("%s cannot be reached: %v", base, unsent), 0}
	case errors.As(err, &lostAnswer):
		return verdict{lost, dest.NoAnswer, fmt.Sprintf("%s gave no answer that can be read: %s", base, breach(lostAnswer)), 0}
	default: // what the library could not read may quote the answer, so that it is not told (I6)
		return verdict{lost, dest.NoAnswer, base + " gave no answer that can be read", 0}
	}
}

// judgeSecret tells a store that is down from a secret that is not there.
func (a *account) judgeSecret(e *secretError) verdict {
	var network net.Error
	if errors.Is(e, context.Canceled) || errors.Is(e, context.DeadlineExceeded) || errors.As(e.cause, &network) {
		return verdict{unreachable, "secret_unreadable", e.Error(), 0}
	}
	return verdict{configuration, "no_token", fmt.Sprintf(
		"%v: store the app's bot token (xoxb-...) in it under the key token (connection %q)", e, a.client.conn.Name), 0}
}

// judgeStatus classes an answer whose HTTP status is not 200, which Slack gives
// only when it is overloaded.
func (a *account) judgeStatus(e *statusError) verdict {
	base, conn := a.client.base, a.client.conn.Name
	name := fmt.Sprintf("http_%d", e.code)
	said := strings.TrimSpace(fmt.Sprintf("%d %s", e.code, http.StatusText(e.code)))
	switch {
	case e.code == http.StatusTooManyRequests:
		return verdict{throttled, "ratelimited", "Slack asks to slow down" + waiting(e.after), e.after}
	case e.code >= 500 || e.code == http.StatusRequestTimeout || e.code < 300:
		return verdict{lost, name, "Slack answered " + said, e.after}
	case e.code < 400:
		return verdict{configuration, name, fmt.Sprintf("%s answers with a redirect, which is not followed: set the url of connection %q to where the API is", base, conn), 0}
	case e.code == http.StatusRequestEntityTooLarge || e.code == http.StatusRequestURITooLong || e.code == http.StatusRequestHeaderFieldsTooLarge:
		if e.small {
			return verdict{allTooLarge, name, fmt.Sprintf("%s answered %s to a small message: something on the way lets none pass; check the url of connection %q and any proxy in between", base, said, conn), 0}
		}
		return verdict{tooLarge, name, fmt.Sprintf("%s answered %s: the message is too large for something on the way", base, said), 0}
	default:
		if e.page {
			said += " with " + webPage
		}
		return verdict{notSlack, name, fmt.Sprintf("%s answered %s, which Slack's API never does: check the url of connection %q and any proxy in between", base, said, conn), 0}
	}
}

// waiting says how long.
func waiting(after time.Duration) string {
	if after <= 0 {
		return ""
	}
	return ", and to wait " + after.String()
}
