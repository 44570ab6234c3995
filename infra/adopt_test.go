package infra_test

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write infra/adopt.yaml")

// section is the text of one top-level section, by entries: each begins with two
// spaces and a name.
func section(t *testing.T, source, name string) map[string]string {
	t.Helper()
	_, after, found := strings.Cut(source, "\n"+name+":\n")
	if !found {
		t.Fatalf("template.yaml has no %s", name)
	}
	if end := regexp.MustCompile(`(?m)^[A-Z]`).FindStringIndex(after); end != nil {
		after = after[:end[0]]
	}
	entries := map[string]string{}
	last := ""
	for line := range strings.Lines(after) {
		if m := regexp.MustCompile(`^  (\w+):`).FindStringSubmatch(line); m != nil {
			last = m[1]
		}
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && strings.TrimSpace(line) != "" {
			entries[last] += line
		}
	}
	return entries
}

// adoptText is a template of what outlives a stack and of what that refers to, for
// CloudFormation's import, which takes no resource besides.
func adoptText(t *testing.T, source string) string {
	t.Helper()
	var resources strings.Builder
	all := section(t, source, "Resources")
	for _, r := range keepers(parseTemplate(t, source)) {
		resources.WriteString(all[r.name])
	}
	conditions := section(t, source, "Conditions")
	uses := func(text, name string) bool {
		return regexp.MustCompile(`\b` + name + `\b`).MatchString(text)
	}
	pick := func(entries map[string]string, text string) string {
		var names []string
		for name := range entries {
			if uses(text, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		var b strings.Builder
		for _, name := range names {
			b.WriteString(entries[name])
		}
		return b.String()
	}
	conditionText := pick(conditions, resources.String())
	return `# What outlives a stack, for another one to take over: docs/deploy.md, "A stack takes
# over what another left". Made of template.yaml by
#   go test ./infra -run Adopt -update
AWSTemplateFormatVersion: "2010-09-09"
Description: The tables and secrets of Penstock that outlive a stack, to be imported.

Parameters:
` + pick(section(t, source, "Parameters"), resources.String()+conditionText) + `
Conditions:
` + conditionText + `
Resources:
` + resources.String()
}

// infra/adopt.yaml imports exactly what outlives a stack, as template.yaml has it, so
// that the deployment after the import changes nothing of it.
func TestAdopt(t *testing.T) {
	source := templateText(t)
	want := adoptText(t, source)
	if *update {
		if err := os.WriteFile("adopt.yaml", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("adopt.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("infra/adopt.yaml (-want +got; -update writes it):\n%s", d)
	}
	for _, s := range []stack{{name: "penstock"}, {"penstock", map[string]string{"SalesforceConnections": "one,two", "SecretPrefix": "old/"}}} {
		all, adopted := render(t, parseTemplate(t, source), s), render(t, parseTemplate(t, string(got)), s)
		names := map[string]object{}
		for _, r := range keepers(all) {
			names[r.name] = r.properties
		}
		adoptedNames := map[string]object{}
		for _, r := range adopted.resources {
			adoptedNames[r.name] = r.properties
			if r.raw["DeletionPolicy"] == nil {
				t.Errorf("%s has no DeletionPolicy: CloudFormation does not import it", r.name)
			}
		}
		if d := cmp.Diff(names, adoptedNames); d != "" {
			t.Errorf("what outlives the stack (-) and what is imported (+):\n%s", d)
		}
	}
}
