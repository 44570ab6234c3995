package quality_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: want -, got + (go test -update writes it)\n%s", name, diff)
	}
}

// raw are values of in.
func raw(values ...string) (out []json.RawMessage) {
	for _, v := range values {
		out = append(out, json.RawMessage(v))
	}
	return out
}

func numbers(least, most syncdef.Decimal) []syncdef.Decimal { return []syncdef.Decimal{least, most} }

// sampleChecks is the sample's data quality checks as a definition.
func sampleChecks() *syncdef.Definition {
	return &syncdef.Definition{Sync: "sf_scores", Model: "customer_health_scores", Quality: &syncdef.Quality{Rules: []syncdef.QualityRule{
		{Column: "email", NotEmpty: true, BlockOver: "0.05"},
		{Column: "health_score", Between: numbers("0", "1"), BlockOver: "0"},
		{Column: "company_name", MaxLength: 255, CountOnly: true},
	}}}
}

// sampleThresholds is the sample's validation with failure thresholds as a definition.
func sampleThresholds() *syncdef.Definition {
	return &syncdef.Definition{Sync: "sf_health", Model: "salesforce_customer_health_sync", Quality: &syncdef.Quality{
		WarnOver: "0.01", BlockOver: "0.05", Rules: []syncdef.QualityRule{{Column: "email", NotNull: true}},
	}}
}

// everyKind is a gate with all that there is.
func everyKind() *syncdef.Definition {
	return &syncdef.Definition{Sync: "accounts", Model: "analytics.marts.accounts", Quality: &syncdef.Quality{
		WarnOver: "0.01", BlockOver: "0.12345678", MinRows: 10, Rules: []syncdef.QualityRule{
			{Column: "Order", NotNull: true, BlockOver: "1"},
			{Column: "e-mail \"work\"", Matches: `^[^@\s]+@[^@\s]+\.(com|co\.uk)$`, WarnOver: "0"},
			{Column: "phone", Matches: `(?i)^(?:\+\d{1,3} )?[\d -]{4,}(x\d+)?$`},
			{Column: "risk", In: raw(`"low"`, `"it's"`, `"a\\b"`, "1", "-2.5")},
			{Column: "notes", Matches: "^.*$", CountOnly: true},
			{Column: "score", Between: numbers("-1.5", "1")},
		},
	}}
}

// What is made for a warehouse is locked, word by word.
func TestViewsAreLocked(t *testing.T) {
	for name, d := range map[string]*syncdef.Definition{"checks": sampleChecks(), "thresholds": sampleThresholds(), "kinds": everyKind()} {
		g, err := quality.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, dialect := range quality.Dialects {
			golden(t, name+"."+dialect.Name+".golden", g.Select(dialect, d.Relation())+"\n")
		}
	}
}

// A pattern means the same in every warehouse, or is refused with what to write.
func TestPortable(t *testing.T) {
	for pattern, want := range map[string]string{
		`^\d{5}$`: `^[0-9]{5}$`, `\w+`: `[0-9A-Za-z_]+`, `[^@\s]`: `[^@[:space:]]`, `\S`: `[^[:space:]]`, `(?:a|bc)+?`: `(a|bc)+`,
		`(?i)ab`: `[Aa][Bb]`, `a.b`: `a.b`, `\Aa\z`: `^a$`, `[a-z]`: `[a-z]`, `[x-]`: `[x-]`, `[]a]`: `[]a]`, `[^]]`: `[^]]`, `(a|)b`: `((a)?)b`, `a|b|cd`: `[ab]|cd`,
		`\.\*\[`: `\.\*\[`, `a{2,3}`: `a{2,3}`, `a{2,}`: `a{2,}`, `(ab)*`: `(ab)*`, `(?P<n>a)`: `(a)`, `\\`: `\\`, `[^^]`: `[^^]`, `[\^-]`: `[-^]`, `(a*)*`: `(a*)*`, `[äö]`: `[äö]`, `^a|b$`: `^a|b$`,
		`aa||aa`: `(aa|aa)?`, `(aa|aa)?`: `(aa)?`,
	} {
		got, err := quality.Portable(pattern)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", pattern, got, err, want)
		}
	}
	for pattern, want := range map[string]string{
		`a(?=b)`: "look-ahead", `a(?!b)`: "look-ahead", `(?<=a)b`: "look-behind", `(?<!a)b`: "look-behind", `(a)\1`: "back-references", `\ba`: `\b is not known`,
		`(?m)^a`: "(?m)", `(?s).`: "(?s)", `\pL`: "so many characters", `a{256}`: "255 times", `[\\/]`: "backslash", `\n`: "control characters", "a(": "missing closing",
		`[^\n\t]`: "control character", "()": "empty part", "a\x00": "no text", "\xff": "no text", `[[:cntrl:]]`: "control character", `a**b(`: "",
	} {
		if _, err := quality.Portable(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", pattern, err, want)
		}
	}
}

// What is written for a warehouse finds what the pattern itself finds.
func FuzzPortable(f *testing.F) {
	for _, s := range []string{`^\d{5}$`, `(?i)[a-k]+\w*`, `[^@\s]+@x`, `(a|b|)c?`, `[\]\-^[]`, `x{2,5}y*?`, `^(?:ab|[^c-e])$`} {
		f.Add(s, "ab@x12345 ]-^[")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		portable, err := quality.Portable(pattern)
		if err != nil {
			return
		}
		a, err := regexp.Compile(pattern)
		if err != nil {
			t.Fatalf("%s is taken and does not compile: %v", pattern, err)
		}
		b, err := regexp.Compile(portable)
		if err != nil {
			t.Fatalf("%s became %s: %v", pattern, portable, err)
		}
		if strings.ContainsRune(text, '\v') { // [:space:] has it, and \s has not
			return
		}
		if a.MatchString(text) != b.MatchString(text) {
			t.Fatalf("%s became %s, which judges %q otherwise", pattern, portable, text)
		}
		again, err := quality.Portable(portable) // (0|0) may become (0)
		if err != nil {
			t.Fatalf("%s became %s, which is refused: %v", pattern, portable, err)
		}
		if c, err := regexp.Compile(again); err != nil || c.MatchString(text) != b.MatchString(text) {
			t.Fatalf("%s became %s, and that %s, which judges %q otherwise: %v", pattern, portable, again, text, err)
		}
	})
}

// A warehouse's verdict is judged by its counts; one of another definition, or that is
// none, is refused.
func TestRead(t *testing.T) {
	g, err := quality.Compile(sampleThresholds())
	if err != nil {
		t.Fatal(err)
	}
	v, err := g.Read([]byte(`{"decision": "PROCEED", "total": 1000, "definition": "` + g.ID() + `", "rules": [{"rule": "not_null", "column": "EMAIL", "failed": 51}]}`))
	if err != nil || v.Decision != quality.Block || v.Why() != "not_null of column email: 51 of 1000 rows failed (5.1%), over 5%" {
		t.Errorf("%+v, %v: %s", v, err, v.Why())
	}
	if v, _ := g.Read([]byte(`{"total": 1000, "definition": "` + g.ID() + `", "rules": [{"rule": "not_null", "failed": 11}]}`)); v.Decision != quality.Warn || v.Why() != "not_null of column email: 11 of 1000 rows failed (1.1%), over 1%" {
		t.Errorf("%+v: %s", v, v.Why())
	}
	other := sampleThresholds()
	other.Model = "another"
	o, err := quality.Compile(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Read([]byte(`{"total": 0, "definition": "` + o.ID() + `", "rules": [{"rule": "not_null", "failed": 0}]}`)); !errors.Is(err, quality.ErrOther) {
		t.Errorf("of another definition: %v", err)
	}
	for _, text := range []string{``, `null`, `[]`, `{}`, `{"total": -1}`, `{"total": "many"}`,
		`{"total": 1, "definition": "` + g.ID() + `"}`, `{"total": 1, "definition": "` + g.ID() + `", "rules": [{"failed": 2}]}`,
		`{"total": 1, "definition": "` + g.ID() + `", "rules": [{"rule": "x"}]}`, `{"total": 1, "definition": "` + g.ID() + `", "rules": [{"failed": 1}, {"failed": 1}]}`} {
		if v, err := g.Read([]byte(text)); err == nil || errors.Is(err, quality.ErrOther) {
			t.Errorf("taken: %s: %+v", text, v)
		}
	}
}

// A rule without a threshold holds for every row; its own comes before the gate's.
func TestThresholds(t *testing.T) {
	for name, c := range map[string]struct {
		quality syncdef.Quality
		rule    syncdef.QualityRule
		failed  int64
		want    quality.Decision
	}{
		"nothing is said":          {syncdef.Quality{}, syncdef.QualityRule{}, 1, quality.Block},
		"nothing is said or fails": {syncdef.Quality{}, syncdef.QualityRule{}, 0, quality.Proceed},
		"it only warns":            {syncdef.Quality{WarnOver: "0.01"}, syncdef.QualityRule{}, 1000, quality.Warn},
		"its own block":            {syncdef.Quality{WarnOver: "0.01", BlockOver: "0.05"}, syncdef.QualityRule{BlockOver: "0"}, 1, quality.Block},
		"its own warning":          {syncdef.Quality{WarnOver: "0.01", BlockOver: "0.05"}, syncdef.QualityRule{WarnOver: "0.001"}, 2, quality.Warn},
		"at its own warning":       {syncdef.Quality{WarnOver: "0.01", BlockOver: "0.05"}, syncdef.QualityRule{WarnOver: "0.001"}, 1, quality.Proceed},
		"all may fail":             {syncdef.Quality{BlockOver: "1"}, syncdef.QualityRule{}, 1000, quality.Proceed},
		"it is counted":            {syncdef.Quality{BlockOver: "0"}, syncdef.QualityRule{CountOnly: true}, 1000, quality.Proceed},
		"many digits":              {syncdef.Quality{BlockOver: "0.00099999"}, syncdef.QualityRule{}, 1, quality.Block},
	} {
		c.rule.Column, c.rule.NotNull = "a", true
		c.quality.Rules = []syncdef.QualityRule{c.rule}
		g, err := quality.Compile(&syncdef.Definition{Sync: "s", Quality: &c.quality})
		if err != nil {
			t.Fatal(err)
		}
		if v := g.Judge(1000, []int64{c.failed}, false); v.Decision != c.want {
			t.Errorf("%s: %s, want %s", name, v.Decision, c.want)
		}
	}
	if g, err := quality.Compile(&syncdef.Definition{Quality: &syncdef.Quality{WarnOver: "0.1"}}); g != nil || err != nil {
		t.Errorf("a gate of nothing: %v, %v", g, err)
	}
}
