package sql

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire"
)

// Every function of Penstock is a remote function, with all of its arguments.
func TestBigQueryHasEveryFunction(t *testing.T) {
	script, err := Setup(BigQuery, filled(BigQuery))
	if err != nil {
		t.Fatal(err)
	}
	type made struct{ Arguments, Context, Rows string }
	got := map[string]made{}
	remote := regexp.MustCompile("(?s)CREATE OR REPLACE FUNCTION `acme-data\\.penstock\\.(\\w+)`\\(([^)]*)\\) RETURNS JSON\nREMOTE WITH CONNECTION `acme-data\\.europe-west1\\.penstock`\n" +
		`OPTIONS \(\n    endpoint = 'https://penstock-forwarder-abc123-ew\.a\.run\.app',\n    description = '[^']+',\n    user_defined_context = \[([^]]*)\],\n    max_batching_rows = (\d+)\n\);`)
	for _, m := range remote.FindAllStringSubmatch(script, -1) {
		got[m[1]] = made{m[2], m[3], m[4]}
	}
	if n := strings.Count(script, "REMOTE WITH CONNECTION"); n != len(got) {
		t.Errorf("%d remote functions, of which %d are of the form that is known", n, len(got))
	}
	for _, name := range wire.Functions() {
		f, _ := wire.Lookup(name)
		one, ok := got[name]
		if !ok {
			t.Errorf("there is no %s", name)
			continue
		}
		if n := len(strings.Split(one.Arguments, ", ")); n != len(f.Params) && (one.Arguments != "" || len(f.Params) != 0) {
			t.Errorf("%s(%s) has %d arguments, want %d", name, one.Arguments, n, len(f.Params))
		}
		if one.Context != "('function', '"+name+"')" {
			t.Errorf("%s is called %s", name, one.Context)
		}
	}
	for name, want := range map[string]made{
		"penstock_push":   {"sync STRING, row_object JSON", "('function', 'penstock_push')", "1000"},
		"penstock_finish": {"run STRING, row_count INT64", "('function', 'penstock_finish')", "1"},
		"penstock_retry":  {"run STRING, selector JSON", "('function', 'penstock_retry')", "1"},
		"penstock_status": {"sync STRING, since STRING, after_page STRING", "('function', 'penstock_status')", "10"},
		"penstock_syncs":  {"", "('function', 'penstock_syncs')", "10"},
	} {
		if d := cmp.Diff(want, got[name]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if len(got) != len(wire.Functions()) {
		t.Errorf("%d functions, want Penstock's %d", len(got), len(wire.Functions()))
	}
}

// The one name that goes into a statement's text cannot leave its quotes. BigQuery's
// regular expressions are RE2, as Go's.
func TestBigQueryChecksTheModelsName(t *testing.T) {
	script, err := Setup(BigQuery, filled(BigQuery))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`REGEXP_CONTAINS\(v_model, r'([^']*)'\)`).FindAllStringSubmatch(script, -1)
	if len(m) != 1 {
		t.Fatalf("the model's name is checked %d times", len(m))
	}
	allowed := regexp.MustCompile(m[0][1])
	for name, want := range map[string]bool{
		"sf_health": true, "mart.sf_health": true, "acme-data.mart.sf_health": true, "Sf2": true,
		"": false, "a.b.c.d": false, "a..b": false, ".a": false, "a.": false, "a b": false, "a`": false, "a` AS t; DROP TABLE x; --": false, "a'b": false, `a"b`: false,
		"a\nb": false, "a\n": false, "(SELECT 1)": false, "a/*": false, "a;b": false, "a%s": false, "ä": false, `a\`: false, "UNNEST([1])": false, "@run": false,
	} {
		if allowed.MatchString(name) != want {
			t.Errorf("the model %q is taken: %v", name, !want)
		}
	}
	gate := regexp.MustCompile(`REGEXP_CONTAINS\(v_gate, r'([^']*)'\)`).FindStringSubmatch(script)
	if gate == nil {
		t.Fatal("the gate's name is not checked")
	}
	for name, want := range map[string]bool{"penstock_gate_sf_health": true, "": false, "a.b": false, "a`": false, "a b": false, "a-b": false} {
		if regexp.MustCompile(gate[1]).MatchString(name) != want {
			t.Errorf("the gate %q is taken: %v", name, !want)
		}
	}
	uses := regexp.MustCompile(`v_relation|v_model`).FindAllStringIndex(script, -1)
	first := strings.Index(script, "REGEXP_CONTAINS(v_model")
	for _, u := range uses {
		line := script[strings.LastIndexByte(script[:u[0]], '\n')+1:]
		line, _, _ = strings.Cut(line, "\n")
		if u[0] < first && !strings.Contains(line, "DECLARE") && !strings.Contains(line, "REGEXP_CONTAINS") && !strings.Contains(line, "SET v_model = COALESCE(JSON_VALUE(v_begun, '$.source'), JSON_VALUE(v_begun, '$.model'));") {
			t.Errorf("it is used before it is checked: %s", line)
		}
	}
}

// immediate is the text of a statement that penstock_run makes, with names in it.
func immediate(t *testing.T, s Step) string {
	t.Helper()
	_, rest, ok := strings.Cut(s.BigQuery.Statement(), `EXECUTE IMMEDIATE FORMAT("""`)
	text, arguments, ends := strings.Cut(rest, `""", `)
	if !ok || !ends {
		t.Fatalf("%s is no EXECUTE IMMEDIATE: %s", s.Name, s.BigQuery.Statement())
	}
	names, _, _ := strings.Cut(arguments, ")")
	for name := range strings.SplitSeq(names, ", ") {
		value, known := map[string]string{"$here": "`acme-data.penstock`", "$relation": "`acme-data.penstock.sf_health`"}[name]
		if !known {
			t.Fatalf("%s has %s in its text", s.Name, name)
		}
		text = strings.Replace(text, "%s", value, 1)
	}
	if strings.Contains(text, "%") {
		t.Fatalf("%s has too few names: %s", s.Name, text)
	}
	return text
}

// Each statement that is made parses, has every value beside it, and calls
// penstock_push in no branch: there BigQuery would send every row by itself.
func TestBigQueryPushesParse(t *testing.T) {
	var texts []text
	var steps []Step
	for _, s := range RunSteps {
		if strings.Contains(s.BigQuery.Statement(), "penstock_push(") {
			steps = append(steps, s, FindStep(PlanOf(s.Name)))
		}
	}
	for _, s := range steps {
		made := immediate(t, s)
		texts = append(texts, text{Dialect: BigQuery, Text: made})
		var given []string
		_, using, _ := strings.Cut(s.BigQuery.Statement(), "\nUSING ")
		for _, m := range regexp.MustCompile(`AS (\w+)`).FindAllStringSubmatch(using, -1) {
			given = append(given, m[1])
		}
		var used []string
		for _, m := range regexp.MustCompile(`@(\w+)`).FindAllStringSubmatch(made, -1) {
			if !slices.Contains(used, m[1]) {
				used = append(used, m[1])
			}
		}
		slices.Sort(given)
		slices.Sort(used)
		if !slices.Equal(given, used) {
			t.Errorf("%s: the text names %v, and %v are given", s.Name, used, given)
		}
		if strings.HasPrefix(string(s.Name), "plan") {
			if strings.Count(made, "\nSELECT `acme-data.penstock`.penstock_plan(@sync, m.r) AS answer\nFROM") != 1 || strings.Contains(made, "INSERT") {
				t.Errorf("%s: %s", s.Name, made)
			}
			continue
		}
		list, _, _ := strings.Cut(made, "\nFROM")
		if s.Name == StepPushChanged {
			if !strings.HasSuffix(list, ", `acme-data.penstock`.penstock_push(@run, m.r)") || strings.Count(made, "penstock_push(") != 1 {
				t.Errorf("%s: %s", s.Name, made)
			}
			continue
		}
		if want := "INSERT INTO `acme-data.penstock`.penstock_receipts (sync, run, answer)\nSELECT @sync, @run, `acme-data.penstock`.penstock_push(@run, m.r)"; list != want {
			t.Errorf("%s: %s, want %s", s.Name, list, want)
		}
	}
	if len(texts) != 12 {
		t.Fatalf("%d push and plan steps, want six of each", len(texts))
	}
	script, err := Setup(BigQuery, filled(BigQuery))
	if err != nil {
		t.Fatal(err)
	}
	if calls := strings.Count(script, ".penstock_push(@run"); calls != 6 {
		t.Errorf("the script calls penstock_push %d times", calls)
	}
	var why []string
	python(t, "parsesql", texts, &why)
	for i, w := range why {
		if w != "" {
			t.Errorf("%s\n%s", w, texts[i].Text)
		}
	}
}

// BigQuery takes a name for a column first: no view calls the model by a name that a
// column of it may have.
func TestBigQueryViewsOfAModelWithAColumnM(t *testing.T) {
	d := judged
	d.Incremental = &syncdef.Incremental{ChangedOnly: true, Always: "score > 1 every 1d", OrderBy: []string{"score"}}
	views, err := Views(BigQuery, filled(BigQuery), d)
	if err != nil || len(views) != 3 {
		t.Fatal(views, err)
	}
	for _, v := range views {
		if called := regexp.MustCompile(`\bm\b`).FindString(v.Query); called != "" || strings.Contains(v.Query, "AS p ") || !strings.Contains(v.Query, "AS penstock_row") {
			t.Errorf("%s: %s", v.Name, v.Query)
		}
	}
}
