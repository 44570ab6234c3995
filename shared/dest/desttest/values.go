package desttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// values are what arrives of a record.
var values = map[string]func(*testing.T, *world){
	"clears with null":               clears,
	"keeps texts":                    texts,
	"keeps numbers":                  numbers,
	"sends only what a record holds": sparse,
}

func noSecret(context.Context) (map[string]string, error) { return nil, errors.New("not there") }

func clears(t *testing.T, w *world) {
	if !w.Clears {
		t.Skip("the vendor has no fields to clear")
	}
	r := w.Record(1)
	r.Fields = replaced(r.Fields, dest.Field{Name: w.Text, Value: jsontext.Value(`"once"`)})
	first := w.push(t, of(r))
	w.holds(t, r)
	r.Fields = replaced(r.Fields, dest.Field{Name: w.Text, Value: jsontext.Value("null")})
	r.ID = first[0].ID
	w.push(t, of(r))
	if text, there := w.Stored(r)[w.Text]; there {
		t.Errorf("%s still holds %q", w.Text, text)
	}
}

func texts(t *testing.T, w *world) {
	if w.Text == "" {
		t.Skip("no field takes any text")
	}
	all := []string{
		`O'Brien`, `O''Brien`, `"quoted" \back\slash/`, "tab\tand line\nbreak", `{"json":[1,2]}`,
		"Grüße, 東京 🚰", "Ａ ﬁ e\u0301", "<b>&amp;</b>", "10000000000000000000000.25",
		"\u2028line separator", "trailing backslash\\",
	}
	b := of()
	for i, text := range all {
		r := w.Record(i)
		value, err := jsontext.AppendQuote(nil, text)
		if err != nil {
			t.Fatal(err)
		}
		r.Fields = replaced(r.Fields, dest.Field{Name: w.Text, Value: value})
		b.Records = append(b.Records, r)
	}
	if got := statuses(w.push(t, b)); got != strings.Repeat("d", len(all)) {
		t.Fatalf("outcomes %s", got)
	}
	for _, r := range b.Records {
		w.holds(t, r)
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

func numbers(t *testing.T, w *world) {
	if w.Number == "" {
		t.Skip("the vendor has no number fields")
	}
	for i, n := range []string{"9007199254740993", "-9007199254740993", "1234567890123456.12", "0.01", "0", "-0.5", "85.0"} {
		r := w.Record(i)
		r.Fields = replaced(r.Fields, dest.Field{Name: w.Number, Value: jsontext.Value(n)})
		if out := w.push(t, of(r)); out[0].Status != dest.Delivered {
			t.Errorf("%s: %s %s", n, out[0].Code, out[0].Message)
		}
		w.holds(t, r)
	}
}

// sparse pushes one field of a record that exists and wants the others left alone.
func sparse(t *testing.T, w *world) {
	if !w.Clears {
		t.Skip("the vendor has no fields to leave alone")
	}
	whole := w.Record(3)
	id := w.push(t, of(whole))[0].ID
	part := whole
	part.ID = id
	part.Fields = []dest.Field{{Name: w.Text, Value: jsontext.Value(`"` + fmt.Sprintf("only %s", w.Text) + `"`)}}
	w.push(t, of(part))
	w.holds(t, part)
	whole.Fields = replaced(whole.Fields, part.Fields[0])
	w.holds(t, whole)
}
