package salesforce

import "testing"

func TestLink(t *testing.T) {
	for _, c := range []struct {
		of   [4]string // url, account, object, id
		want string
	}{
		{[4]string{"https://acme.my.salesforce.com", "00D1", "Account", "0015g"}, "https://acme.my.salesforce.com/0015g"},
		{[4]string{"https://login.salesforce.com", "00D1", "Account", "0015g"}, ""},
		{[4]string{"", "00D1", "Account", "0015g"}, ""},
		{[4]string{"javascript:alert(1)", "", "", "x"}, ""},
		{[4]string{"https://a.my.salesforce.com/x", "", "", "a/../b"}, "https://a.my.salesforce.com/a%2F..%2Fb"},
	} {
		if got := link(c.of[0], c.of[1], c.of[2], c.of[3]); got != c.want {
			t.Errorf("%q: %q, want %q", c.of, got, c.want)
		}
	}
}
