package mapping

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/address"
	"github.com/penstock-data/penstock/shared/syncdef"
)

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
	for d := range freeMailDomains.all {
		if address.Domain("x@"+d) != d {
			t.Errorf("%s in the list is not a normalised domain", d)
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
		{syncdef.MatchField, `"\u00a0A-1 "`, "A-1"}, {syncdef.MatchName, `"STRASSE\u00a0AG"`, "strasse ag"}, {syncdef.MatchEmail, `"A@b\u00fccher.de"`, "a@xn--bcher-kva.de"}, {syncdef.MatchField, `9007199254740993`, "9007199254740993"},
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

// TestNumbersAsMatchValues: a JSON number serves every rule of identity.
func TestNumbersAsMatchValues(t *testing.T) {
	for _, c := range []struct {
		steps    []row.Step
		in, want string
	}{
		{nil, `42`, "42"}, {nil, `100.0`, "100"}, {nil, `1e2`, "100"}, {nil, `1.000000000000000e+02`, "100"}, {nil, `"100.0"`, "100.0"}, {nil, `-0.50`, "-0.5"}, {nil, `1e999999999999`, "1e999999999999"}, {[]row.Step{row.StepTrim, row.StepLower}, `9007199254740993`, "9007199254740993"},
		{[]row.Step{row.StepNumber}, `1.0`, "1"}, {[]row.Step{row.StepNumber}, `"01"`, "1"}, {[]row.Step{row.StepNumber}, `1e3`, "1000"},
		{[]row.Step{row.StepNumber}, `"A-1"`, "! not_a_number"}, {[]row.Step{row.StepNumber}, `true`, "! not_a_number"},
		{[]row.Step{row.StepID18}, `"0015g0000000002"`, "0015g0000000002AAA"}, {[]row.Step{row.StepID18}, `"0015g00000000"`, "! not_an_id"}, {[]row.Step{row.StepID18}, `12`, "! not_an_id"},
		{[]row.Step{row.StepID18}, `100000000000001`, "100000000000001AAA"},
	} {
		m := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Strategy: syncdef.MatchField, Match: syncdef.Match{Source: "m"}},
			syncdef.Rules{Identity: row.Identity{Steps: c.steps}})
		mapped, fault := m.Map(jsontext.Value(`{"id":1,"m":` + c.in + `}`))
		got := string(mapped.Key)
		if fault != nil {
			got = "! " + fault.Rule
		}
		if got != c.want {
			t.Errorf("%v of %s: %q, want %q", c.steps, c.in, got, c.want)
		}
	}
}

// TestMatchAsWritten: beside the key, the match value as the row writes it, where
// that is another text.
func TestMatchAsWritten(t *testing.T) {
	text := []row.Step{row.StepTrim, row.StepLower, row.StepNFC}
	for _, c := range []struct {
		strategy syncdef.Strategy
		steps    []row.Step
		in, want string // "" where it is the key
	}{
		{syncdef.MatchExternalID, text, `"CUST-1"`, "CUST-1"}, {syncdef.MatchField, text, `"cust-1"`, ""}, {syncdef.MatchField, text, `" cust-1\n"`, ""},
		{syncdef.MatchField, text, `" O\u0027Brien \"1\" "`, `O'Brien "1"`}, {syncdef.MatchName, text, `"Stra\u00dfe"`, "Straße"},
		{syncdef.MatchField, text, `"\u00a0AC-1 "`, "AC-1"}, {syncdef.MatchField, append([]row.Step{row.StepPlain}, text...), `"\u00a0AC-1 "`, "\u00a0AC-1"},
		{syncdef.MatchField, []row.Step{row.StepNumber}, `1.0`, ""}, {syncdef.MatchField, []row.Step{row.StepNumber}, `"1.0"`, "1.0"}, {syncdef.MatchEmailDomain, []row.Step{row.StepDomain}, `"Joe@Acme.example"`, ""},
	} {
		m := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"id"}, Strategy: c.strategy, Match: syncdef.Match{Source: "m"}},
			syncdef.Rules{Identity: row.Identity{Steps: c.steps}})
		mapped, fault := m.Map(jsontext.Value(`{"id":1,"m":` + c.in + `}`))
		if fault != nil || string(mapped.Match) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.in, mapped.Match, fault, c.want)
		}
	}
}

// A number names one record in all its spellings: by the match value, in the field that holds
// it, which new records are given, and by the record id. Other fields of text keep theirs.
func TestNumbersThatName(t *testing.T) {
	fields := []syncdef.Field{{Source: "m", Destination: "key__c"}, {Source: "m", Destination: "Name"}}
	matched := compiledRules(t, &syncdef.Definition{Sync: "s", RecordID: []string{"m"}, Strategy: syncdef.MatchField, Match: syncdef.Match{Source: "m", Destination: "Key__c"}, Fields: fields},
		syncdef.Rules{Identity: row.Identity{Steps: []row.Step{row.StepPlain, row.StepTrim, row.StepLower}}})
	unmatched := compiledDef(t, &syncdef.Definition{Sync: "s", RecordID: []string{"m"}, Fields: fields})
	for _, c := range []struct{ in, name string }{{`100`, "100"}, {`100.0`, "100"}, {`1e2`, "100"}, {`"100"`, "100"}, {`"100.0"`, "100.0"}} {
		got, fault := matched.Map(jsontext.Value(`{"m":` + c.in + `}`))
		text := strings.Trim(c.in, `"`)
		if fault != nil || string(got.Key) != c.name || got.Match != nil || string(got.RecordID) != c.name || string(got.Values[0]) != `"`+c.name+`"` || string(got.Values[1]) != `"`+text+`"` {
			t.Errorf("%s: key %q, match %q, id %q, values %s, %v", c.in, got.Key, got.Match, got.RecordID, got.Values, fault)
		}
		if got, fault := unmatched.Map(jsontext.Value(`{"m":` + c.in + `}`)); fault != nil || string(got.Key) != c.name || string(got.Values[0]) != `"`+text+`"` {
			t.Errorf("%s, by record id: key %q, values %s, %v", c.in, got.Key, got.Values, fault)
		}
	}
}
