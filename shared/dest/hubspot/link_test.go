package hubspot

import "testing"

func TestLink(t *testing.T) {
	for _, c := range []struct {
		of   [4]string // url, account, object, id
		want string
	}{
		{[4]string{"", "123", "contact", "77"}, "https://app.hubspot.com/contacts/123/record/0-1/77"},
		{[4]string{"", "123", "companies", "7/7"}, "https://app.hubspot.com/contacts/123/record/0-2/7%2F7"},
		{[4]string{"", "", "contacts", "77"}, ""},
		{[4]string{"", "123", "p1_cars", "77"}, ""},
		{[4]string{"", "123", "2-991", "77"}, "https://app.hubspot.com/contacts/123/record/2-991/77"},
	} {
		if got := link(c.of[0], c.of[1], c.of[2], c.of[3]); got != c.want {
			t.Errorf("%q: %q, want %q", c.of, got, c.want)
		}
	}
}
