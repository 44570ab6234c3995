package address

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestDomain(t *testing.T) {
	for in, want := range map[string]string{
		"john@acmecorp.com": "acmecorp.com", " John.Doe@ACME.co.uk ": "acme.co.uk", "o'brien@acme.ie": "acme.ie", "mailto:a@acme.com": "acme.com",
		"a@www.acme.com": "acme.com", "a@acme.com.": "acme.com", "jürgen@acme.de": "acme.de",
		"acme.com": "acme.com", "ACME.COM": "acme.com", "www.acme.com": "acme.com", "WWW.acme.com.": "acme.com", "www.com": "www.com", "www.www.acme.com": "acme.com", "www.www.com": "www.com", "www2.acme.com": "www2.acme.com",
		"https://www.acme.com/about?x=a@b.co": "acme.com", "http://acme.com:8080": "acme.com", "HTTPS://user:p%40ss@acme.com:443/": "acme.com", "//acme.com/x": "acme.com",
		"acme.com/path": "acme.com", "acme.com:443/path#top": "acme.com", "acme.com?utm=1": "acme.com", "medium.com/@user.name": "medium.com", "acme.com?to=a@b.co": "acme.com", "acme.com#a@b.co": "acme.com", "\"a/b\"@acme.com": "acme.com", "acme.com#x": "acme.com", "ftp://acme.com": "acme.com", "acme.com//x": "acme.com",
		"https://Bücher.de": "xn--bcher-kva.de", "a@BU\u0308CHER.de": "xn--bcher-kva.de", "www.bücher。de。": "xn--bcher-kva.de", `"jane doe/x@y"@acme.com`: "acme.com", "xn--bcher-kva.de": "xn--bcher-kva.de", "a.xn--p1ai": "a.xn--p1ai", "shop.acme-corp.io": "shop.acme-corp.io",
		"": "", " ": "", "acme": "", "localhost:80": "", "@acme.com": "", "a@": "", "a@@acme.com": "", "a b@acme.com": "", "a@b@acme.com": "", "john@acme": "", "john@acme..com": "", "john@.com": "",
		"not an email": "", "acme.c": "", "acme.c0m": "", "192.168.0.1": "", "http://10.0.0.1/": "", "http://[::1]/": "", "http://": "", "https:///path": "", "acme.com:http": "", "a_b.com": "", ".": "", "..": "", "n/a": "", "-acme.com": "", "acme-.com": "", "a℀b.com": "", `"x"@y@acme.com`: "",
		"customer/department=shipping@acme.com": "acme.com", "#@acme.com": "acme.com", " ?a@ACME.com": "acme.com", "n/a@www.acme.com": "acme.com",
		"192.168.0.1/@jane.doe": "", "10.0.0.1/jane@acme.com": "", "localhost/@jane.doe": "", "localhost/jane@acme.com": "", "//10.0.0.1/@jane.doe": "", "/path/@jane.doe": "", "/a@acme.com": "", "intranet/@jane.doe": "", "intranet/login?user=joe@acme.com": "", "10.0.0.1?to=a@b.co": "", "intranet#joe@acme.com": "", "a#b@acme": "", "a@acme.com#b@c.co": "acme.com",
		"a@b\x84.co": "", "#@0.\x84": "", "b\xff.acme.com": "", "a@b\ufffd.co": "",
		"x." + strings.Repeat("b", 64) + ".com": "",
	} {
		if got := Domain(in); got != want {
			t.Errorf("Domain(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestUnicode(t *testing.T) {
	for in, want := range map[string]string{"xn--bcher-kva.de": "bücher.de", "acme.com": "acme.com", "xn--zzzzzzzz99999999.de": "xn--zzzzzzzz99999999.de"} {
		if got := Unicode(in); got != want {
			t.Errorf("Unicode(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestSpellings(t *testing.T) {
	for in, want := range map[string][]string{"acme.com": {"acme.com"}, "xn--bcher-kva.de": {"xn--bcher-kva.de", "bücher.de", "bu\u0308cher.de"}, "xn--1lqs71d.example": {"xn--1lqs71d.example", "東京.example"}} {
		if got := Spellings(in); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	for text, want := range map[string][2]bool{
		"BÜCHER.de": {true, true}, "Bu\u0308cher.de": {true, true}, "ｂücher.de": {false, false},
		"http://bücher.de/é": {false, true}, "bücher。de": {false, false}, "\u00adbücher.de": {false, true},
	} {
		if got := [2]bool{Spelled([]byte(text), []byte("xn--bcher-kva.de")), Named([]byte(text), []byte("xn--bcher-kva.de"))}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	local64, label63 := strings.Repeat("l", 64), strings.Repeat("d", 63)
	long := local64 + "@" + label63 + "." + label63 + "." + label63[:57] + ".com" // 254 bytes
	for in, want := range map[string]string{
		"a@b.co": "a@b.co", "John.Doe+x@ACME.com": "John.Doe+x@acme.com", "o'brien@acme.ie": "o'brien@acme.ie", "a_b%c-d@sub.acme-corp.museum": "a_b%c-d@sub.acme-corp.museum",
		"!#$%&'*+-/=?^_`{|}~@b.co": "!#$%&'*+-/=?^_`{|}~@b.co", "a@1.co": "a@1.co", "a@b-c.co": "a@b-c.co", "a@b.xn--p1ai": "a@b.xn--p1ai",
		"a@bücher.de": "a@xn--bcher-kva.de", "A@BÜCHER.DE": "A@xn--bcher-kva.de", "a@пример.рф": "a@xn--e1afmkfd.xn--p1ai",
		`"john doe"@b.co`: `"john doe"@b.co`, `"a@b"@c.co`: `"a@b"@c.co`, `"a\"b"@c.co`: `"a\"b"@c.co`, `"a..b"@c.co`: `"a..b"@c.co`,
		local64 + "@b.co": local64 + "@b.co", "a@" + label63 + ".co": "a@" + label63 + ".co", long: long,
		"": "", "a": "", "@": "", "@b.co": "", "a@": "", "a@b": "", "a@b.c": "", "a@b.c1": "", "a@@b.co": "", "a b@b.co": "", " a@b.co": "", "a@b.co ": "",
		".a@b.co": "", "a.@b.co": "", "a..b@b.co": "", "a@.b.co": "", "a@b..co": "", "a@b.co.": "", "a@-b.co": "", "a@b-.co": "", "a@b_c.co": "", "a@b.co@d.co": "",
		"ä@b.co": "", "a(b)@c.co": "", "a,b@c.co": "", "a;b@c.co": "", "<a@b.co>": "", "a@[192.168.0.1]": "", "a@192.168.0.1": "", `""@b.co`: "", `"a@b.co`: "", `"a"b@c.co`: "", `a"b"@c.co`: "", "\"a\nb\"@c.co": "", `"a\@b.co`: "",
		"l" + local64 + "@b.co": "", "a@d" + label63 + ".co": "", "l" + long[1:] + "m": "", strings.Replace(long, ".com", ".info", 1): "", "a@b\u00a0c.de": "",
		"a@b\x84.co": "", "#@0.\x84": "", "a@b.\xff\xffco": "", "a@b\ufffd.co": "", "customer/department=shipping@b.co": "customer/department=shipping@b.co", "#@b.co": "#@b.co",
	} {
		got, ok := Append([]byte("x"), []byte(in))
		if string(got) != "x"+want || ok != (want != "") {
			t.Errorf("%q is %q %v, want %q", in, got, ok, want)
		}
		if Normal([]byte(in)) != (ok && in == want) {
			t.Errorf("%q: Normal is mistaken", in)
		}
	}
}

// FuzzAddress: a normal form is its own, an address's domain is its domain's.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.co", "A@BÜCHER.de", `"a@b"@c.co`, "https://www.x.de:80/y", "www。bücher。de", "a@faß.de", "x@www.www.de", "#@0.\x84", "a/b?c@d.co"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		if d := Domain(string(s)); Domain(d) != d {
			t.Errorf("Domain(%q) is %q, whose domain is %q", s, d, Domain(d))
		}
		if a, ok := Append(nil, s); ok {
			if again, ok := Append(nil, a); !ok || !bytes.Equal(a, again) || !Normal(a) {
				t.Errorf("%q is the address %q, and that is %q %v", s, a, again, ok)
			}
			if Domain(string(s)) == "" && !urlShape(a[:At(a)]) {
				t.Errorf("%q is an address without a domain", s)
			}
		}
	})
}
