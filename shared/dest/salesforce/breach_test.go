package salesforce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

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
		"32 MiB":                    errTooLong,
	} {
		var failed *dest.CallError
		if !errors.As(new(client).unanswered(t.Context(), "update Account", true, cause), &failed) || !failed.Received {
			t.Fatalf("%v is no failure whose call was sent", cause)
		}
		if !strings.Contains(failed.Message, want) || strings.Contains(failed.Error(), "jane") {
			t.Errorf("%q, want it to say %q and no row's value", failed.Message, want)
		}
	}
}
