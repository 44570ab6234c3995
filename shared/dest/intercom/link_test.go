package intercom

import "testing"

func TestLink(t *testing.T) {
	for _, c := range []struct {
		of   [4]string // url, account, object, id
		want string
	}{
		{[4]string{"", "abc1", "contact", "66f"}, "https://app.intercom.com/a/apps/abc1/users/66f/all-conversations"},
		{[4]string{"", "", "contact", "66f"}, ""},
		{[4]string{"", "abc1", "company", "66f"}, ""},
	} {
		if got := link(c.of[0], c.of[1], c.of[2], c.of[3]); got != c.want {
			t.Errorf("%q: %q, want %q", c.of, got, c.want)
		}
	}
}
