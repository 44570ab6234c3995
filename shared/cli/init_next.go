package cli

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// next prints the columns that are left out, and the commands that follow; each works as printed.
func (p *project) next(s program) {
	if len(p.left) > 0 {
		fmt.Fprintf(s.out, "\nNot sent, for want of a mapping in syncs/%s.yaml: %s\n", p.Name, strings.Join(p.left, ", "))
	}
	fmt.Fprintln(s.out, "\nNext (each works as printed):")
	step := func(what, command string) { fmt.Fprintf(s.out, "  # %s\n  %s\n", what, command) }
	self := self()
	if filepath.Clean(p.Dir) != "." {
		step("go there", "cd "+shellWord(p.Dir))
		if strings.Contains(self, "/") && !filepath.IsAbs(self) {
			if abs, err := filepath.Abs(self); err == nil {
				self = shellWord(abs)
			}
		}
	}
	step("check the definitions", self+" validate")
	step("store them on this machine; nothing is sent", self+" apply --yes")
	step(fmt.Sprintf("send the file's rows to a simulated %s on this machine", p.kind.Title), fmt.Sprintf("%s push %s --from %s", self, p.Name, shellWord(p.file)))
	step("the rows that did not arrive, each with its reason", self+" errors "+p.Name)
	if p.Warehouse == "snowflake" {
		step("what Snowflake needs to call Penstock, once it is deployed", self+" sql-setup snowflake")
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// shellWord is a text as a shell reads one word.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
