package cli

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// An opened console, with its session.
type opened struct {
	client *http.Client
	base   string
	cmd    *exec.Cmd
}

// console COMMAND [ARG...] starts a command of penstock that serves the console, and opens
// it, as a person does with the address that it prints.
func openConsole(ts *testscript.TestScript, _ bool, args []string) {
	path := ""
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "penstock")); err == nil && path == "" {
			path = filepath.Join(dir, "penstock")
		}
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), os.Stderr
	for _, name := range []string{"PATH", "HOME", "PENSTOCK_SCHEDULE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { cmd.Process.Kill(); cmd.Wait() })
	lines, printed := bufio.NewReader(out), ""
	for !strings.HasPrefix(printed, "Console ") {
		printed, err = lines.ReadString('\n')
		ts.Check(err)
	}
	go io.Copy(io.Discard, lines)
	address, err := url.Parse(strings.TrimSpace(strings.TrimPrefix(printed, "Console")))
	ts.Check(err)
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	o := &opened{client: &http.Client{Jar: jar, Timeout: 10 * time.Second}, base: address.Scheme + "://" + address.Host, cmd: cmd}
	if _, err := o.read(address.RequestURI()); err != nil {
		ts.Fatalf("open the console: %v", err)
	}
	ts.Setenv("CONSOLE", o.base)
	consoles[o.base] = o
}

var (
	consoles = map[string]*opened{} // one script at a time opens one
	markup   = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`)
	blanks   = regexp.MustCompile(`\s+`)
	inputs   = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)
)

// leave interrupts the command that serves the console, which ends well.
func leave(ts *testscript.TestScript, _ bool, _ []string) {
	cmd := consoles[ts.Getenv("CONSOLE")].cmd
	ts.Check(cmd.Process.Signal(os.Interrupt))
	ts.Check(cmd.Wait())
}

// body is what was answered, if that is a page.
func body(res *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, plainText(string(text)))
	}
	return string(text), err
}

// plainText is a page's text, without markup.
func plainText(page string) string {
	return blanks.ReplaceAllString(markup.ReplaceAllString(page, " "), " ")
}

// read is the text of the page at a path.
func (o *opened) read(path string) (string, error) {
	text, err := body(o.client.Get(o.base + path))
	return plainText(text), err
}

// submit ACTION QUERY PATTERN sends the form with which the console asks about an action; the
// page that says what came of it has the pattern.
func submit(ts *testscript.TestScript, _ bool, args []string) {
	o, form := consoles[ts.Getenv("CONSOLE")], url.Values{}
	asks, err := body(o.client.Get(o.base + "/confirm/" + args[0] + "?" + args[1]))
	ts.Check(err)
	for _, m := range inputs.FindAllStringSubmatch(asks, -1) {
		form.Add(m[1], html.UnescapeString(m[2]))
	}
	if len(form) == 0 {
		ts.Fatalf("%s: nothing is asked: %s", args[0], plainText(asks))
	}
	said, err := body(o.client.PostForm(o.base+"/do/"+args[0], form))
	ts.Check(err)
	if text := plainText(said); !regexp.MustCompile(args[2]).MatchString(text) {
		ts.Fatalf("%s: %s: %s", args[0], args[2], text)
	}
}

// page PATH PATTERN waits, for at most 20 s, until a page of the console has what the
// pattern says; with ! until it has not.
func page(ts *testscript.TestScript, neg bool, args []string) {
	o, want, last := consoles[ts.Getenv("CONSOLE")], regexp.MustCompile(args[1]), ""
	for range 200 {
		text, err := o.read(args[0])
		ts.Check(err)
		if want.MatchString(text) != neg {
			return
		}
		last = text
		<-time.After(100 * time.Millisecond)
	}
	ts.Fatalf("page %s: %s: %s", args[0], args[1], last)
}

// mend CHAT TITLE [ARG...] runs the command that the channel's last alert with the title
// quotes, as it stands there, with further arguments.
func mend(ts *testscript.TestScript, _ bool, args []string) {
	body, err := request("GET", "http://"+args[0]+"/_sandbox/records", "")
	ts.Check(err)
	all := regexp.MustCompile(regexp.QuoteMeta(args[1])+`, raised.*?Mend:\s*(?:`+"`"+`)?(penstock [a-z]+[^\\`+"`"+`"]*)`).FindAllStringSubmatch(body, -1)
	if len(all) == 0 {
		ts.Fatalf("no alert %s with a command: %s", args[1], body)
	}
	words := append(strings.Fields(all[len(all)-1][1]), args[2:]...)
	ts.Logf("mend: %s", strings.Join(words, " "))
	ts.Check(ts.Exec(words[0], words[1:]...))
}
