package desttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

func clears(t *testing.T, s Subject) {
	if !s.Clears {
		t.Skip("the vendor has no fields to clear")
	}
	r := s.Record(1)
	r.Fields = replaced(r.Fields, dest.Field{Name: s.Text, Value: jsontext.Value(`"once"`)})
	first := push(t, s, one(r))
	holds(t, s, r)
	r.Fields = replaced(r.Fields, dest.Field{Name: s.Text, Value: jsontext.Value("null")})
	r.ID = first[0].ID
	push(t, s, one(r))
	if text, there := s.Stored(r)[s.Text]; there {
		t.Errorf("%s still holds %q", s.Text, text)
	}
}

// one is a batch of one record.
func one(r dest.Record) dest.Batch {
	return dest.Batch{Run: "suite:1", Total: map[string]int{}, Records: []dest.Record{r}}
}

func texts(t *testing.T, s Subject) {
	all := []string{
		`O'Brien`, `O''Brien`, `"quoted" \back\slash/`, "tab\tand line\nbreak", `{"json":[1,2]}`,
		"Grüße, 東京 🚰", "Ａ ﬁ e\u0301", "<b>&amp;</b>", "10000000000000000000000.25",
		"\u2028line separator", "trailing backslash\\",
	}
	b := dest.Batch{Run: "suite:1", Total: map[string]int{}}
	for i, text := range all {
		r := s.Record(i)
		value, err := jsontext.AppendQuote(nil, text)
		if err != nil {
			t.Fatal(err)
		}
		r.Fields = replaced(r.Fields, dest.Field{Name: s.Text, Value: value})
		b.Records = append(b.Records, r)
	}
	if got := statuses(push(t, s, b)); got != strings.Repeat("d", len(all)) {
		t.Fatalf("outcomes %s", got)
	}
	for _, r := range b.Records {
		holds(t, s, r)
	}
}

// replaced sets a field that may be there already.
func replaced(fields []dest.Field, f dest.Field) []dest.Field {
	out := append([]dest.Field(nil), fields...)
	for i := range out {
		if out[i].Name == f.Name {
			out[i] = f
			return out
		}
	}
	return append(out, f)
}

func numbers(t *testing.T, s Subject) {
	if s.Number == "" {
		t.Skip("the vendor has no number fields")
	}
	for i, n := range []string{"9007199254740993", "-9007199254740993", "1234567890123456.12", "0.01", "0", "-0.5", "85.0"} {
		r := s.Record(i)
		r.Fields = replaced(r.Fields, dest.Field{Name: s.Number, Value: jsontext.Value(n)})
		if out := push(t, s, one(r)); out[0].Status != dest.Delivered {
			t.Errorf("%s: %s %s", n, out[0].Code, out[0].Message)
		}
		holds(t, s, r)
	}
}

// sparse pushes one field of a record that exists and wants the others left alone.
func sparse(t *testing.T, s Subject) {
	if !s.Clears {
		t.Skip("the vendor has no fields to leave alone")
	}
	whole := s.Record(3)
	id := push(t, s, one(whole))[0].ID
	part := whole
	part.ID = id
	part.Fields = []dest.Field{{Name: s.Text, Value: jsontext.Value(`"` + fmt.Sprintf("only %s", s.Text) + `"`)}}
	push(t, s, one(part))
	holds(t, s, part)
	whole.Fields = replaced(whole.Fields, part.Fields[0])
	holds(t, s, whole)
}
