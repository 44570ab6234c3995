package intercom

import (
	"net/http"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Whatever Intercom answers, nothing panics, and what is taken for an answer has what
// is relied on.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"type":"contact","id":"1","external_id":null,"email":"a@b.example","tags":{"data":[{"id":"1"}],"total_count":1,"has_more":false}}`,
		`{"type":"list","data":[{"id":"1","name":"a"}],"total_count":1,"pages":{"next":{"starting_after":"x"}}}`,
		`{"type":"list","data":[{"name":"a","full_name":"custom_attributes.a","data_type":"string","options":[{"value":"x"},"y"],"custom":true}]}`,
		`{"type":"error.list","errors":[{"code":"conflict","message":"A contact matching those details already exists with id=1"}]}`,
		`{}`, `[]`, `null`, `{"type":"list","data":null}`, `{"type":"contact","id":7}`, `{"type":"list","data":[{}],"total_count":0,"pages":{"next":{}}}`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if c, ok := readContact(body); ok {
			if c.ID == "" {
				t.Error("a contact without an id")
			}
			c.tagIDs()
			c.value(fieldEmail)
		}
		if p, ok := readPage(body); ok {
			for _, c := range p.contacts {
				if c.ID == "" {
					t.Error("a contact without an id in a page")
				}
			}
		}
		a := &answer{status: http.StatusOK, body: body}
		if tags, ok := readTags(a); ok {
			for _, one := range tags {
				if one.ID == "" || one.Name == "" {
					t.Error("a tag without an id or a name")
				}
			}
		}
		readAttributes(a)
		c := &client{base: "https://api.intercom.io", now: nil}
		for _, status := range []int{200, 404, 409, 500} {
			c.notJSON(&http.Response{StatusCode: status}, body)
		}
	})
}

// What a row holds is sent as JSON, or is refused.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{`["a",null,"b"]`, `"[\"a\"]"`, `{"a":1,"b":"x","c":null}`, `"2024-01-15T10:30:00Z"`, `1e400`, `"\ud83d\udea0"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := jsontext.Value(raw)
		if !v.IsValid() {
			return
		}
		v = jsontext.Value(append([]byte(nil), raw...))
		if err := v.Compact(); err != nil {
			return
		}
		if tags, ok := tagsOf(v); ok {
			for _, one := range tags {
				if one == "" {
					t.Error("an empty tag")
				}
			}
		}
		for _, a := range []attribute{{kind: "string"}, {kind: "date", options: []string{"x"}}} {
			value, code, _ := attributeValue(a, "datetime", v)
			if code == "" && !jsontext.Value(value).IsValid() {
				t.Errorf("%q is sent as %q", raw, value)
			}
		}
		if out := unwrapped(v, '{'); !out.IsValid() {
			t.Errorf("%q unwraps to %q", raw, out)
		}
	})
}
