package mail_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/sandbox/mail"
)

// A body is one JSON document.
func TestOneDocument(t *testing.T) {
	box, err := mail.New(mail.Config{Verified: []string{"acme.com"}})
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"FromEmailAddress":"a@acme.com","Destination":{"ToAddresses":["b@b.co"]},"Content":{"Simple":{"Subject":{"Data":"s"},"Body":{"Text":{"Data":"t"}}}}}`
	for _, c := range []struct {
		behind string
		status int
	}{{"", 200}, {" \n", 200}, {"x", 400}, {"}", 400}, {"{}", 400}} {
		r := httptest.NewRequest("POST", "http://127.0.0.1/v2/email/outbound-emails", strings.NewReader(body+c.behind))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
		w := httptest.NewRecorder()
		if box.ServeHTTP(w, r); w.Code != c.status {
			t.Errorf("%q: %d %s", c.behind, w.Code, w.Body)
		}
	}
}
