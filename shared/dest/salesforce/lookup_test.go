package salesforce_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// rows makes records as the mapping does: the key by the version's identity, and
// the value as it was.
func rows(t testing.TB, id row.Identity, values ...string) dest.Batch {
	t.Helper()
	b := dest.Batch{Run: "r:1"}
	for _, v := range values {
		k, ok := id.Key(nil, []byte(v))
		if !ok {
			t.Fatalf("%q has no key", v)
		}
		b.Records = append(b.Records, dest.Record{Key: string(k), RecordID: v, Match: v})
	}
	return b
}

// lookUp makes all lookups of a batch.
func (w *world) lookUp(t testing.TB, b dest.Batch) []dest.Outcome {
	t.Helper()
	out := make([]dest.Outcome, len(b.Records))
	for _, c := range w.Lookups(b) {
		got, err := w.Lookup(t.Context(), b, c)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(c.Records) {
			t.Fatalf("%d outcomes for %d records", len(got), len(c.Records))
		}
		for i, at := range c.Records {
			out[at] = got[i]
		}
	}
	return out
}

func short(o dest.Outcome) string {
	switch o.Status {
	case dest.Found:
		return o.ID
	case dest.Pending:
		return "pending"
	}
	return o.Code
}

func shorts(out []dest.Outcome) []string {
	var all []string
	for _, o := range out {
		all = append(all, short(o))
	}
	return all
}

func TestLookupByDomain(t *testing.T) {
	def := matching(syncdef.MatchEmailDomain, "Website")
	d := start(t, def)
	seed(t, d.sim, []string{"Name", "Website"},
		[]string{"Acme", "https://www.AcmeCorp.com/about?x=1"},
		[]string{"Near", "notacmecorp.com"},
		[]string{"Near", "http://acmecorp.com.au"},
		[]string{"One", "twice.example"}, []string{"Two", "https://twice.example"},
		[]string{"U", "under_score.example"}, []string{"V", "underXscore.example"},
		[]string{"M1", "many.example"}, []string{"M2", "many.example"}, []string{"M3", "many.example"}, []string{"M4", "many.example"}, []string{"M5", "many.example"},
		[]string{"None", ""},
		[]string{"Unicode", "https://bücher.example/"}, []string{"ASCII", "xn--mller-kva.example"},
	)
	b := rows(t, version(t, def).Rules.Identity, "joe@AcmeCorp.com", "a@twice.example", "nowhere.example", "many.example", "a@xn--bcher-kva.example", "a@müller.example")
	got := d.lookUp(t, b)
	want := []string{"0015g0000000001AAA", "ambiguous_match", "no_match", "ambiguous_match", "0015g000000000EAAQ", "0015g000000000FAAQ"}
	if codes := shorts(got); !slices.Equal(codes, want) {
		t.Errorf("%v, want %v", codes, want)
	}
	for i, parts := range map[int][]string{
		1: {"2 records of Account", "0015g0000000004AAA, 0015g0000000005AAA", "merge"},
		2: {"no Account matches the row's value by Website", "on_missing: create"},
		3: {"5 records", "0015g0000000008AAA, 0015g0000000009AAA, 0015g000000000AAAQ)"},
	} {
		for _, part := range parts {
			if !strings.Contains(got[i].Message, part) {
				t.Errorf("record %d: %q lacks %q", i, got[i].Message, part)
			}
		}
		if strings.Contains(got[i].Message, b.Records[i].Key) {
			t.Errorf("record %d: a row's value in %q", i, got[i].Message)
		}
	}
	if calls := d.account.APICalls(); calls != 1 {
		t.Errorf("%d API calls", calls)
	}
}

// TestLookupFindsEqual has one stored spelling and another in the row, of one value
// by the strategy's identity: nothing equal is missed, nothing else is taken.
func TestLookupFindsEqual(t *testing.T) {
	insensitive, sensitive := false, true
	for name, test := range map[string]struct {
		strategy      syncdef.Strategy
		field         string
		match         syncdef.Match
		stored, asked string
		missing       bool
	}{
		"case":                  {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "AC-1", "ac-1", false},
		"outer white space":     {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "AC-1", "\t AC-1 \n", false},
		"inner white space":     {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "A  1", "A 1", true},
		"inner, as it is":       {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "A  1", "a  1", false},
		"case, said":            {syncdef.MatchField, "AccountNumber", syncdef.Match{Case: &insensitive}, "AC-1", "ac-1", false},
		"case-sensitive":        {syncdef.MatchField, "AccountNumber", syncdef.Match{Case: &sensitive}, "AC-1", "ac-1", true},
		"sensitive, equal":      {syncdef.MatchField, "AccountNumber", syncdef.Match{Case: &sensitive}, "AC-1", "AC-1", false},
		"composed, decomposed":  {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Caf\u00e9", "CAFE\u0301", false},
		"decomposed, composed":  {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Cafe\u0301", "CAF\u00c9", false},
		"sharp s stored":        {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Straße", "STRASSE", false},
		"sharp s asked":         {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "STRASSE", "Straße", false},
		"sharp s, one of two":   {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Groß-Messe", "GROSS-MESSE", false},
		"sharp s, the other":    {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Gross-Meße", "Groß-MESSE", false},
		"sharp s, of three s":   {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Hasßen", "HASSSEN", false},
		"sharp s, many":         {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Maß, Spaß, Straße, Gasse, Fuß, Gruß", "MASS, SPASS, STRASSE, GASSE, FUSS, GRUSS", false},
		"sharp s and a mark":    {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "ß\u0301", "SS\u0301", false},
		"final sigma":           {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Γιώργος Σταύρος", "ΓΙΏΡΓΟΣ ΣΤΑΎΡΟΣ", false},
		"final sigma asked":     {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "ΣΊΣΥΦΟΣ", "Σίσυφος", false},
		"final sigma, form D":   {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Σι\u0301συφος", "ΣΊΣΥΦΟΣ", false},
		"dotted I":              {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "İstanbul", "i\u0307stanbul", false},
		"a mixture of forms":    {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "Ée\u0301", "ée\u0301", false},
		"no-break space behind": {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "AC-1\u00a0", "ac-1\u00a0 ", false},
		"no-break space, one":   {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "AC-1\u00a0", "AC-1", true},
		"no-break space asked":  {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "AC-1", "AC-1\u00a0", true},
		"wide space before":     {syncdef.MatchField, "AccountNumber", syncdef.Match{Case: &sensitive}, "\u3000AC-1", "\u3000AC-1\t", false},
		"micro sign":            {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "µ-1", "μ-1", false},
		"quote and backslash":   {syncdef.MatchField, "AccountNumber", syncdef.Match{}, `O'Brien \ Söhne`, `o'brien \ söhne`, false},
		"percent is no pattern": {syncdef.MatchField, "AccountNumber", syncdef.Match{}, "1005", "100%", true},
		"a number, by value":    {syncdef.MatchField, "NumberOfEmployees", syncdef.Match{DataType: syncdef.MatchNumber}, "120", "120.0", false},
		"a number, exponent":    {syncdef.MatchField, "NumberOfEmployees", syncdef.Match{DataType: syncdef.MatchNumber}, "120", "1.2e2", false},
		"another number":        {syncdef.MatchField, "NumberOfEmployees", syncdef.Match{DataType: syncdef.MatchNumber}, "120", "121", true},
		"a long number":         {syncdef.MatchField, "Exact__c", syncdef.Match{DataType: syncdef.MatchNumber}, "1234567890123456.1", "1234567890123456.10", false},

		"name: case and space":  {syncdef.MatchName, "Name", syncdef.Match{}, "ACME  Corp", "acme corp", false},
		"name: space asked":     {syncdef.MatchName, "Name", syncdef.Match{}, "Acme Corp", " acme \t corp ", false},
		"name: no break space":  {syncdef.MatchName, "Name", syncdef.Match{}, "Acme\u00a0Corp", "acme corp", false},
		"name: one word":        {syncdef.MatchName, "Name", syncdef.Match{}, "ACME", "acme", false},
		"name: between":         {syncdef.MatchName, "Name", syncdef.Match{}, "Acme Holding Corp", "acme corp", true},
		"name: joined":          {syncdef.MatchName, "Name", syncdef.Match{}, "AcmeCorp", "acme corp", true},
		"name: under_score":     {syncdef.MatchName, "Name", syncdef.Match{}, "a b_c", "a bxc", true},
		"name: sharp s":         {syncdef.MatchName, "Name", syncdef.Match{}, "Groß Bau", "GROSS BAU", false},
		"name: sharp s, one":    {syncdef.MatchName, "Name", syncdef.Match{}, "Groß Messe GmbH", "GROSS MESSE GMBH", false},
		"name: final sigma":     {syncdef.MatchName, "Name", syncdef.Match{}, "Γιώργος Σταύρος", "ΓΙΏΡΓΟΣ ΣΤΑΎΡΟΣ", false},
		"name: one word, sigma": {syncdef.MatchName, "Name", syncdef.Match{}, "Σίσυφος", "ΣΊΣΥΦΟΣ", false},
		"name: many sharp s":    {syncdef.MatchName, "Name", syncdef.Match{}, "Maß Spaß  Straße Gasse Fuß_Gruß%", "MASS SPASS STRASSE GASSE FUSS_GRUSS%", false},
		"name: space behind":    {syncdef.MatchName, "Name", syncdef.Match{}, "Acme  Corp\u00a0", "acme corp\u00a0", false},
		"name: space before":    {syncdef.MatchName, "Name", syncdef.Match{}, "\u00a0 Acme Corp", "\u00a0 ACME  CORP", false},
		"name: one has a space": {syncdef.MatchName, "Name", syncdef.Match{}, "Acme Corp\u00a0", "Acme Corp", true},
		"name: decomposed":      {syncdef.MatchName, "Name", syncdef.Match{}, "Cafe\u0301 Bar", "CAF\u00c9 BAR", false},
		"name: composed":        {syncdef.MatchName, "Name", syncdef.Match{}, "Caf\u00e9 Bar", "CAFE\u0301 BAR", false},
		"email: case":           {syncdef.MatchEmail, "Health_Contact_Email__c", syncdef.Match{}, "joe@acme.example", "Joe@ACME.example", false},
		"email: IDN asked":      {syncdef.MatchEmail, "Website", syncdef.Match{}, "joe@xn--bcher-kva.example", "Joe@Bücher.example", false},
		"email: IDN stored":     {syncdef.MatchEmail, "Website", syncdef.Match{}, "Joe@Bücher.example", "joe@xn--bcher-kva.example", false},
		"email: decomposed":     {syncdef.MatchEmail, "Website", syncdef.Match{}, "joe@bu\u0308cher.example", "joe@xn--bcher-kva.example", false},
		"email: composed":       {syncdef.MatchEmail, "Website", syncdef.Match{}, "joe@b\u00fccher.example", "joe@bu\u0308cher.example", false},
		"email: ss":             {syncdef.MatchEmail, "Website", syncdef.Match{}, "gross@strasse.example", "Gross@Strasse.example", false},
		"email: sharp s":        {syncdef.MatchEmail, "Website", syncdef.Match{}, "gross@STRAßE.example", "gross@straße.example", false},
		"email: another":        {syncdef.MatchEmail, "Health_Contact_Email__c", syncdef.Match{}, "joe@acme.example", "jo@acme.example", true},
		"external id, update":   {syncdef.MatchExternalID, "Customer_ID__c", syncdef.Match{Case: &insensitive}, "C-1", "c-1", false},
		"domain: path and www.": {syncdef.MatchEmailDomain, "Website", syncdef.Match{}, "HTTP://www.Acme.example/about", "joe@acme.example", false},
		"domain: composed":      {syncdef.MatchEmailDomain, "Website", syncdef.Match{}, "http://www.m\u00fcnchen.de", "joe@mu\u0308nchen.de", false},
		"domain: decomposed":    {syncdef.MatchEmailDomain, "Website", syncdef.Match{}, "http://www.mu\u0308nchen.de", "joe@xn--mnchen-3ya.de", false},
		"domain: its case":      {syncdef.MatchEmailDomain, "Website", syncdef.Match{}, "HTTP://WWW.MU\u0308NCHEN.DE/", "joe@m\u00fcnchen.de", false},
		"domain: in ASCII":      {syncdef.MatchEmailDomain, "Website", syncdef.Match{}, "https://xn--mnchen-3ya.de/", "joe@mu\u0308nchen.de", false},
		"domain: longer, IDN":   {syncdef.MatchEmailDomain, "Website", syncdef.Match{}, "mu\u0308nchen.de.example", "joe@m\u00fcnchen.de", true},
		"domain: longer":        {syncdef.MatchEmailDomain, "Website", syncdef.Match{}, "acme.example.org", "joe@acme.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			def := matching(test.strategy, test.field)
			def.Operation, def.OnMissing = syncdef.Update, syncdef.Report
			test.match.Source, test.match.Destination = "x", test.field
			def.Match = test.match
			d := start(t, def)
			fields, values := []string{"Name", test.field}, []string{"x", test.stored}
			if test.field == "Name" {
				fields, values = fields[1:], values[1:]
			}
			seed(t, d.sim, fields, values)
			got := d.lookUp(t, rows(t, version(t, def).Rules.Identity, test.asked))[0]
			want := "0015g0000000001AAA"
			if test.missing {
				want = "no_match"
			}
			if short(got) != want {
				t.Errorf("%s, want %s", short(got), want)
			}
		})
	}
}

// TestLookupFindsAllEqual holds texts of all letters that are written in several ways against
// each other: each finds those that have its key, and no other. One that a simulator's own
// rule were kinder to would be found though nothing asks for it.
func TestLookupFindsAllEqual(t *testing.T) {
	insensitive, sensitive := false, true
	letters := []string{"s", "S", "ß", "ẞ", "ſ", "σ", "Σ", "ς", "é", "E\u0301", "e\u0323\u0301", "e\u0301\u0323", "\u00a0", " ", "İ", "i\u0307", "µ", "μ", "ﬁ", "fi", "Å", "\u212b"}
	var texts []string
	for _, a := range letters {
		for _, b := range letters {
			texts = append(texts, "x"+a+b, a+b+"x", a+"x"+b, "x"+a+b+a+b+"syxyxyxy", "x"+a+b+strings.Repeat("sσ", 5)+"yxyxyxyxyxyx"+b)
		}
	}
	for name, test := range map[string]struct {
		strategy syncdef.Strategy
		match    syncdef.Match
	}{
		"name":             {syncdef.MatchName, syncdef.Match{}},
		"field":            {syncdef.MatchField, syncdef.Match{Case: &insensitive}},
		"field, with case": {syncdef.MatchField, syncdef.Match{Case: &sensitive}},
	} {
		def := matching(test.strategy, "Name")
		test.match.Source, test.match.Destination = "x", "Name"
		def.Operation, def.OnMissing, def.Match = syncdef.Update, syncdef.Report, test.match
		d, id := start(t, def), version(t, def).Rules.Identity
		var stored []string
		var asked [][]string
		keys := map[string]bool{}
		for i, s := range texts {
			if i%2 == 0 {
				stored, asked = append(stored, s), append(asked, []string{s})
				key, _ := id.Key(nil, []byte(strings.Trim(s, " ")))
				keys[string(key)] = true
			}
		}
		seed(t, d.sim, []string{"Name"}, asked...)
		b := rows(t, id, texts...)
		for i, o := range d.lookUp(t, b) {
			if found := o.Status == dest.Found || o.Code == "ambiguous_match"; found != keys[b.Records[i].Key] {
				t.Errorf("%s: %+q, of the key %+q: %s, among %d", name, texts[i], b.Records[i].Key, short(o), len(stored))
			}
		}
	}
}

// exact is an organisation whose accounts have an external id that is case-sensitive.
func exact(t *testing.T, def syncdef.Definition) *world {
	t.Helper()
	schema := simulator.DefaultSchema()
	schema[0].Fields = append(schema[0].Fields, simulator.Field{Name: "Exact__c", Type: simulator.Text, Length: 80, Unique: true, ExternalID: true, CaseSensitive: true})
	sim, err := simulator.New(simulator.Options{Schema: schema, Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"}})
	if err != nil {
		t.Fatal(err)
	}
	return over(t, sim, def)
}

// Rows of one key are one record at an upsert by external id too, which looks nothing up:
// the key takes for one only what the vendor's comparison does, and a call holds no two
// that it may take for one.
func TestExternalIDsOfOneKey(t *testing.T) {
	insensitive, sensitive := false, true
	letters := []string{"s", "S", "ss", "ß", "ẞ", "ſ", "σ", "Σ", "ς", "é", "É", "E\u0301", "\u00a0", " ", "İ", "i\u0307", "µ", "Μ", "ﬁ", "fi", "Å", "\u212b", "k", "\u212a", "i"}
	var texts []string
	for _, a := range letters {
		for _, b := range letters {
			texts = append(texts, "x"+a+b, a+b+"x")
		}
	}
	for name, test := range map[string]struct {
		field string
		is    *bool
	}{"unsure": {"Customer_ID__c", nil}, "no case": {"Customer_ID__c", &insensitive}, "case": {"Exact__c", &sensitive}} {
		def := byExternalID
		def.Match = syncdef.Match{Source: "x", Destination: test.field, Case: test.is}
		d, b := exact(t, def), rows(t, version(t, def).Rules.Identity, texts...)
		for i := range b.Records {
			b.Records[i].Fields = []dest.Field{field("Name", `"x"`)}
		}
		ids := map[string]string{}
		for i, o := range d.push(t, b) {
			key := b.Records[i].Key
			if o.Status != dest.Delivered || ids[key] != "" && ids[key] != o.ID {
				t.Errorf("%s: %+q, of the key %+q: %+v, and another row's record is %s", name, texts[i], key, o, ids[key])
			}
			ids[key] = o.ID
		}
	}
}

// TestRemovalByExternalID finds what the row's upsert would write, and nothing else.
func TestRemovalByExternalID(t *testing.T) {
	insensitive, sensitive := false, true
	for name, test := range map[string]struct {
		field         string
		is            *bool
		stored, asked string
		found         bool
	}{
		"case":             {"Customer_ID__c", &insensitive, "ÉTÉ-1", " été-1", true},
		"sharp s":          {"Customer_ID__c", &insensitive, "STRASSE-1", "Straße-1", false},
		"its own":          {"Customer_ID__c", &insensitive, "STRAßE-1", "Straße-1", true},
		"another form":     {"Customer_ID__c", &insensitive, "Cafe\u0301", "Caf\u00e9", false},
		"its own form":     {"Customer_ID__c", &insensitive, "Cafe\u0301", "CAFE\u0301", true},
		"case counts":      {"Exact__c", &sensitive, "AbC-1", "abc-1", false},
		"case, its own":    {"Exact__c", &sensitive, "AbC-1", "AbC-1\t", true},
		"unsure, its form": {"Customer_ID__c", nil, "Cafe\u0301", "Caf\u00e9", false},
		"unsure, its own":  {"Customer_ID__c", nil, "Caf\u00e9", "Caf\u00e9", true},
	} {
		def := byExternalID
		def.Match = syncdef.Match{Source: "x", Destination: test.field, Case: test.is}
		d, b := exact(t, def), rows(t, version(t, def).Rules.Identity, test.asked)
		seed(t, d.sim, []string{"Name", test.field}, []string{"x", test.stored})
		b.Records[0].Delete = true
		if o := d.lookUp(t, b)[0]; (o.Status == dest.Found) != test.found || !test.found && o.Status != dest.Delivered {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// What leaves nearly all open is its row's fault: nothing is created on the word of a
// pattern that would find anything, or that is too long to be asked.
func TestLookupTooOpen(t *testing.T) {
	d := start(t, creating(syncdef.MatchName, "Name"))
	asked := []string{strings.Repeat("σ", 20), "x" + strings.Repeat("σ", 20), strings.Repeat("ss", 20) + "x", strings.Repeat("σε", 1500), "acme"}
	b := rows(t, version(t, creating(syncdef.MatchName, "Name")).Rules.Identity, asked...)
	got := d.lookUp(t, b)
	for i, o := range got[:4] {
		if o.Status != dest.Rejected || o.Code != "bad_match_value" || strings.Contains(o.Message, asked[i]) {
			t.Errorf("%.20s: %+v", asked[i], o)
		}
	}
	if got[4].Status != dest.Pending {
		t.Errorf("%+v", got[4])
	}
}

// A key's spellings stay within a query's address, which holds their letters escaped.
func TestSpellingsFitAnAddress(t *testing.T) {
	longest := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "oauth2") {
			w.Write([]byte(`{"access_token":"t"}`)) //nolint:errcheck // the client may be gone
			return
		}
		var in struct{ CompositeRequest []struct{ URL string } }
		if body, _ := io.ReadAll(r.Body); json.Unmarshal(body, &in) == nil && len(in.CompositeRequest) == 1 {
			longest = len(in.CompositeRequest[0].URL)
		}
		w.Write([]byte(`{"compositeResponse":[{"body":{"totalSize":0,"done":true,"records":[]},"httpStatusCode":200,"referenceId":"q0"}]}`)) //nolint:errcheck // the client may be gone
	}))
	defer srv.Close()
	for name, text := range map[string]string{
		"four sigmas":          strings.Repeat("σ"+strings.Repeat("α", 58), 4) + "αβγ",
		"four sigmas, words":   strings.Repeat("σ"+strings.Repeat("α ", 28), 4) + "αβγ",
		"two forms":            strings.Repeat("σ"+strings.Repeat("ά", 50), 3) + "αβγ",
		"sharp s, percents":    strings.Repeat("ss"+strings.Repeat("%", 60), 4),
		"sharp s, just within": strings.Repeat("ss"+strings.Repeat("a", 200), 4),
		"sharp s, just beyond": strings.Repeat("ss"+strings.Repeat("a", 230), 4),
	} {
		for _, strategy := range []syncdef.Strategy{syncdef.MatchName, syncdef.MatchField} {
			def := matching(strategy, "Name")
			d := connect(t, def, srv.URL)
			longest = 0
			d.lookUp(t, rows(t, version(t, def).Rules.Identity, text))
			if longest == 0 || longest > 16_384 {
				t.Errorf("%s, %s: an address of %d bytes", name, strategy, longest)
			}
		}
	}
}

// TestNumbersThatNoFieldHolds has keys that a field of whole numbers cannot hold: no record
// has them, and they are not asked for, because the query would fail with all its keys.
func TestNumbersThatNoFieldHolds(t *testing.T) {
	for name, test := range map[string]struct {
		field         string
		asked, want   []string
		describes     int64
		queries, more int64 // of a second lookup
	}{
		"beside others": {"NumberOfEmployees", []string{"120", "1.5", "2147483648", "-2147483649", "120.5"}, []string{"0015g0000000001AAA", "no_match", "no_match", "no_match", "no_match"}, 1, 1, 1},
		"alone":         {"NumberOfEmployees", []string{"1.5", "1e10"}, []string{"no_match", "no_match"}, 1, 0, 0},
		"none of them":  {"NumberOfEmployees", []string{"120", "-2147483648"}, []string{"0015g0000000001AAA", "no_match"}, 0, 1, 1},
		"a decimal":     {"Exact__c", []string{"1.5", "12345678901"}, []string{"0015g0000000001AAA", "no_match"}, 1, 1, 1},
	} {
		def := matching(syncdef.MatchField, test.field)
		def.Operation, def.OnMissing, def.Match.DataType = syncdef.Update, syncdef.Report, syncdef.MatchNumber
		w := start(t, def)
		seed(t, w.sim, []string{"Name", "NumberOfEmployees", "Exact__c"}, []string{"x", "120", "1.5"})
		b := rows(t, version(t, def).Rules.Identity, test.asked...)
		for _, queries := range []int64{test.queries, test.queries + test.more} {
			if got := shorts(w.lookUp(t, b)); !slices.Equal(got, test.want) {
				t.Errorf("%s: %v, want %v", name, got, test.want)
			}
			by := w.sim.Core().Calls().By
			if by["GET /sobjects/Account/describe"] != test.describes || by["POST /composite"] != queries {
				t.Errorf("%s: %v", name, by)
			}
		}
	}
}

// TestSpellings holds what is asked for: one literal a key in the usual case, and
// never the key alone where only its case was taken away, since a case-sensitive
// field would miss it.
func TestSpellings(t *testing.T) {
	asked, insensitive := "", false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "oauth2") {
			w.Write([]byte(`{"access_token":"t"}`)) //nolint:errcheck // the client may be gone
			return
		}
		if strings.HasSuffix(r.URL.Path, "/describe") {
			w.Write([]byte(`{"fields":[{"name":"X__c","type":"double"}]}`)) //nolint:errcheck // the client may be gone
			return
		}
		var in struct{ CompositeRequest []struct{ URL string } }
		if body, _ := io.ReadAll(r.Body); json.Unmarshal(body, &in) == nil && len(in.CompositeRequest) == 1 {
			u, _ := url.Parse(in.CompositeRequest[0].URL)
			_, asked, _ = strings.Cut(u.Query().Get("q"), " WHERE ")
		}
		w.Write([]byte(`{"compositeResponse":[{"body":{"totalSize":0,"done":true,"records":[]},"httpStatusCode":200,"referenceId":"q0"}]}`)) //nolint:errcheck // the client may be gone
	}))
	defer srv.Close()
	for _, test := range []struct {
		strategy syncdef.Strategy
		kind     syncdef.MatchType
		in, want string
	}{
		{syncdef.MatchField, "", "AbC-1", `X__c IN ('AbC-1')`},
		{syncdef.MatchField, "", " abc-1 ", `X__c IN ('abc-1')`},
		{syncdef.MatchField, "", `O'B\`, `X__c IN ('O\'B\\')`},
		{syncdef.MatchField, "", "Gross", `X__c IN ('Gross','groß')`},
		{syncdef.MatchField, "", "GROSS MESSE", `X__c IN ('GROSS MESSE','gross meße','groß messe','groß meße')`},
		{syncdef.MatchField, "", "\u00a0AC-1 ", "X__c IN ('\u00a0AC-1')"},
		{syncdef.MatchField, "", "Caf\u00e9", "X__c IN ('Caf\u00e9','Cafe\u0301')"},
		{syncdef.MatchField, syncdef.MatchNumber, "1.50", `X__c IN (1.5)`},
		{syncdef.MatchField, syncdef.MatchID, "0015g0000000002", `X__c IN ('0015g0000000002AAA')`},
		{syncdef.MatchName, "", " ACME  Corp", `X__c LIKE 'ACME_%Corp'`},
		{syncdef.MatchName, "", "100% A_B", `X__c LIKE '100\%_%A\_B'`},
		{syncdef.MatchName, "", "Σίσυφος σοφός", "X__c LIKE '_%ί_%υφο_%_%_%οφό_%' OR X__c LIKE '_%ι\u0301_%υφο_%_%_%οφο\u0301_%'"},
		{syncdef.MatchName, "", "\u00a0 Acme  Corp\u00a0", "X__c LIKE '\u00a0 Acme_%Corp\u00a0'"},
		{syncdef.MatchEmail, "", "Gross@acme.example", `X__c IN ('Gross@acme.example')`},
		{syncdef.MatchName, "", "ACME", `X__c IN ('ACME')`},
		{syncdef.MatchEmail, "", "Joe@Acme.example", `X__c IN ('Joe@Acme.example')`},
		{syncdef.MatchEmail, "", "joe@b\u00fccher.example", "X__c IN ('joe@xn--bcher-kva.example','joe@b\u00fccher.example','joe@bu\u0308cher.example')"},
		{syncdef.MatchEmailDomain, "", "joe@b\u00fccher.example", "X__c LIKE '%xn--bcher-kva.example%' OR X__c LIKE '%b\u00fccher.example%' OR X__c LIKE '%bu\u0308cher.example%'"},
		{syncdef.MatchEmailDomain, "", "joe@acme.example", `X__c LIKE '%acme.example%'`},
		{syncdef.MatchEmailDomain, "", "joe@\u6771\u4eac.example", "X__c LIKE '%xn--1lqs71d.example%' OR X__c LIKE '%\u6771\u4eac.example%'"},
	} {
		def := matching(test.strategy, "X__c")
		def.Match.DataType = test.kind
		if test.kind == "" && test.strategy == syncdef.MatchField {
			def.Match.Case = &insensitive
		}
		d := connect(t, def, srv.URL)
		d.lookUp(t, rows(t, version(t, def).Rules.Identity, test.in))
		if asked != test.want {
			t.Errorf("%s %q:\n got %s\nwant %s", test.strategy, test.in, asked, test.want)
		}
	}
}

// TestLookupCounts wants full calls, and only for the records that need one.
func TestLookupCounts(t *testing.T) {
	d := start(t, matching(syncdef.MatchEmailDomain, "Website"))
	const n = 2500
	var seeds [][]string
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("customer%05d.example", i))
		seeds = append(seeds, []string{fmt.Sprint(i), "https://" + keys[i] + "/"})
	}
	seed(t, d.sim, []string{"Name", "Website"}, seeds...)
	b := keyed(keys...)
	b.Records[7].ID = "0015g0000000008AAA"
	calls := d.Lookups(b)
	if len(calls) != 3 || slices.Contains(calls[0].Records, 7) || len(calls[0].Records) != 1000 || len(calls[0].Costs) != 1 {
		t.Fatalf("%d calls, %+v", len(calls), calls[0].Costs)
	}
	for i, o := range d.lookUp(t, b) {
		if i != 7 && o.Status != dest.Found {
			t.Fatalf("record %d: %+v", i, o)
		}
	}
	if got := d.account.APICalls(); got != 3 {
		t.Errorf("%d API calls", got)
	}
	var idn []string // asked for in three spellings each, so that a query of 200 takes 66
	for i := range 331 {
		idn = append(idn, fmt.Sprintf("m\u00fcnchen%d.de", i))
	}
	calls = d.Lookups(rows(t, version(t, matching(syncdef.MatchEmailDomain, "Website")).Rules.Identity, idn...))
	if len(calls) != 2 || len(calls[0].Records) != 330 {
		t.Errorf("of 331 IDN: %d calls, the first of %d", len(calls), len(calls[0].Records))
	}
	byKey, written := start(t, matching(syncdef.MatchField, "AccountNumber")), keyed(keys...)
	for i := range written.Records { // what only the case tells apart is asked for once
		written.Records[i].Match = strings.ToUpper(written.Records[i].Key) + " "
	}
	if calls := byKey.Lookups(written); len(calls) != 2 || len(calls[0].Records) != 2000 {
		t.Errorf("by key: %d calls, the first of %d", len(calls), len(calls[0].Records))
	}
}

// TestLookupLengths looks at what is sent: no query is longer than an address may
// be, whatever its keys are of, and no string longer than WHERE takes.
func TestLookupLengths(t *testing.T) {
	longest, queries := 0, 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "oauth2") {
			w.Write([]byte(`{"access_token":"t"}`)) //nolint:errcheck // the client may be gone
			return
		}
		var in struct {
			CompositeRequest []struct{ URL, ReferenceID string }
		}
		body, _ := io.ReadAll(r.Body)
		if json.Unmarshal(body, &in) != nil || len(in.CompositeRequest) > 5 {
			t.Errorf("%d queries", len(in.CompositeRequest))
		}
		out := []string{}
		for _, q := range in.CompositeRequest {
			longest, queries = max(longest, len(q.URL)), queries+1
			if u, err := url.Parse(q.URL); err != nil || strings.Contains(u.Query().Get("q"), strings.Repeat("x", 4001)) {
				t.Errorf("%v, or a string of more than 4,000 characters", err)
			}
			out = append(out, `{"body":{"totalSize":0,"done":true,"records":[]},"httpStatusCode":200,"referenceId":"`+q.ReferenceID+`"}`)
		}
		w.Write([]byte(`{"compositeResponse":[` + strings.Join(out, ",") + `]}`)) //nolint:errcheck // the client may be gone
	}))
	defer srv.Close()
	for name, strategy := range map[string]syncdef.Strategy{"field": syncdef.MatchField, "name": syncdef.MatchName} {
		d := connect(t, matching(strategy, "Name"), srv.URL)
		b := keyed()
		for i := range 300 {
			key := fmt.Sprintf("東京 %d %s", i, strings.Repeat("é'", i))
			b.Records = append(b.Records, dest.Record{Key: key, Match: strings.ToUpper(key)})
		}
		for i, o := range d.lookUp(t, b) {
			if o.Code != "no_match" {
				t.Fatalf("%s: record %d: %+v", name, i, o)
			}
		}
		long := keyed(strings.Repeat("x", 4001), "y", strings.Repeat("'", 2001), strings.Repeat("😀", 2001))
		if got := shorts(d.lookUp(t, long)); !slices.Equal(got, []string{"bad_match_value", "no_match", "bad_match_value", "bad_match_value"}) {
			t.Errorf("%s: %v", name, got)
		}
		// Nothing of a part is too long either, whichever records it takes.
		for _, c := range d.Lookups(b) {
			var odd []int
			for i := 1; i < len(c.Records); i += 2 {
				odd = append(odd, c.Records[i])
			}
			if out, err := d.Lookup(t.Context(), b, dest.Call{Records: odd}); err != nil || len(out) != len(odd) {
				t.Errorf("%s: %d outcomes, %v", name, len(out), err)
			}
		}
	}
	if longest > 16_000 || queries == 0 {
		t.Errorf("%d queries, the longest address has %d bytes", queries, longest)
	}
}

// TestLongKeys has match values that fill a query alone, in every place of a lookup, and
// one of which a single spelling is short enough: the organisation takes all of it.
func TestLongKeys(t *testing.T) {
	wide, marks, words := strings.Repeat("東", 1700), strings.Repeat("é", 3000), "東京 "+strings.Repeat("京", 1700)
	for name, keys := range map[string][]string{
		"alone": {wide}, "first": {wide, "acme"}, "last": {"acme", wide}, "between": {"acme", wide, wide + "x", "other"}, "in all spellings": {marks, "acme"}, "of words": {words, "acme"},
	} {
		for _, strategy := range []syncdef.Strategy{syncdef.MatchField, syncdef.MatchName} {
			d := start(t, matching(strategy, "Name"))
			seed(t, d.sim, []string{"Name"}, []string{"acme"})
			for i, code := range shorts(d.lookUp(t, keyed(keys...))) {
				want := "no_match"
				if keys[i] == "acme" {
					want = "0015g0000000001AAA"
				}
				if code != want {
					t.Errorf("%s, %s: record %d: %s, want %s", strategy, name, i, code, want)
				}
			}
		}
	}
}

// TestLookupPages has more rows behind its keys than one page holds; the further
// calls are counted.
func TestLookupPages(t *testing.T) {
	d := start(t, matching(syncdef.MatchEmailDomain, "Website"))
	var seeds [][]string
	for i := range 4500 {
		seeds = append(seeds, []string{fmt.Sprint(i), fmt.Sprintf("shop%d.bigmarket.example", i)})
	}
	seed(t, d.sim, []string{"Name", "Website"}, append(seeds, []string{"Exact", "bigmarket.example"})...)
	out := d.lookUp(t, keyed("bigmarket.example"))
	if out[0].Status != dest.Found || d.account.APICalls() != 3 {
		t.Errorf("%+v after %d calls", out[0], d.account.APICalls())
	}
}

func TestMissingIsCreated(t *testing.T) {
	d := start(t, creating(syncdef.MatchField, "AccountNumber"))
	b := keyed("ac-1")
	b.Records[0].Match = " AC-1"
	b.Records[0].Fields = []dest.Field{field("Name", `"New"`)}
	if out := d.lookUp(t, b); out[0].Status != dest.Pending {
		t.Fatalf("%+v", out[0])
	}
	out := d.push(t, b)
	if out[0].Status != dest.Delivered || !out[0].Created {
		t.Fatalf("%+v", out)
	}
	// The value is written as the row has it, not as it is compared.
	if got := stored(d.sim, "AccountNumber", "AC-1", "Name"); got["Name"] != "New" || got["Id"] != out[0].ID {
		t.Errorf("stored %v", got)
	}
	// A create whose answer was lost is found by the next attempt's lookup.
	if out := d.lookUp(t, b); out[0].Status != dest.Found {
		t.Errorf("%+v", out[0])
	}
}

// A white space that Salesforce keeps is written, and found again.
func TestKeptSpaceIsWritten(t *testing.T) {
	def := creating(syncdef.MatchField, "AccountNumber")
	d := start(t, def)
	b := rows(t, version(t, def).Rules.Identity, "\u00a0AC-1\t")
	b.Records[0].Fields = []dest.Field{field("Name", `"New"`)}
	if out := d.push(t, b); out[0].Status != dest.Delivered {
		t.Fatalf("%+v", out)
	}
	if got := stored(d.sim, "Name", "New", "AccountNumber"); got["AccountNumber"] != "\u00a0AC-1" {
		t.Errorf("stored %q", got)
	}
	if out := d.lookUp(t, b); out[0].Status != dest.Found {
		t.Errorf("%+v", out[0])
	}
}

// TestGoneIsMatchedAnew follows a record that was deleted in Salesforce: its id is
// given up, and it is found or made again.
func TestGoneIsMatchedAnew(t *testing.T) {
	d := start(t, creating(syncdef.MatchField, "AccountNumber"))
	b := keyed("ac-1")
	b.Records[0].Fields = []dest.Field{field("Name", `"New"`)}
	b.Records[0].ID = d.push(t, b)[0].ID
	if err := d.sim.Remove("Account", b.Records[0].ID); err != nil {
		t.Fatal(err)
	}
	out := d.push(t, b)
	if out[0].Status != dest.Found || out[0].ID != "" {
		t.Fatalf("%+v", out[0])
	}
	b.Records[0].ID = ""
	if out := d.lookUp(t, b); out[0].Status != dest.Pending {
		t.Fatalf("%+v", out[0])
	}
	if out := d.push(t, b); out[0].Status != dest.Delivered || !out[0].Created {
		t.Errorf("%+v", out[0])
	}
}

// TestByID writes by the row's own Ids, in 15 and 18 characters, without a lookup.
func TestByID(t *testing.T) {
	def := matching(syncdef.MatchField, "Id")
	def.Operation = syncdef.Update
	d := start(t, def)
	seed(t, d.sim, []string{"Name"}, []string{"One"}, []string{"Two"})
	b := rows(t, version(t, def).Rules.Identity, "0015g0000000001AAA", "0015g0000000002", "0015g00000009zz")
	for i := range b.Records {
		b.Records[i].Fields = []dest.Field{field("Daily_Active_Users__c", fmt.Sprint(i+11))}
	}
	if calls := d.Lookups(b); calls != nil {
		t.Errorf("%d lookups", len(calls))
	}
	out := d.push(t, b)
	if out[0].Status != dest.Delivered || out[0].Created || out[1].ID != "0015g0000000002AAA" || out[2].Code != "no_match" {
		t.Errorf("%+v", out)
	}
	if got := stored(d.sim, "Name", "Two", "Daily_Active_Users__c"); got["Daily_Active_Users__c"] != "12" {
		t.Errorf("stored %v", got)
	}
}

func TestUpdateByExternalIDNeverCreates(t *testing.T) {
	def := matching(syncdef.MatchExternalID, "Customer_ID__c")
	def.Operation, def.OnMissing = syncdef.Update, syncdef.Report
	d := start(t, def)
	seed(t, d.sim, []string{"Name", "Customer_ID__c"}, []string{"One", "c1"})
	out := d.lookUp(t, keyed("c1", "c2"))
	if out[0].ID != "0015g0000000001AAA" || out[1].Code != "no_match" || strings.Contains(out[1].Message, "on_missing") {
		t.Errorf("%+v", out)
	}
}

// TestLookupIsWhole holds answers that are not all of an answer: nothing is "not
// found" by them.
func TestLookupIsWhole(t *testing.T) {
	whole := `{"totalSize":1,"done":true,"records":[{"Id":"0015g0000000001AAA","Name":"x"}]}`
	part := func(status, reference, body string) string {
		return `{"body":` + body + `,"httpStatusCode":` + status + `,"referenceId":"` + reference + `"}`
	}
	all := func(parts ...string) string { return `{"compositeResponse":[` + strings.Join(parts, ",") + `]}` }
	for name, test := range map[string]struct {
		body string
		want bool
	}{
		"whole":                 {all(part("200", "q0", whole)), true},
		"nothing":               {`{}`, false},
		"no parts":              {all(), false},
		"an empty part":         {all(`{}`), false},
		"a part without body":   {all(`{"httpStatusCode":200,"referenceId":"q0"}`), false},
		"a part of null":        {all(part("200", "q0", "null")), false},
		"a part of {}":          {all(part("200", "q0", "{}")), false},
		"another's part":        {all(part("200", "q1", whole)), false},
		"one part too many":     {all(part("200", "q0", whole), part("200", "q1", whole)), false},
		"no status":             {all(`{"body":` + whole + `,"referenceId":"q0"}`), false},
		"not done, no next":     {all(part("200", "q0", `{"totalSize":5,"done":false,"records":[]}`)), false},
		"next elsewhere":        {all(part("200", "q0", `{"totalSize":5,"done":false,"nextRecordsUrl":"https://evil.example/","records":[]}`)), false},
		"fewer rows":            {all(part("200", "q0", `{"totalSize":2,"done":true,"records":[{"Id":"0015g0000000001AAA","Name":"x"}]}`)), false},
		"more rows":             {all(part("200", "q0", `{"totalSize":0,"done":true,"records":[{"Id":"0015g0000000001AAA","Name":"x"}]}`)), false},
		"no total":              {all(part("200", "q0", `{"done":true,"records":[]}`)), false},
		"no records":            {all(part("200", "q0", `{"totalSize":0,"done":true}`)), false},
		"no end":                {all(part("200", "q0", `{"totalSize":0,"records":[]}`)), false},
		"a row without Id":      {all(part("200", "q0", `{"totalSize":1,"done":true,"records":[{"Name":"x"}]}`)), false},
		"a row of another kind": {all(part("200", "q0", `{"totalSize":1,"done":true,"records":["x"]}`)), false},
		"negative total":        {all(part("200", "q0", `{"totalSize":-1,"done":true,"records":[]}`)), false},
		"cut":                   {all(part("200", "q0", whole))[:60], false},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, creating(syncdef.MatchField, "Name"))
			d.arm(t, sandbox.Fault{Match: "/composite", Status: 200, Body: test.body})
			b := keyed("x")
			out, err := d.Lookup(t.Context(), b, d.Lookups(b)[0])
			if test.want {
				if err != nil || out[0].ID != "0015g0000000001AAA" {
					t.Errorf("%+v, %v", out, err)
				}
				return
			}
			if failed := callError(t, err); failed.Class != dest.Unavailable || failed.Scope != dest.ScopeUntold || out != nil {
				t.Errorf("%+v", failed)
			}
		})
	}
}

// TestPagesAreWhole has the second page of an answer fail, in ways of its own.
func TestPagesAreWhole(t *testing.T) {
	first := `{"compositeResponse":[{"body":{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v68.0/query/01g-1","records":[{"Id":"0015g0000000001AAA","Name":"x"}]},"httpStatusCode":200,"referenceId":"q0"}]}`
	for name, test := range map[string]struct {
		fault sandbox.Fault
		class dest.Class
		want  bool
	}{
		"whole":         {sandbox.Fault{Status: 200, Body: `{"totalSize":2,"done":true,"records":[{"Id":"0015g0000000002AAA","Name":"y"}]}`}, 0, true},
		"fewer rows":    {sandbox.Fault{Status: 200, Body: `{"totalSize":2,"done":true,"records":[]}`}, dest.Unavailable, false},
		"another total": {sandbox.Fault{Status: 200, Body: `{"totalSize":1,"done":true,"records":[{"Id":"0015g0000000002AAA","Name":"y"}]}`}, dest.Unavailable, false},
		"nothing":       {sandbox.Fault{Status: 200, Body: `{}`}, dest.Unavailable, false},
		"outage":        {sandbox.Fault{Status: 503}, dest.Unavailable, false},
		"expired":       {sandbox.Fault{Status: 404, Body: entry("INVALID_QUERY_LOCATOR", "invalid query locator")}, dest.Unavailable, false},
		"quota":         {sandbox.Fault{Status: 403, Body: entry("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")}, dest.Throttled, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, creating(syncdef.MatchField, "Name"))
			d.arm(t, sandbox.Fault{Match: "/composite", Status: 200, Body: first})
			test.fault.Match = "query/01g-1"
			d.arm(t, test.fault)
			b := keyed("x")
			out, err := d.Lookup(t.Context(), b, d.Lookups(b)[0])
			if test.want {
				if err != nil || out[0].ID != "0015g0000000001AAA" {
					t.Errorf("%+v, %v", out, err)
				}
				return
			}
			if failed := callError(t, err); failed.Class != test.class {
				t.Errorf("%+v", failed)
			}
		})
	}
}

// TestLookupFails holds failures of a query within a request: they fail the call,
// for its keys would otherwise read as missing, and name nobody's value (I6).
func TestLookupFails(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		class  dest.Class
		scope  dest.Scope
		code   string
	}{
		"unknown field":   {400, entry("INVALID_FIELD", `\nWHERE Name IN ('secret-key'\n      ^\nERROR at Row:1:Column:7\nNo such column 'Name'`), dest.Configuration, dest.ScopeVersion, "INVALID_FIELD"},
		"unknown object":  {400, entry("INVALID_TYPE", "sObject type 'Acount' is not supported."), dest.Configuration, dest.ScopeVersion, "INVALID_TYPE"},
		"not filterable":  {400, entry("INVALID_QUERY_FILTER_OPERATOR", "field 'X__c' can not be filtered in a query call"), dest.Configuration, dest.ScopeVersion, "INVALID_QUERY_FILTER_OPERATOR"},
		"unread":          {400, entry("MALFORMED_QUERY", "unexpected token: 'secret-key'"), dest.Refused, dest.ScopeUntold, "MALFORMED_QUERY"},
		"too complicated": {400, entry("QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or the filter conditions are too complicated."), dest.Refused, dest.ScopeUntold, "QUERY_TOO_COMPLICATED"},
		"timeout":         {400, entry("QUERY_TIMEOUT", "Your query request was running for too long."), dest.Unavailable, dest.ScopeUntold, "QUERY_TIMEOUT"},
		"concurrent":      {403, entry("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."), dest.Throttled, dest.ScopeConnection, "REQUEST_LIMIT_EXCEEDED"},
		"internal":        {500, entry("UNKNOWN_EXCEPTION", "ErrorId: 42"), dest.Unavailable, dest.ScopeUntold, "UNKNOWN_EXCEPTION"},
		"bare":            {500, `""`, dest.Unavailable, dest.ScopeUntold, "500"},
		"another shape":   {400, `{}`, dest.Unavailable, dest.ScopeUntold, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, creating(syncdef.MatchField, "Name"))
			d.arm(t, sandbox.Fault{Match: "/composite", Status: 200, Body: fmt.Sprintf(`{"compositeResponse":[{"body":%s,"httpStatusCode":%d,"referenceId":"q0"}]}`, test.body, test.status)})
			b := keyed("secret-key")
			_, err := d.Lookup(t.Context(), b, d.Lookups(b)[0])
			failed := callError(t, err)
			if failed.Class != test.class || failed.Scope != test.scope || failed.Code != test.code || strings.Contains(failed.Error(), "secret-key") {
				t.Errorf("%+v", failed)
			}
		})
	}
}

// TestInsertFindsOut looks up only inserts that an earlier attempt may have sent, and takes
// for one what was made since, however many were there before.
func TestInsertFindsOut(t *testing.T) {
	def := creating(syncdef.MatchField, "AccountNumber")
	def.Operation, def.OnMissing = syncdef.Insert, ""
	d := start(t, def)
	seed(t, d.sim, []string{"Name", "AccountNumber"}, []string{"One", "A-1"}, []string{"Two", "A-3"}, []string{"Three", "a-3"})
	b := keyed("a-1", "a-1", "a-2", "a-3")
	for i := range b.Records {
		b.Records[i].Intent, b.Records[i].Tried = i > 0, dest.Tried{At: noon}
	}
	look := func() string {
		t.Helper()
		var all []string
		for i, o := range d.lookUp(t, b) {
			all = append(all, fmt.Sprintf("%d %d %s", i, o.Status, o.ID))
		}
		return strings.Join(all, ", ")
	}
	pending, delivered, unknown := dest.Pending, dest.Delivered, dest.Unknown
	if got, want := look(), fmt.Sprintf("0 %d , 1 %d 0015g0000000001AAA, 2 %d , 3 %d ", pending, delivered, pending, unknown); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if calls := d.Lookups(b); len(calls) != 1 || !slices.Equal(calls[0].Records, []int{1, 2, 3}) {
		t.Errorf("%+v", calls)
	}
	for i := range b.Records {
		b.Records[i].Tried.At = noon.Add(time.Hour)
	}
	if got, want := look(), fmt.Sprintf("0 %d , 1 %d , 2 %d , 3 %d ", pending, pending, pending, pending); got != want {
		t.Errorf("there before: %s, want %s", got, want)
	}
	def.Fields = append(slices.Clone(def.Fields), syncdef.Field{Source: "made", Destination: "CreatedDate", Type: syncdef.DateTime})
	d = over(t, d.sim, def)
	if got, want := look(), fmt.Sprintf("0 %d , 1 %d , 2 %d , 3 %d ", pending, unknown, pending, unknown); got != want {
		t.Errorf("the row says when: %s, want %s", got, want)
	}
	def.Strategy, def.Match = "", syncdef.Match{}
	blind := start(t, def)
	if calls := blind.Lookups(b); calls != nil {
		t.Errorf("without a match: %+v", calls)
	}
}

// An insert of which a record that is found may be another's, or be it, is not told either.
func TestInsertUnsureOfCase(t *testing.T) {
	def := creating(syncdef.MatchField, "Customer_ID__c")
	def.Operation, def.OnMissing = syncdef.Insert, ""
	d := start(t, def)
	seed(t, d.sim, []string{"Name", "Customer_ID__c"}, []string{"One", "A-1"})
	b := keyed("a-1")
	b.Records[0].Intent, b.Records[0].Tried = true, dest.Tried{At: noon.Add(time.Hour)}
	if out := d.lookUp(t, b); out[0].Status != dest.Unknown || !strings.Contains(out[0].Message, "but for case") {
		t.Errorf("%+v", out)
	}
}
