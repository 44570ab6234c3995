//go:build cgo && unix

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

// How a fenced block of the documentation is treated, by the words after its
// language:
//
//	sh                   run as printed, in an empty folder that the page's blocks share
//	sh stays-up          the same, until the page ends; it is ready when it says so
//	sh needs-account     not run: it needs an account at AWS, Snowflake or a vendor
//	sh fresh-clone       run by .ci/run in a clone of the repository, of which the text is checked
var treatments = []string{"", "stays-up", "needs-account", "fresh-clone"}

// A block is a fenced block of a page.
type block struct {
	line            int
	language, treat string
	text            string
}

var fence = regexp.MustCompile("^```(\\S*) *(.*)$")

// blocks are the fenced blocks of a page.
func blocks(page string) (out []block) {
	var open *block
	for i, line := range strings.Split(page, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m == nil && open != nil:
			open.text += line + "\n"
		case m == nil:
		case open != nil:
			out = append(out, *open)
			open = nil
		default:
			open = &block{line: i + 1, language: m[1], treat: m[2]}
		}
	}
	return out
}

// pages are README and everything in docs.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	return append(docs, "../../README.md")
}

// Every command of README and docs that needs no account works as it is printed.
func TestCommandsOfTheDocs(t *testing.T) {
	ran := 0
	for _, file := range pages(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) { ran += runPage(t, blocks(string(text))) })
	}
	if ran < 7 {
		t.Errorf("ran %d blocks: the test finds too little", ran)
	}
}

// runPage runs a page's blocks in one empty folder.
func runPage(t *testing.T, all []block) (ran int) {
	dir := t.TempDir()
	for _, b := range all {
		switch {
		case b.language != "sh":
			for line := range strings.Lines(b.text) {
				if command, _, _ := strings.Cut(strings.TrimLeft(line, "$ "), " "); command == "penstock" || strings.HasPrefix(line, "go run ") {
					t.Errorf("line %d: a command outside a block of sh: %s", b.line, line)
				}
			}
		case b.treat == "needs-account":
		case b.treat == "fresh-clone":
			inCI(t, b)
		case b.treat == "stays-up":
			stayUp(t, dir, b)
			ran++
		case b.treat == "":
			if out, err := shell(dir, b.text).CombinedOutput(); err != nil {
				t.Fatalf("line %d: %v\n%s%s", b.line, err, b.text, out)
			}
			ran++
		default:
			t.Errorf("line %d: sh %s: known are %q", b.line, b.treat, treatments)
		}
	}
	return ran
}

// shell runs a block as a person's shell would.
func shell(dir, text string) *exec.Cmd {
	c := exec.Command("bash", "-euo", "pipefail", "-c", text)
	c.Dir = dir
	c.Env = append(os.Environ(), "HOME="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// stayUp starts a block, waits until it says that it is up, and interrupts it at the
// page's end.
func stayUp(t *testing.T, dir string, b block) {
	t.Helper()
	c := shell(dir, b.text)
	out := &watched{up: make(chan struct{})}
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Wait()
		close(ended) // for the cleanup, where its end was met already
	}()
	t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGINT)
		<-ended
	})
	select {
	case <-out.up:
	case err := <-ended:
		t.Fatalf("line %d: %s ended: %v\n%s", b.line, b.text, err, out.text.String())
	}
}

// watched tells when a program has printed that Ctrl-C ends it.
type watched struct {
	text bytes.Buffer
	up   chan struct{}
	said bool
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	w.text.Write(p)
	if !w.said && strings.Contains(w.text.String(), "Ctrl-C") {
		w.said = true
		close(w.up)
	}
	return len(p), nil
}

// inCI checks that .ci/run runs what a block says of a fresh clone.
func inCI(t *testing.T, b block) {
	t.Helper()
	ci, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.text) {
		command, _, _ := strings.Cut(line, "#")
		command = strings.TrimSpace(command)
		want := command
		if command == "go test ./..." {
			want = "tests ./..." // go test, and a record of what ran
		}
		if command != "" && !strings.HasPrefix(command, "git clone ") && !strings.Contains(string(ci), want) {
			t.Errorf("line %d: .ci/run has no %q", b.line, command)
		}
	}
}

// The README stays short, and says what to read next.
func TestReadmeIsShort(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 12<<10 {
		t.Errorf("README.md has %d bytes: at most %d", len(text), 12<<10)
	}
	for _, file := range pages(t) {
		if name := "docs/" + filepath.Base(file); filepath.Base(file) != "README.md" && !strings.Contains(string(text), "("+name) {
			t.Errorf("README.md does not lead to %s", name)
		}
	}
}

// What the README shows of the demo is what it prints, but for the time it takes.
func TestPictureOfTheDemo(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	c := shell(t.TempDir(), "penstock demo")
	printed, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	got := timeless(string(printed))
	running, _, _ := strings.Cut(string(printed), "\nNext ") // commands to copy are as long as they are
	for line := range strings.Lines(running) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, b := range blocks(string(text)) {
		if b.language != "text" || b.treat != "demo" {
			continue
		}
		for i, line := range strings.Split(b.text, "\n") {
			if line != "" && !strings.Contains(got, timeless(line)) {
				t.Errorf("line %d: the demo does not print\n%s\nin\n%s", b.line+1+i, line, got)
			}
		}
		return
	}
	t.Error("README.md shows nothing of the demo: a block of text demo")
}

// What docs/cost.md shows of the sample is what penstock cost prints, but for the calls,
// which depend on how rows fall into messages.
func TestPictureOfTheCost(t *testing.T) {
	text, err := os.ReadFile("../../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell(t.TempDir(), "penstock demo --data d --only sf_health > demo.txt; penstock cost sf_health --data d").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls := regexp.MustCompile(`[0-9]+ calls`)
	got := calls.ReplaceAllString(string(out), "N calls")
	for _, b := range blocks(string(text)) {
		if b.language != "text" || b.treat != "cost" {
			continue
		}
		for line := range strings.Lines(b.text) {
			if !strings.Contains(got, calls.ReplaceAllString(line, "N calls")) {
				t.Errorf("line %d: penstock cost does not print\n%sin\n%s", b.line, line, out)
			}
		}
		return
	}
	t.Error("docs/cost.md shows nothing of the sample: a block of text cost")
}

var seconds = regexp.MustCompile(`[0-9.]+ ?s\b`)

// timeless is what is printed without its times, as it is printed off a terminal: there
// without boxes.
func timeless(text string) string {
	return seconds.ReplaceAllString(ascii.Replace(text), "N s")
}

var ascii = strings.NewReplacer("│", "|", "─", "-", "┌", "+", "┬", "+", "┐", "+", "├", "+", "┼", "+", "┤", "+", "└", "+", "┴", "+", "┘", "+", " · ", ", ")

// A block that claims an account must name something that has one.
func TestBlocksThatNeedAnAccount(t *testing.T) {
	accounts := regexp.MustCompile(`(\baws |\bsam |make sam-|--stack|--state-table|--bare|=https://|connect test |\bsnow |sql-setup)`)
	for _, file := range pages(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(text)) {
			if b.treat == "needs-account" && !accounts.MatchString(b.text) {
				t.Errorf("%s:%d: nothing in it needs an account", filepath.Base(file), b.line)
			}
		}
	}
}
