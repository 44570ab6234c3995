package salesforce

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// FuzzDecodeOutcomes: whatever comes back, either it cannot be read, or there is an
// outcome for each record, and what was delivered has the id that was asked for.
func FuzzDecodeOutcomes(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"0015g0000000001AAA","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"X","message":"m","fields":["F"]}]}]`,
		`[{},{}]`, `[]`, `{}`, ``, `[{"id":1,"success":true},{"success":null}]`, `[[`, "[\xff",
	} {
		f.Add([]byte(seed))
	}
	d := offline(f, syncdef.Definition{Strategy: syncdef.MatchField, Match: syncdef.Match{Source: "x", Destination: "X__c"}})
	const id = "0015g0000000001AAA"
	b := dest.Batch{Records: []dest.Record{{Key: "a", ID: id}, {Key: "b", ID: id}}}
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := d.decodeOutcomes(updateKind, body, b, dest.Call{Records: []int{0, 1}})
		if err == nil && len(out) != 2 {
			t.Errorf("%d outcomes", len(out))
		}
		for _, o := range out {
			if o.Status == dest.Delivered && o.ID != id || o.Status == dest.Pending {
				t.Errorf("%+v", o)
			}
		}
	})
}

// FuzzPages: a query that ends has as many rows as it said.
func FuzzPages(f *testing.F) {
	for _, seed := range []string{
		`{"totalSize":1,"done":true,"records":[{"attributes":{},"Id":"0015g0000000001AAA","Name":"x"}]}`,
		`{"totalSize":1,"done":false,"nextRecordsUrl":"/services/data/v68.0/query/1","records":[]}`, `{}`, ``, `{"totalSize":1e3}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows := int64(0)
		p := newPages(func(found) { rows++ })
		next, err := p.read(body)
		if err == nil && next == "" && rows != p.total {
			t.Errorf("%d rows of %d", rows, p.total)
		}
		if err == nil && next != "" && !strings.HasPrefix(next, "/services/data/") {
			t.Errorf("next page at %q", next)
		}
	})
}

// TestPagesAgree has the second page end where it says, but not where the first did.
func TestPagesAgree(t *testing.T) {
	p := newPages(func(found) {})
	if next, err := p.read([]byte(`{"totalSize":5,"done":false,"nextRecordsUrl":"/services/data/v68.0/query/1","records":[{"Id":"0015g0000000001AAA"}]}`)); err != nil || next == "" {
		t.Fatalf("%q, %v", next, err)
	}
	if _, err := p.read([]byte(`{"totalSize":2,"done":true,"records":[{"Id":"0015g0000000002AAA"}]}`)); err == nil {
		t.Error("an answer that contradicts itself is whole")
	}
}

// FuzzComposite: parts are as many as queries, or there are none.
func FuzzComposite(f *testing.F) {
	for _, seed := range []string{
		`{"compositeResponse":[{"body":{},"httpStatusCode":200,"referenceId":"q0"},{"body":[{"errorCode":"X"}],"httpStatusCode":400,"referenceId":"q1"}]}`,
		`{"compositeResponse":[]}`, `{}`, ``, `[]`, `{"compositeResponse":[{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := decodeComposite(body, 2)
		if err == nil && len(parts) != 2 {
			t.Errorf("%d parts", len(parts))
		}
		for _, p := range parts {
			if err := p.failure("op"); err != nil && asCallError(err) == nil {
				t.Errorf("%v", err)
			}
		}
	})
}

// FuzzErrors: whatever a failure's body is, each error that is read has a code.
func FuzzErrors(f *testing.F) {
	f.Add([]byte(`[{"errorCode":"X","message":"m","fields":["a"]}]`))
	f.Add([]byte(`{"errorCode":"X","message":"invalid email address: a@"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if errs := readErrors(body); len(errs) > 0 && errs[0].code == "" {
			t.Errorf("%+v", errs)
		}
	})
}

func TestWithout(t *testing.T) {
	for _, test := range []struct{ message, value, want string }{
		{"Sorry, Acme is taken", "Acme", "Sorry, (value) is taken"},
		{"Acme", "Acme", "(value)"},
		{"Acmes and Acme's", "Acme", "Acmes and (value)'s"},
		{"before re re re after", "re re re", "before (value) after"},
		{"a 12 b", "12", "a 12 b"}, // too short to tell anything
		{"grüße: grüß", "grüß", "grüße: (value)"},
		{"none", "", "none"},
	} {
		if got := without(test.message, test.value); got != test.want {
			t.Errorf("%q without %q: %q, want %q", test.message, test.value, got, test.want)
		}
	}
}
