package sql

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// split cuts a script into its statements, without the ; and without the comments
// before them. A procedure's body, texts, quoted names, comments and $$ bodies are kept whole.
func split(script string) []string {
	var out []string
	var now strings.Builder
	for len(script) > 0 {
		n := tokenLength(script)
		if strings.HasPrefix(script, "BEGIN\n") && strings.Contains(now.String(), " PROCEDURE ") { // BigQuery's bodies stand in no $$
			n = strings.Index(script, "\nEND;") + len("\nEND")
		}
		token := script[:n]
		script = script[n:]
		switch {
		case token == ";":
			out = append(out, strings.TrimSpace(now.String()))
			now.Reset()
		case now.Len() == 0 && (strings.TrimSpace(token) == "" || strings.HasPrefix(token, "--") || strings.HasPrefix(token, "/*")):
		default:
			now.WriteString(token)
		}
	}
	out = append(out, strings.TrimSpace(now.String()))
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// tokenLength is the length of the text, comment, body or character that a script
// begins with.
func tokenLength(s string) int {
	for begin, end := range map[string]string{"'": "'", `"`: `"`, "--": "\n", "/*": "*/", "$$": "$$"} {
		if strings.HasPrefix(s, begin) {
			if i := strings.Index(s[len(begin):], end); i >= 0 {
				return len(begin) + i + len(end)
			}
			return len(s)
		}
	}
	return 1
}

// body is the inside of the $$ of a statement, "" where it has none.
func body(statement string) string {
	_, after, _ := strings.Cut(statement, "$$")
	inside, _, _ := strings.Cut(after, "$$")
	return strings.TrimSpace(inside)
}

func TestSplit(t *testing.T) {
	got := split("-- one; not two\nSELECT 'a;''b', \"c;d\"; /* ; */\nCREATE x AS $$ BEGIN; END; $$;\n;-- end")
	if d := cmp.Diff([]string{`SELECT 'a;''b', "c;d"`, "CREATE x AS $$ BEGIN; END; $$"}, got); d != "" {
		t.Error(d)
	}
	got2 := split("CREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\n  BEGIN\n    SELECT 2;\n  END;\nEND;\nSELECT 3;")
	if d := cmp.Diff([]string{"CREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\n  BEGIN\n    SELECT 2;\n  END;\nEND", "SELECT 3"}, got2); d != "" {
		t.Error(d)
	}
	if b := body(got[1]); b != "BEGIN; END;" {
		t.Errorf("body %q", b)
	}
}
