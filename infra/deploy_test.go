package infra_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// deployPage is docs/deploy.md.
func deployPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// The page lists every parameter with its default, and no other.
func TestDeployPageListsParameters(t *testing.T) {
	parameters := readTemplate(t).parameters
	told := map[string]string{}
	_, table, _ := strings.Cut(deployPage(t), "| Parameter | Default |")
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if len(cells) < 3 {
			continue
		}
		for _, name := range regexp.MustCompile("`([A-Z]\\w+)`").FindAllStringSubmatch(cells[0], -1) {
			told[name[1]] = strings.Trim(strings.TrimSpace(cells[1]), "`")
		}
	}
	for name := range told {
		if parameters[name] == nil {
			t.Errorf("the page tells of a parameter %s, which the template does not have", name)
		}
	}
	for name := range parameters {
		want := fmt.Sprint(parameters.object(name)["Default"])
		if want == "" {
			want = "empty"
		}
		if told[name] != want {
			t.Errorf("the page says that %s is %q by default, the template %q", name, told[name], want)
		}
	}
}

// Every alarm is told, by its name or by what the names of its kind end in.
func TestDeployPageListsAlarms(t *testing.T) {
	var told []string
	for _, m := range regexp.MustCompile("`(\\*?\\w+Alarm)`").FindAllStringSubmatch(deployPage(t), -1) {
		told = append(told, m[1])
	}
	for _, a := range readTemplate(t).of("AWS::CloudWatch::Alarm") {
		if !slices.ContainsFunc(told, func(name string) bool {
			ending, family := strings.CutPrefix(name, "*")
			return name == a.name || family && strings.HasSuffix(a.name, ending)
		}) {
			t.Errorf("docs/deploy.md does not say when %s rings", a.name)
		}
	}
}

// What the page says of names, sizes and imports is what the template has.
func TestDeployPageAgrees(t *testing.T) {
	page := deployPage(t)
	for _, want := range []string{
		fmt.Sprintf("at most %d characters", longestStack), "DeletionProtection=on", "infra/adopt.yaml", "ROLLBACK_COMPLETE",
		"4.5 MB of JSON", "`--max-batch-rows` (1000)", "External Client App",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("docs/deploy.md does not say %q", want)
		}
	}
	_, block, _ := strings.Cut(page, "```json\n")
	block, _, _ = strings.Cut(block, "```")
	var list []struct {
		ResourceType, LogicalResourceId string
		ResourceIdentifier              map[string]string
	}
	if err := json.Unmarshal([]byte(block), &list); err != nil {
		t.Fatalf("resources.json in docs/deploy.md: %v", err)
	}
	imported := map[string]string{}
	for _, r := range list {
		imported[r.LogicalResourceId] = r.ResourceType
	}
	kept := map[string]string{}
	for _, r := range keepers(render(t, readTemplate(t), stack{name: "penstock"})) {
		kept[r.name] = r.kind
	}
	if d := cmp.Diff(kept, imported); d != "" {
		t.Errorf("what outlives a stack (-) and what docs/deploy.md imports (+):\n%s", d)
	}
}
