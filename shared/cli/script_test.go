package cli

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // changes what is stored

	"github.com/penstock-data/penstock/shared/dest/vendors"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// TestMain makes penstock a command of the scripts: this binary under that name.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "check-models" { // a test's own program asks this one to check models
		penstock()
	}
	testscript.Main(m, map[string]func(){"penstock": penstock, "cards": another})
}

// penstock is the program as it is built.
func penstock() { os.Exit(Main(os.Args[1:], listed())) }

// listed are the destination types of the program as it is built.
func listed() []Destination {
	known := make([]Destination, len(vendors.All))
	for i, d := range vendors.All {
		known[i] = Destination(d)
	}
	return known
}

// TestScript runs what needs no embedded warehouse.
func TestScript(t *testing.T) { runScripts(t, "any") }

// runScripts runs the scripts of a folder of testdata/script. They find the
// repository's definitions in $SYNCS.
func runScripts(t *testing.T, folder string) {
	syncs, err := filepath.Abs("../../sql/syncs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script", folder),
		Setup: func(e *testscript.Env) error {
			e.Setenv("SYNCS", syncs)
			e.Setenv("PENSTOCK_SCHEDULE", "false") // the time of the day decides nothing here
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"printed": runPrinted, "address": address, "await": await, "http": send, "json": checkJSON, "code": exitCode, "wait-file": awaitFile, "settled": settled,
			"await-sql": awaitSQL, "run-id": runID, "private": private, "untold": untold,
			"await-status": awaitStatus, "backdate": backdate, "console": openConsole, "page": page, "submit": submit, "leave": leave, "mend": mend,
		},
	})
}

// printed COMMAND... runs the commands of the last output that begin with penstock
// COMMAND, as they are printed, in this order.
func runPrinted(ts *testscript.TestScript, _ bool, commands []string) {
	lines := strings.Split(ts.ReadFile("stdout"), "\n")
	for _, command := range commands {
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "  penstock "+command) })
		if i < 0 {
			ts.Fatalf("no command penstock %s is printed", command)
		}
		words := strings.Fields(lines[i])
		ts.Check(ts.Exec(words[0], words[1:]...))
	}
}

// address NAME... puts free addresses of this machine into variables.
func address(ts *testscript.TestScript, _ bool, names []string) {
	var open []net.Listener
	for _, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		open = append(open, l)
		ts.Setenv(name, l.Addr().String())
	}
	for _, l := range open { // only now, so that all are different
		ts.Check(l.Close())
	}
}

// await URL [TEXT [N [SECONDS]]] asks until it is answered, with TEXT in the answer at
// least N times, for at most 20 s.
func await(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 || len(args) > 4 {
		ts.Fatalf("usage: await URL [TEXT [N [SECONDS]]]")
	}
	text, n, seconds := "", 0, 20
	if len(args) > 3 {
		var err error
		seconds, err = strconv.Atoi(args[3])
		ts.Check(err)
	}
	if len(args) > 1 {
		text, n = args[1], 1
	}
	if len(args) > 2 {
		var err error
		n, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	last := ""
	for range 20 * seconds {
		body, err := request("GET", args[0], "")
		if err == nil && strings.Count(body, text) >= n {
			return
		}
		last = fmt.Sprint(body, err)
		<-time.After(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not come: %s", strings.Join(args, " "), last)
}

// settled DIR GATEWAY SYNC waits, for at most 30 s, until the sync's last run is
// complete, and checks its sum.
func settled(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: settled DIR GATEWAY SYNC")
	}
	statement := fmt.Sprintf("SELECT penstock_status('%s')", args[2])
	for range 100 {
		ts.Check(ts.Exec("penstock", "sql", "--data", args[0], "--gateway", args[1], statement))
		text := ts.ReadFile("stdout")
		if !strings.Contains(text, `"status": "complete"`) {
			<-time.After(200 * time.Millisecond)
			continue
		}
		_, object, _ := strings.Cut(text, "\n") // below the column's name
		var s struct{ Runs []runs.RunStatus }
		ts.Check(json.NewDecoder(strings.NewReader(object)).Decode(&s))
		if c := s.Runs[0].Counts; len(s.Runs) != 1 || c.Received != c.Settled() || c.Delivered+c.Unchanged+c.Failed == 0 {
			ts.Fatalf("%d runs, the last: %+v", len(s.Runs), c)
		}
		return
	}
	ts.Fatalf("the run of %s is not complete: %s", args[2], ts.ReadFile("stdout"))
}

// await-sql DIR GATEWAY STATEMENT TEXT runs a statement until its result has TEXT, for
// at most 20 s.
func awaitSQL(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: await-sql DIR GATEWAY STATEMENT TEXT")
	}
	for range 100 {
		ts.Check(ts.Exec("penstock", "sql", "--data", args[0], "--gateway", args[1], args[2]))
		if strings.Contains(ts.ReadFile("stdout"), args[3]) {
			return
		}
		<-time.After(200 * time.Millisecond)
	}
	ts.Fatalf("%q did not come: %s", args[3], ts.ReadFile("stdout"))
}

// run-id NAME SYNC puts the first run of the sync in the last output into a variable.
func runID(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: run-id NAME SYNC")
	}
	id := regexp.MustCompile(regexp.QuoteMeta(args[1]) + `\.[qr][0-9a-f]+`).FindString(ts.ReadFile("stdout"))
	if id == "" {
		ts.Fatalf("there is no run of %s", args[1])
	}
	ts.Setenv(args[0], id)
}

// wait-file FILE waits until a file is there, for at most 20 s.
func awaitFile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: wait-file FILE")
	}
	for range 400 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not come", args[0])
}

// http METHOD URL [BODY] prints the answer.
func send(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: http METHOD URL [BODY]")
	}
	body, err := request(args[0], args[1], strings.Join(args[2:], " "))
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), body)
	ts.Check(err)
}

func request(method, url, body string) (string, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	client := http.Client{Timeout: 20 * time.Second} // another process may have the address by now, and say nothing
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// code N ARG... runs penstock and checks its exit code.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N ARG...")
	}
	err := ts.Exec("penstock", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("penstock %s ended with %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// json FILE checks a report of demo --json: its fields, its sums and its matches.
func checkJSON(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: json FILE")
	}
	for _, fault := range reportFaults(ts.ReadFile(args[0])) {
		ts.Fatalf("%s: %s", args[0], fault)
	}
}

// The fields of demo --json, which others read by these names.
const (
	reportFields = "rows seconds syncs"
	syncFields   = "api_calls delivered destination destination_records failed filtered matches_warehouse pass pushed queued rejected run seconds superseded sync unchanged"
)

// reportFaults are the reasons why a text is no good report.
func reportFaults(text string) (faults []string) {
	var fields map[string]json.RawMessage
	var entries struct{ Syncs []map[string]json.RawMessage }
	var r report
	for _, into := range []any{&fields, &entries, &r} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return []string{err.Error()}
		}
	}
	if got := names(fields); got != reportFields {
		faults = append(faults, "fields "+got)
	}
	if len(r.Syncs) != 10 {
		faults = append(faults, fmt.Sprintf("%d syncs: want two passes of five", len(r.Syncs)))
	}
	want := []string{"amplitude", "hubspot", "intercom", "salesforce", "slack"}
	for pass := 1; pass <= 2; pass++ {
		var got []string
		for i, s := range r.Syncs {
			if i/5+1 == pass {
				got = append(got, s.Destination)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			faults = append(faults, fmt.Sprintf("destinations %v of pass %d: want %v", got, pass, want))
		}
	}
	for i, s := range r.Syncs {
		if got := names(entries.Syncs[i]); got != syncFields {
			faults = append(faults, "fields of a sync "+got)
		}
		if s.Pushed != s.Rejected+s.Delivered+s.Unchanged+s.Superseded+s.Failed || s.Pushed == 0 {
			faults = append(faults, fmt.Sprintf("%s, pass %d: the counts do not add up: %+v", s.Sync, s.Pass, s))
		}
		if s.Queued != s.Pushed-s.Rejected-s.Superseded {
			faults = append(faults, fmt.Sprintf("%s, pass %d: queued: %+v", s.Sync, s.Pass, s))
		}
		if !s.MatchesWarehouse {
			faults = append(faults, fmt.Sprintf("%s, pass %d: does not match the warehouse", s.Sync, s.Pass))
		}
	}
	return faults
}

// names are a map's keys, sorted.
func names(m map[string]json.RawMessage) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}

// private DIR checks that every file in a folder is its owner's alone.
func private(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: private DIR")
	}
	n := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if n++; info.Mode().Perm()&0o077 != 0 {
			ts.Fatalf("%s has the rights %s", path, info.Mode())
		}
		return nil
	}))
	if n == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
}

// untold DIR TEXT checks that no file of a data folder has a text, in either case, but those
// that hold rows: the state, the warehouse, and what the simulators were sent.
func untold(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: untold DIR TEXT")
	}
	read, rows := 0, false
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := strings.Contains(strings.ToLower(string(b)), args[1])
		if name := e.Name(); strings.HasPrefix(name, "penstock.db") || strings.HasPrefix(name, "warehouse.duckdb") || strings.HasSuffix(name, ".journal") {
			rows = rows || found
			return nil
		}
		if read++; found {
			ts.Fatalf("%s has %s", path, args[1])
		}
		return nil
	}))
	if read == 0 || !rows {
		ts.Fatalf("%s: %d files were read; rows are stored: %v", args[0], read, rows)
	}
}

// await-status SYNC TEXT... prints the sync's status until it has all the texts, for at
// most 20 s.
func awaitStatus(ts *testscript.TestScript, _ bool, args []string) {
	for range 200 {
		ts.Check(ts.Exec("penstock", "status", args[0], "--json"))
		text := ts.ReadFile("stdout")
		if !slices.ContainsFunc(args[1:], func(want string) bool { return !strings.Contains(text, want) }) {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	ts.Fatalf("the status of %s has not %v: %s", args[0], args[1:], ts.ReadFile("stdout"))
}

// backdate DIR says of the state in a folder that all syncs were applied three days ago.
func backdate(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", filepath.Join(ts.MkAbs(args[0]), stateFile))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec("UPDATE version SET body = json_set(body, '$.applied_at', ?)", time.Now().Add(-72*time.Hour).UTC().Format(time.RFC3339Nano)) // the version's id does not hold it
	ts.Check(err)
}
