//go:build cgo && unix

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/dest/vendors"
)

var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// Every link of README and docs to another page or section leads somewhere.
func TestLinksOfTheDocs(t *testing.T) {
	found := 0
	for _, file := range texts(t) {
		for _, m := range link.FindAllStringSubmatch(withoutBlocks(read(t, file)), -1) {
			path, section, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: there is no %s", filepath.Base(file), m[1])
				continue
			}
			if section != "" && !anchors(read(t, target))[section] {
				t.Errorf("%s: %s has no section %s", filepath.Base(file), target, section)
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d links: the pattern finds too little", found)
	}
}

// texts are the pages, and those of each destination type.
func texts(t *testing.T) []string {
	t.Helper()
	out := []string{"../../README.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/*/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		out = append(out, files...)
	}
	return out
}

// withoutBlocks is a page without its fenced blocks.
func withoutBlocks(page string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(page) {
		if fence.MatchString(strings.TrimSpace(line)) {
			inside = !inside
		} else if !inside {
			b.WriteString(line)
		}
	}
	return b.String()
}

// anchors are the sections of a page, as GitHub names them.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(withoutBlocks(page)) {
		if head, is := strings.CutPrefix(line, "#"); is {
			out[strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
					return unicode.ToLower(r)
				}
				return -1
			}, strings.TrimSpace(strings.TrimLeft(head, "#")))] = true
		}
	}
	return out
}

var (
	inline   = regexp.MustCompile("`(penstock [^`]+)`")
	quoted   = regexp.MustCompile(`"[^"]*"`)
	optional = strings.NewReplacer("[", "", "]", "", "DIALECT", "duckdb", "|redshift|bigquery|duckdb", "")
)

// Every command that README and docs name, in a sentence or in a block that needs an
// account, is one that the command line takes, with these flags.
func TestCommandsNamedInTheDocsExist(t *testing.T) {
	found := 0
	for _, file := range texts(t) {
		page := read(t, file)
		for _, m := range inline.FindAllStringSubmatch(withoutBlocks(page), -1) {
			found++
			err := parses(words(optional.Replace(m[1])))
			if err != nil && !strings.HasPrefix(err.Error(), "expected ") && !strings.Contains(err.Error(), `got "EOL"`) { // a command or flag by its name, without arguments
				t.Errorf("%s: %s: %v", filepath.Base(file), m[1], err)
			}
		}
		for _, b := range blocks(page) {
			if b.language != "sh" {
				continue
			}
			text := quoted.ReplaceAllStringFunc(strings.ReplaceAll(b.text, "\\\n", " "), func(s string) string { return strings.ReplaceAll(s, "\n", " ") })
			for line := range strings.Lines(text) {
				if args := words(line); len(args) > 0 && args[0] == "penstock" {
					found++
					if err := parses(args); err != nil {
						t.Errorf("%s:%d: %s: %v", filepath.Base(file), b.line, strings.TrimSpace(line), err)
					}
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("found %d commands: the pattern finds too little", found)
	}
	for _, wrong := range []string{"penstock push a --nothing", "penstock nothing", "penstock run a --mode sideways"} {
		if parses(words(wrong)) == nil {
			t.Errorf("%s is taken: the check sees nothing", wrong)
		}
	}
}

// words are those of a command before a shell's operator or comment; a quoted text is one.
func words(line string) (out []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\|\||\||>|&&|#|;)(?:\s|$)|([^\s"']+)`).FindAllStringSubmatch(line, -1) {
		if m[3] != "" {
			break
		}
		out = append(out, m[1]+m[2]+m[4])
	}
	return out
}

// parses reports what the command line says against a command.
func parses(args []string) error {
	var c cli
	known := make(destinations, len(vendors.All))
	for i, d := range vendors.All {
		known[i] = Destination(d)
	}
	c.Local.offer(known, 0)
	c.Sandbox.offer(known, 8788)
	parser, err := newParser(&c, kong.Exit(func(int) {}))
	if err != nil {
		return err
	}
	_, err = parser.Parse(args[1:])
	return err
}

// The comparison says when it was checked, gives a source for what it says of each
// other product, and counts our own destinations.
func TestComparison(t *testing.T) {
	page := read(t, "../../docs/comparison.md")
	dated := regexp.MustCompile(`(?m)^As of \d+ [A-Z][a-z]+ 20\d\d\.`)
	if !dated.MatchString(page) {
		t.Error("docs/comparison.md has no date")
	}
	for _, name := range []string{"Hightouch", "Fivetran Activations", "RudderStack", "drt", "Grouparoo and PipelineWise"} {
		_, rest, there := strings.Cut(page, "\n## "+name+"\n")
		body, _, _ := strings.Cut(rest, "\n## ")
		if !there || strings.Count(body, "](https://") < 2 {
			t.Errorf("%s has no section with its sources", name)
		}
	}
	if n := len(vendors.Vendors()); n != 5 || !strings.Contains(page, "**Five types of destination**") {
		t.Errorf("there are %d types of destination: docs/comparison.md says five", n)
	}
}

var query = regexp.MustCompile("`(SELECT [^`]+)`")

// Every statement that operating.md shows of an alert runs on the sample.
func TestStatementsOfAlerts(t *testing.T) {
	dir := t.TempDir()
	out, err := shell(dir, "penstock demo --data d --only sf_health --rows 50 > demo.txt && penstock runs sf_health --data d --json").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := regexp.MustCompile(`"run": "([^"]+)"`).FindSubmatch(out)
	if run == nil {
		t.Fatalf("no run in\n%s", out)
	}
	_, part, _ := strings.Cut(read(t, "../../docs/operating.md"), "\n## An alert came\n")
	part, _, _ = strings.Cut(part, "\n## ")
	names := strings.NewReplacer("SYNC", "sf_health", "RUN", string(run[1]))
	var all []string
	for _, m := range query.FindAllStringSubmatch(part, -1) {
		if !strings.Contains(m[1], "penstock_retry") {
			all = append(all, names.Replace(m[1]))
		}
	}
	if len(all) < 12 {
		t.Errorf("found %d statements: the pattern finds too little", len(all))
	}
	if err := os.WriteFile(filepath.Join(dir, "all.sql"), []byte(strings.Join(all, ";\n")+";\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := shell(dir, "penstock sql --data d -f all.sql").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Every command that an alert quotes is one that the command line takes, on one machine and,
// as it stands in an alert of a stack, for a stack.
func TestCommandsOfAlertsExist(t *testing.T) {
	found := 0
	text := read(t, "../alert/judge.go") + read(t, "../alert/counts.go") + read(t, "../alert/checked.go")
	for _, m := range regexp.MustCompile(`"(penstock [a-z -]+?)( ?)"`).FindAllStringSubmatch(text, -1) {
		found++
		command := m[1]
		if m[2] != "" { // a name follows
			command += " a_name"
		}
		for _, quoted := range []string{command, alert.Notice{Mend: command}.OfStack("prod").Mend} {
			if statement, is := strings.CutPrefix(quoted, alert.InWarehouse); is {
				if statement != "CALL penstock_run('a_name')" {
					t.Errorf("%s: %s", command, statement)
				}
				continue
			}
			if err := parses(words(quoted)); err != nil {
				t.Errorf("%s: %v", quoted, err)
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d commands: the pattern finds too little", found)
	}
}
