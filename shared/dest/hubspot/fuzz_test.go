package hubspot

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// offline is a destination that makes no call.
func offline(t testing.TB, operation syncdef.Operation) *destination {
	t.Helper()
	def := syncdef.Definition{Object: "contacts", Strategy: syncdef.MatchEmail, Operation: operation, Match: syncdef.Match{Source: "email", Destination: propEmail},
		Fields: []syncdef.Field{{Source: "a", Destination: "firstname"}}}
	a, err := open(dest.Config{Secret: func(context.Context) (map[string]string, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return newDestination(def, identity(&def), a.(*account).client)
}

// FuzzAnswers: whatever comes back, with whatever status, either the call fails, or each
// record has an outcome or is sent again; what was delivered has an id, and no word of a
// row is passed on.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"status":"COMPLETE","results":[{"id":"1","objectWriteTraceId":"0","new":true},{"id":"2","objectWriteTraceId":"1"}]}`,
		`{"results":[{"id":"1","objectWriteTraceId":"0"}],"numErrors":1,"errors":[{"category":"CONFLICT","message":"Contact already exists. Existing ID: 101","context":{"objectWriteTraceId":["1"]}}]}`,
		`{"status":"error","category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"error\":\"INVALID_OPTION\",\"name\":\"firstname\"}]","errors":[{"code":"marked-4711","context":{"propertyName":["marked-4711"]}}]}`,
		`{"category":"marked-4711","policyName":"marked-4711","context":{"objectWriteTraceId":["0"],"missingScopes":["marked-4711"]}}`,
		`{"category":"marked-4711","context":{"objectWriteTraceId":["1"],"propertyName":["marked-4711"]}}`,
		`{"results":[{"id":"7","objectWriteTraceId":"0"}],"errors":[{"category":"marked-4711","context":{"objectWriteTraceId":["1"],"propertyName":["marked-4711"]}}]}`,
		`{"category":"Pmarked-4711"}`, `{"errors":{}}`, `[]`, `{}`, ``, `null`, `<html>`, "{\"results\":[\xff", `{"results":[{"id":5,"properties":{"email":"a@b.example"}}]}`,
	} {
		for _, status := range []int{200, 207, 400, 403, 409, 429} {
			f.Add(status, []byte(seed))
		}
	}
	const marked = "marked-4711"
	// A code that is longer than a value is not the value.
	tells := func(texts ...string) bool {
		words := strings.FieldsFunc(strings.Join(texts, " "), func(r rune) bool { return dest.Code(string(r)) == "" })
		return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, marked) })
	}
	b := dest.Batch{Records: []dest.Record{
		{Key: "a@b.example", ID: "7", Fields: []dest.Field{{Name: "firstname", Value: jsontext.Value(`"` + marked + `"`)}}},
		{Key: marked + "@c.example", ID: "8"},
	}}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, operation := range []syncdef.Operation{syncdef.Upsert, syncdef.Insert} {
			p := offline(t, operation).newPush(b, dest.Call{Records: []int{0, 1}})
			failed := p.read(request{op: "write", object: true, holds: p.holds}, answer{status: status, body: body})
			if failed != nil {
				if failed.Message == "" || failed.Code == "" || tells(failed.Code, failed.Message) {
					t.Errorf("%d: %+v", status, failed)
				}
				continue
			}
			for n, o := range p.out {
				open := false
				for _, m := range p.inputs {
					open = open || m == n
				}
				if open == (o.Status != dest.Pending) || o.Status == dest.Delivered && o.ID == "" || tells(o.Code, o.Field, o.Message) {
					t.Errorf("%d: record %d, open %v: %+v", status, n, open, o)
				}
			}
			if status/100 == 2 && len(p.inputs) > 0 {
				t.Errorf("%d: %d records are unaccounted for", status, len(p.inputs))
			}
		}
	})
}

// FuzzLookup: nothing is found that has no id, and nothing that was not asked for.
func FuzzLookup(f *testing.F) {
	for _, seed := range []string{
		`{"status":"COMPLETE","results":[{"id":"1","properties":{"email":"A@b.example","hs_additional_emails":"c@d.example;e@f.example"}}]}`,
		`{"results":[],"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["x"]}}]}`, `{"results":[{"id":"9","properties":{}}]}`, `{"results":[{"id":""}]}`, `{"results":null}`, `{}`, ``,
	} {
		f.Add([]byte(seed))
	}
	d := offline(f, syncdef.Update)
	f.Fuzz(func(t *testing.T, b []byte) {
		said, ok := readBody(b)
		if !ok {
			return
		}
		asked := map[string][]string{"a@b.example": {"a@b.example"}, "e@f.example": {"E@f.example"}, "7": {"7"}}
		for _, byID := range []bool{false, true} {
			found, silent, failed := d.found(request{op: "look up"}, answer{status: 200, body: b}, said, looking{byID, asked})
			for key := range silent {
				if found[key] != nil || asked[key] == nil {
					t.Errorf("%q is found, or was not asked for", key)
				}
			}
			for key, hits := range found {
				nameless := slices.ContainsFunc(hits, func(h hit) bool { return h.id == "" })
				if failed == nil && (len(hits) == 0 || nameless || asked[key] == nil || byID && !slices.Equal(hits, []hit{{id: key}})) {
					t.Errorf("%q: %+v", key, hits)
				}
			}
		}
	})
}

// A row that holds one of the vendor's words does not change what an error of another one
// means.
func TestVendorsWordsInRows(t *testing.T) {
	b := dest.Batch{Records: []dest.Record{
		{Key: "a@b.example", ID: "7", Fields: []dest.Field{{Name: "firstname", Value: jsontext.Value(`"Locked"`)}}},
		{Key: "c@d.example", ID: "8", Fields: []dest.Field{{Name: "firstname", Value: jsontext.Value(`"conflict"`)}}},
	}}
	for category, want := range map[string]dest.Status{"LOCKED": dest.Retry, "CONFLICT": dest.Rejected} {
		p := offline(t, syncdef.Upsert).newPush(b, dest.Call{Records: []int{0, 1}})
		body := `{"results":[{"id":"7","objectWriteTraceId":"0"}],"errors":[{"category":"` + category + `","message":"x. Existing ID: 101","context":{"objectWriteTraceId":["1"]}}]}`
		failed := p.read(request{op: "write", object: true, holds: p.holds}, answer{status: 207, body: []byte(body)})
		if o := p.out[1]; failed != nil || o.Status != want || o.Code != category {
			t.Errorf("%s: %v, %+v", category, failed, o)
		}
	}
}
