package syncdef_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestParsePath(t *testing.T) {
	step := func(name string) syncdef.Step { return syncdef.Step{Name: name} }
	for s, want := range map[string]syncdef.Path{
		"a":            {step("a")},
		"a.b":          {step("a"), step("b")},
		"a[0]":         {step("a"), {Index: 0}},
		"a[2].b[1][0]": {step("a"), {Index: 2}, step("b"), {Index: 1}, {Index: 0}},
		`a\.b`:         {step("a.b")},
		`a\[0]`:        {step("a[0]")},
		`a\\.b\c`:      {step(`a\`), step(`b\c`)},
		"größe.x y":    {step("größe"), step("x y")},
		"":             nil,
		".a":           nil,
		"a.":           nil,
		"a..b":         nil,
		"[0]":          nil,
		"a[":           nil,
		"a[x]":         nil,
		"a[-1]":        nil,
		"a[+1]":        nil,
		"a[1000]":      nil,
		"a[]":          nil,
		"a[0]b":        nil,
	} {
		got, err := syncdef.ParsePath(s)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: %v %s", s, err, diff)
		}
		if want == nil {
			continue
		}
		if again, err := syncdef.ParsePath(got.String()); err != nil || !cmp.Equal(again, got) {
			t.Errorf("%q is written as %q: %v %v", s, got.String(), again, err)
		}
	}
}

func FuzzParseTemplate(f *testing.F) {
	for _, s := range []string{"a {{b}}", `\{{a}}`, `\\{{a}}`, "{{", "{{a", "}}{{ a }}{{b}}", `\\\{{x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, err := syncdef.ParseTemplate(s)
		if err != nil {
			return
		}
		for i, p := range parts {
			if (p.Text == "") == (p.Column == "") || p.At < 0 || p.At >= len(s) || i > 0 && p.At <= parts[i-1].At {
				t.Errorf("%q: part %d is %+v", s, i, p)
			}
		}
	})
}
