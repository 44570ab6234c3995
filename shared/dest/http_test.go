package dest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// What a lost answer's failure says quotes nothing of what came instead (I6), and
// says which kind of loss it was.
func TestLostAnswerQuotesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, "HTTP/1.1 jane.doe@example.com no\r\n\r\n")
			_ = c.Close()
		}
	}()
	res, quoting := http.Get("http://" + l.Addr().String())
	if quoting == nil {
		_ = res.Body.Close()
		t.Fatal("an answer that is no HTTP was taken")
	}
	if !strings.Contains(quoting.Error(), "jane.doe") {
		t.Fatalf("net/http does not quote what came: %v", quoting)
	}
	for want, cause := range map[string]error{
		"no HTTP":                   quoting,
		"unexpected EOF":            fmt.Errorf("read: %w", io.ErrUnexpectedEOF),
		"context deadline exceeded": context.DeadlineExceeded,
		"read tcp: reset":           &net.OpError{Op: "read", Net: "tcp", Err: errors.New("reset")},
		"longer than any":           dest.ErrTooLong,
	} {
		var failed *dest.CallError
		if !errors.As(dest.Unanswered(t.Context(), "update Account", "The CRM", "crm", true, cause), &failed) || !failed.Received {
			t.Fatalf("%v is no failure whose call was sent", cause)
		}
		if !strings.Contains(failed.Message, want) || strings.Contains(failed.Error(), "jane") {
			t.Errorf("%q, want it to say %q and no row's value", failed.Message, want)
		}
	}
}

// A request that never left is the connection's failure, or the caller's who gave up.
func TestUnanswered(t *testing.T) {
	cause := &url.Error{Op: "Post", URL: "https://crm.example/jane", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}}
	failed, ok := errors.AsType[*dest.CallError](dest.Unanswered(t.Context(), "update Account", "The CRM", "crm", false, cause))
	if !ok || failed.Scope != dest.ScopeConnection || failed.Received || failed.Message != "The CRM cannot be reached: dial tcp: refused" {
		t.Errorf("%+v", failed)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dest.Unanswered(ended, "update Account", "The CRM", "crm", false, cause); !errors.Is(err, context.Canceled) {
		t.Errorf("given up before it was sent: %v", err)
	}
	if failed, ok = errors.AsType[*dest.CallError](dest.Unanswered(ended, "update Account", "The CRM", "crm", true, cause)); !ok || !failed.Received {
		t.Errorf("given up after it was sent: %+v", failed)
	}
}

func TestReadAnswer(t *testing.T) {
	for text, want := range map[string]error{"": nil, "1234": nil, "12345": dest.ErrTooLong} {
		if _, err := dest.ReadAnswer(strings.NewReader(text), 4); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "30": 30 * time.Second, " 7 ": 7 * time.Second, "-1": 0, "1.5": 0, "soon": 0, "+3": 0,
		"43200": dest.MaxAfter, "43201": dest.MaxAfter, "99999999999999999999": dest.MaxAfter,
		"Mon, 02 Mar 2026 12:00:30 GMT": 30 * time.Second, "Mon, 02 Mar 2026 11:00:00 GMT": 0, "Mon, 02 Mar 2099 12:00:00 GMT": dest.MaxAfter,
	} {
		if got := dest.RetryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := dest.RetryAfter(nil, now); got != 0 {
		t.Errorf("absent: %s", got)
	}
}
