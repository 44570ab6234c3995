package mapping

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestDomain(t *testing.T) {
	for in, want := range map[string]string{
		"john@acmecorp.com": "acmecorp.com", " John.Doe@ACME.co.uk ": "acme.co.uk", "o'brien@acme.ie": "acme.ie", "mailto:a@acme.com": "acme.com",
		"a@www.acme.com": "acme.com", "a@acme.com.": "acme.com", "jürgen@acme.de": "acme.de",
		"acme.com": "acme.com", "ACME.COM": "acme.com", "www.acme.com": "acme.com", "WWW.acme.com.": "acme.com", "www.com": "www.com", "www.www.acme.com": "acme.com", "www.www.com": "www.com", "www2.acme.com": "www2.acme.com",
		"https://www.acme.com/about?x=a@b.co": "acme.com", "http://acme.com:8080": "acme.com", "HTTPS://user:p%40ss@acme.com:443/": "acme.com", "//acme.com/x": "acme.com",
		"acme.com/path": "acme.com", "acme.com:443/path#top": "acme.com", "acme.com?utm=1": "acme.com", "acme.com#x": "acme.com", "ftp://acme.com": "acme.com", "acme.com//x": "acme.com",
		"https://Bücher.de": "bücher.de", "xn--bcher-kva.de": "xn--bcher-kva.de", "a.xn--p1ai": "a.xn--p1ai", "shop.acme-corp.io": "shop.acme-corp.io",
		"": "", " ": "", "acme": "", "localhost:80": "", "@acme.com": "", "a@": "", "a@@acme.com": "", "a b@acme.com": "", "a@b@acme.com": "", "john@acme": "", "john@acme..com": "", "john@.com": "",
		"not an email": "", "acme.c": "", "acme.c0m": "", "192.168.0.1": "", "http://10.0.0.1/": "", "http://[::1]/": "", "http://": "", "https:///path": "", "acme.com:http": "", "a_b.com": "", ".": "", "..": "", "n/a": "",
	} {
		if got := Domain(in); got != want {
			t.Errorf("Domain(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestFreeMail(t *testing.T) {
	for _, d := range []string{"gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.com.br", "yahoo.ne.jp", "yahoo.de", "hotmail.com", "hotmail.fr", "outlook.com", "live.com", "live.nl", "icloud.com", "me.com", "aol.com", "gmx.net", "gmx.at", "proton.me", "protonmail.com", "mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "web.de"} {
		if !FreeMail(d) {
			t.Errorf("%s is not taken for a free-mail domain", d)
		}
	}
	for _, d := range []string{"", "acme.com", "live.acme.com", "yahoo-inc.com", "outlook.io.acme.com", "gmail.acme.com", "mygmail.com", "gmx", "yandex.cloud", "live.events", "mail.acme.ru"} {
		if FreeMail(d) {
			t.Errorf("%s is taken for a free-mail domain", d)
		}
	}
	for d := range freeMailDomains {
		if Domain("x@"+d) != d {
			t.Errorf("%s in the list is not a normalised domain", d)
		}
	}
}

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"ACME Corporation": "acme corporation", "  acme\t\n corporation ": "acme corporation", "Ünïted\u00a0\u00a0Co": "ünïted co", "": "", "  ": "", "a": "a",
	} {
		if got := Name(in); got != want {
			t.Errorf("Name(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		strategy syncdef.Strategy
		in, want string
	}{
		{syncdef.MatchEmail, `" John@ACME.com "`, "john@acme.com"}, {syncdef.MatchEmail, `"john@gmail.com"`, "john@gmail.com"}, {syncdef.MatchEmail, `"john"`, "! not_an_email"}, {syncdef.MatchEmail, `5`, "! not_an_email"},
		{syncdef.MatchEmailDomain, `"john@ACME.com"`, "acme.com"}, {syncdef.MatchEmailDomain, `"https://www.acme.com/x"`, "acme.com"}, {syncdef.MatchEmailDomain, `"a\u0040acme.com"`, "acme.com"},
		{syncdef.MatchEmailDomain, `"john@gmail.com"`, "! free_mail_domain"}, {syncdef.MatchEmailDomain, `"john@Yahoo.co.uk"`, "! free_mail_domain"}, {syncdef.MatchEmailDomain, `"john"`, "! not_an_email"}, {syncdef.MatchEmailDomain, `12.5`, "! not_an_email"},
		{syncdef.MatchName, `"  ACME \t Corp"`, "acme corp"}, {syncdef.MatchName, `true`, "true"},
		{syncdef.MatchField, `" A-1 "`, "A-1"}, {syncdef.MatchField, `9007199254740993`, "9007199254740993"},
		{syncdef.MatchExternalID, `" A-1 "`, " A-1 "}, {syncdef.MatchExternalID, `"a\"b"`, `a"b`}, {syncdef.MatchExternalID, `42`, "42"}, {syncdef.MatchExternalID, `{}`, "! not_a_string"},
		{syncdef.MatchExternalID, `""`, "! missing_match_value"}, {syncdef.MatchField, `null`, "! missing_match_value"}, {syncdef.MatchName, `"  "`, "! missing_match_value"}, {syncdef.MatchEmailDomain, `""`, "! missing_match_value"},
	} {
		m := compiledDef(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Strategy: c.strategy, Match: syncdef.Match{Source: "M"}})
		mapped, fault := m.Map(jsontext.Value(`{"id":1,"m":` + c.in + `}`))
		got := string(mapped.Key)
		if fault != nil {
			got = "! " + fault.Rule
			if fault.Field != "M" || !strings.HasPrefix(fault.Message, "column M: ") || mapped.Key != nil {
				t.Errorf("%s of %s: %+v, key %q", c.strategy, c.in, fault, mapped.Key)
			}
		}
		if got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.strategy, c.in, got, c.want)
		}
	}
}
