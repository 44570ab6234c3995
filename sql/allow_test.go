package sql

import (
	"regexp"
	"strings"
	"testing"
)

var external = regexp.MustCompile(`(?s)CREATE [A-Z ]*EXTERNAL FUNCTION (\w+)(.*?);\n`)

// Every function tells the role of its caller, or where a definition has allow nobody
// could use it; and what runs them does so with the rights of its caller.
func TestEveryFunctionTellsTheRole(t *testing.T) {
	text, err := Setup("snowflake", Params{})
	if err != nil {
		t.Fatal(err)
	}
	all := external.FindAllStringSubmatch(text, -1)
	if len(all) < 11 {
		t.Fatalf("%d functions found", len(all))
	}
	for _, f := range all {
		_, headers, _ := strings.Cut(f[2], "CONTEXT_HEADERS = (")
		headers, _, _ = strings.Cut(headers, ")")
		if !regexp.MustCompile(`\bCURRENT_ROLE\b`).MatchString(headers) {
			t.Errorf("%s does not tell CURRENT_ROLE: CONTEXT_HEADERS = (%s)", f[1], headers)
		}
	}
	_, run, _ := strings.Cut(text, "PROCEDURE penstock_run(")
	if head, _, _ := strings.Cut(run, "$$"); !strings.Contains(head, "EXECUTE AS CALLER") {
		t.Errorf("penstock_run runs with its owner's rights: %s", head)
	}
}
