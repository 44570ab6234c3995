package apptest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// I6: no row value in a log, metric, address, reason, message or output. Rows whose
// values are marked go through every kind of fault, the vendor quoting what it can;
// then everything that Penstock told anybody is searched for every mark.

// A trail notes the marks of a World's rows, and all that is told of them.
type trail struct {
	*World
	syncs []string
	marks []string
	runs  []string
	told  strings.Builder

	failures int // errors that were stored
}

// mark is a value that nobody writes by chance.
func (tr *trail) mark() string {
	m := fmt.Sprintf("qz%04dxv", len(tr.marks))
	tr.marks = append(tr.marks, m)
	return m
}

// number is a mark that is a number.
func (tr *trail) number() string {
	m := fmt.Sprintf("73100%05d", len(tr.marks))
	tr.marks = append(tr.marks, m)
	return m
}

// push pushes rows to a sync, each an object, as a query of their own.
func (tr *trail) push(t *testing.T, sync string, objects ...string) {
	t.Helper()
	q := fmt.Sprintf("q%d", len(tr.marks))
	var rows [][]string
	for _, o := range objects {
		rows = append(rows, []string{fmt.Sprintf("%q", sync), o})
	}
	raw := tr.Invoke(t, "push", Request("push", q, q+":1", rows...))
	status, _, message := Status(t, raw)
	tr.told.WriteString(message)
	if status == 200 {
		for _, a := range Answers(t, raw) {
			fmt.Fprintln(&tr.told, a.Status, a.Field, a.Reason, a.Message)
			if a.Run != "" {
				tr.runs = append(tr.runs, a.Run)
			}
		}
	}
}

// quoting is what a vendor says that quotes a row.
func quoting(mark string) string { return "the value '" + mark + "' (" + mark + ") is not taken here" }

// faults is every kind of fault by name.
var privateFaults = map[string]func(*testing.T, *trail){
	"bad values":        badValues,
	"rows that are not": badRows,
	"refused rows":      refusedRows,
	"failed calls":      failedCalls,
	"failed lookups":    failedLookups,
	"ambiguous":         ambiguous,
	"chat":              chat,
	"dead letters":      deadLetters,
	"panics":            panics,
	"unreadable":        unreadableMessages,
	"cancelled":         cancelled,
	"halted":            halted,
	"network":           network,
}

func TestPrivacy(t *testing.T) {
	for name, fault := range privateFaults {
		t.Run(name, func(t *testing.T) {
			tr := &trail{World: faulty(t), syncs: []string{"accounts", "domains", "notes", "routed", "typed", "wrong"}}
			tr.search(t, fault)
		})
	}
}

// search has a fault happen, and searches what was told of it.
func (tr *trail) search(t *testing.T, fault func(*testing.T, *trail)) {
	t.Helper()
	tr.told.WriteString(output(t, func() {
		fault(t, tr)
		tr.Pass(t, 30*time.Minute)
	}))
	tr.read(t)
	told := strings.ToLower(tr.told.String())
	if len(tr.marks) == 0 || len(told) < 200 {
		t.Fatalf("%d marks, %d bytes told", len(tr.marks), len(told))
	}
	for _, m := range tr.marks {
		if at := strings.Index(told, m); at >= 0 {
			t.Errorf("%s is told: ...%s...", m, told[max(0, at-200):min(len(told), at+60)])
		}
	}
}

// read collects what is told: the log with its metrics, the addresses, what status
// says, and the errors without the row that each keeps.
func (tr *trail) read(t *testing.T) {
	t.Helper()
	tr.told.WriteString(tr.Log())
	for _, u := range tr.Net.URLs() {
		plain, err := url.QueryUnescape(u)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&tr.told, u, plain)
	}
	for _, sync := range tr.syncs {
		_, rows, _ := Status(t, tr.Invoke(t, "control", Request("status", "s", "s:1", []string{fmt.Sprintf("%q", sync)})))
		fmt.Fprintln(&tr.told, string(rows[0]))
	}
	for _, id := range append(tr.runs, "unreadable.messages") {
		for _, e := range tr.Errors(t, id) {
			tr.failures++
			fmt.Fprintln(&tr.told, e.Type, e.Stage, e.Field, e.Message)
		}
	}
	if tr.failures == 0 {
		t.Error("nothing failed")
	}
}

// output is what f writes to the standard output and error.
func output(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = file, file
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	f()
	b, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// typed is a row of the sync typed, one of its values replaced.
func (tr *trail) typed(column, value string) string {
	values := map[string]string{
		"id": `"` + tr.mark() + `"`, "address": `"` + tr.mark() + `@` + tr.mark() + `.example"`, "name": `"` + tr.mark() + `"`, "n": "1", "i": "2",
		"b": "true", "d": `"2024-01-15"`, "t": `"2024-01-15 10:00:00"`, "p": `"Healthy"`, "e": `"` + tr.mark() + `@example.com"`, "j": `{"a":"` + tr.mark() + `"}`,
	}
	values[column] = value
	var members []string
	for name, v := range values {
		if v != "" {
			members = append(members, fmt.Sprintf("%q:%s", name, v))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func badValues(t *testing.T, tr *trail) {
	text := func() string { return `"` + tr.mark() + `"` }
	tr.push(t, "typed",
		tr.typed("name", `"`+strings.Repeat(tr.mark(), 9)+`"`), tr.typed("name", `{"x":`+text()+`}`),
		tr.typed("n", text()), tr.typed("n", tr.number()), tr.typed("n", "-"+tr.number()), tr.typed("n", `[`+tr.number()+`]`),
		tr.typed("i", text()), tr.typed("i", tr.number()+".5"), tr.typed("i", tr.number()+"e99"),
		tr.typed("b", text()), tr.typed("b", tr.number()),
		tr.typed("d", text()), tr.typed("d", `"0001-01-01 `+tr.mark()+`"`), tr.typed("d", tr.number()+"00000"),
		tr.typed("t", text()), tr.typed("t", `"2024-01-15T10:00:00 `+tr.mark()+`"`),
		tr.typed("p", text()), tr.typed("p", tr.number()),
		tr.typed("e", text()), tr.typed("e", `"`+tr.mark()+`@"`), tr.typed("e", tr.number()),
		tr.typed("address", text()), tr.typed("address", `"@`+tr.mark()+`"`), tr.typed("address", ""), tr.typed("address", "null"), tr.typed("address", `{"a":`+text()+`}`),
		tr.typed("id", "null"), tr.typed("id", `{"a":`+text()+`}`), tr.typed("j", ""),
	)
}

func badRows(t *testing.T, tr *trail) {
	text := func() string { return `"` + tr.mark() + `"` }
	tr.push(t, "typed", text(), `[`+text()+`]`, tr.number(), `{"id":`+text()+`,"ID":`+text()+`}`, `{"id":`+text()+`,"id":`+text()+`}`,
		`{"id":`+text()+`,"name":"\ud800`+tr.mark()+`"}`,
		`{"id":`+text()+`,"deep":`+strings.Repeat(`[`, 1100)+text()+strings.Repeat(`]`, 1100)+`}`,
		tr.typed("name", `"`+tr.mark()+`"`))
	// Whole requests that cannot be read.
	for _, body := range []string{`{"data":[[0,"typed",{"id":` + text(), text(), `{"data":` + text() + `}`, `{"data":[` + text() + `]}`, `{"data":[["` + tr.mark() + `","typed",{}]]}`} {
		_, _, message := Status(t, tr.Invoke(t, "push", RawRequest("push", "q", "q:"+fmt.Sprint(len(tr.marks)), []byte(body))))
		tr.told.WriteString(message)
	}
}

// account is a row of accounts whose values are marked; key is its key.
func (tr *trail) account() (key, object string) {
	key = tr.mark()
	return key, fmt.Sprintf(`{"id":%q,"name":"Customer %s","n":%s,"u":1}`, key, tr.mark(), tr.number())
}

func refusedRows(t *testing.T, tr *trail) {
	for _, code := range []string{
		"STRING_TOO_LONG", "DUPLICATE_VALUE", "DUPLICATES_DETECTED", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
		"UNABLE_TO_LOCK_ROW", "INVALID_FIELD", "INSUFFICIENT_ACCESS_OR_READONLY", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "SOMETHING_NEW", "MALFORMED_ID", "JSON_PARSER_ERROR",
	} {
		key, object := tr.account()
		tr.fault(t, sandbox.Fault{FailRecords: []string{key}, Count: -1, Code: code, Message: quoting(key)})
		tr.push(t, "accounts", object)
	}
	_, object := tr.account()
	tr.push(t, "wrong", object)
}

func failedCalls(t *testing.T, tr *trail) {
	for _, f := range []sandbox.Fault{
		{Status: 500, Body: `[{"errorCode":"UNKNOWN_EXCEPTION","message":"MARK ErrorId: 123-456 (-789)"}]`},
		{Status: 500, Body: `<html>MARK</html>`, ContentType: "text/html"},
		{Status: 502, Body: `MARK`},
		{Status: 400, Body: `[{"errorCode":"JSON_PARSER_ERROR","message":"MARK"}]`},
		{Status: 400, Body: `[{"errorCode":"SOMETHING_NEW","message":"MARK"}]`},
		{Status: 400, Body: `[{"errorCode":"REQUIRED_FIELD_MISSING","message":"MARK","fields":["Name"]}]`},
		{Status: 404, Body: `[{"errorCode":"NOT_FOUND","message":"MARK"}]`},
		{Status: 413, Body: `MARK`},
		{Status: 414, Body: `{"MARK":"MARK"}`},
		{Status: 409, Body: `{"error":"MARK"}`},
		{Status: 302, Headers: map[string]string{"Location": "https://elsewhere.example/?q=MARK"}},
		{Status: 429, Headers: map[string]string{"Retry-After": "MARK"}, Body: `MARK`},
		{Status: 200, Body: `[{"success":false,"errors":[{"statusCode":"SOMETHING_NEW","message":"MARK","fields":["Name"]}]}]`},
		{Status: 200, Body: `["MARK"]`},
		{Status: 200, Body: `MARK`},
		{Cut: -30}, {Shorten: 1}, {DropAfterCommit: true},
	} {
		key, object := tr.account()
		f.Match, f.Holding, f.Count = "PATCH", key, -1
		f.Body = strings.ReplaceAll(f.Body, "MARK", key)
		for name, value := range f.Headers {
			f.Headers[name] = strings.ReplaceAll(value, "MARK", key)
		}
		tr.fault(t, f)
		_, neighbour := tr.account()
		tr.push(t, "accounts", object, neighbour)
	}
}

func failedLookups(t *testing.T, tr *trail) {
	for _, body := range []string{
		`[{"errorCode":"MALFORMED_QUERY","message":"unexpected token: MARK"}]`,
		`[{"errorCode":"INVALID_FIELD","message":"\nFROM Account WHERE Website IN ('MARK\n                   ^\nERROR at Row:1:Column:44\nNo such column 'Website' on entity 'Account'."}]`, `<html>MARK</html>`, `MARK`,
		`{"compositeResponse":[{"body":[{"errorCode":"MALFORMED_QUERY","message":"MARK"}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"q0"}]}`,
		`{"compositeResponse":[{"body":{"totalSize":1,"done":true,"records":[{"Id":"MARK","Website":"MARK"}]},"httpHeaders":{},"httpStatusCode":200,"referenceId":"q0"}]}`,
	} {
		for _, status := range []int{200, 400, 500} {
			site := tr.mark()
			tr.fault(t, sandbox.Fault{Match: "POST /composite", Holding: site, Count: -1, Status: status, Body: strings.ReplaceAll(body, "MARK", site)})
			tr.push(t, "domains", fmt.Sprintf(`{"id":%q,"email":"%s@%s.example","name":%q,"n":1}`, tr.mark(), tr.mark(), site, tr.mark()))
		}
	}
}

func ambiguous(t *testing.T, tr *trail) {
	site := tr.mark() + ".example"
	tr.Vendors.SeedAccounts(t, site, "https://www."+site)
	tr.push(t, "domains", fmt.Sprintf(`{"id":%q,"email":"a@%s","name":"x","n":1}`, tr.mark(), site),
		fmt.Sprintf(`{"id":%q,"email":"%s@gmail.com","name":"x","n":1}`, tr.mark(), tr.mark()))
	tr.push(t, "typed", tr.typed("", "")) // nobody has this address
}

func chat(t *testing.T, tr *trail) {
	core := tr.Vendors.Slack.Core()
	note := func() string { return fmt.Sprintf(`{"id":%q,"text":%q}`, tr.mark(), tr.mark()) }
	tr.push(t, "routed", fmt.Sprintf(`{"id":%q,"text":%q,"channel":"#%s"}`, tr.mark(), tr.mark(), tr.mark()),
		fmt.Sprintf(`{"id":%q,"text":%q,"channel":"C%s"}`, tr.mark(), tr.mark(), strings.ToUpper(tr.mark())),
		fmt.Sprintf(`{"id":%q,"text":%q,"channel":"%s is no channel"}`, tr.mark(), tr.mark(), tr.mark()))
	tr.Pass(t, 5*time.Minute)
	for _, f := range []sandbox.Fault{
		{Status: 200, Body: `{"ok":false,"error":"msg_too_long","response_metadata":{"messages":["MARK"]}}`},
		{Status: 200, Body: `{"ok":false,"error":"something_new","needed":"MARK"}`},
		{Status: 200, Body: `{"ok":"MARK"}`},
		{Status: 500, Body: `MARK`},
		{Status: 200, ContentType: "text/html", Body: `<html>MARK</html>`},
		{DropAfterCommit: true},
	} {
		object := note()
		f.Match, f.Holding, f.Count = "chat.postMessage", tr.marks[len(tr.marks)-1], -1
		f.Body = strings.ReplaceAll(f.Body, "MARK", f.Holding)
		if err := core.AddFault(f); err != nil {
			t.Fatal(err)
		}
		tr.push(t, "notes", object)
		tr.Pass(t, 5*time.Minute)
	}
}

func deadLetters(t *testing.T, tr *trail) {
	_, object := tr.account()
	tr.push(t, "accounts", object)
	in, err := tr.Store.Receive(t.Context(), "salesforce", 10, time.Minute)
	if err != nil || len(in) != 1 {
		t.Fatal(len(in), err)
	}
	if stay := tr.Work(t, "deadletter", in); stay != nil {
		t.Errorf("%v stay", stay)
	}
	if err := tr.Store.Delete(t.Context(), "salesforce", in[0].Receipt); err != nil {
		t.Fatal(err)
	}
}

// panicky is an account whose calls panic with what they are given.
type panicky struct{ dest.Account }

func (p panicky) Open(v syncdef.Version) (dest.Destination, error) {
	d, err := p.Account.Open(v)
	return panickyEnd{d}, err
}

type panickyEnd struct{ dest.Destination }

func (panickyEnd) Push(_ context.Context, b dest.Batch, _ dest.Call) ([]dest.Outcome, error) {
	panic(fmt.Sprintf("cannot handle %+v", b.Records))
}

func panics(t *testing.T, tr *trail) {
	d := tr.Deliver("salesforce")
	open := d.Open
	d.Open = func(c syncdef.Connection) (dest.Account, error) {
		a, err := open(c)
		return panicky{a}, err
	}
	_, first := tr.account()
	_, second := tr.account()
	tr.push(t, "accounts", first, second)
}

func unreadableMessages(t *testing.T, tr *trail) {
	in := tr.Queued(t, Sample{Function: "salesforce", Pick: func(q []envelope.Delivery) []envelope.Delivery { return q }, Before: func(t testing.TB, w *World) {
		_, object := tr.account()
		w.Push(t, "q", "q:1", []string{`"accounts"`, object})
	}})
	in[0].Body = []byte(`{"hello":"` + tr.mark() + `"}`)
	Stay(t, tr.Invoke(t, "salesforce", sqs.EncodeEvent(in, fmt.Sprintf(ARN, "salesforce"))))
	tr.told.WriteString(strings.Repeat(" ", 200))
}

func cancelled(t *testing.T, tr *trail) {
	_, object := tr.account()
	tr.push(t, "accounts", object)
	Call[struct{}](t, tr.Functions["control"], "cancel", fmt.Sprintf("%q", tr.runs[0]), `"by the test"`)
}

func halted(t *testing.T, tr *trail) {
	var objects []string
	for range 20 {
		_, o := tr.account()
		objects = append(objects, o)
	}
	tr.push(t, "wrong", objects...)
}

// network has the service gone, and then refuse the credentials while quoting.
func network(t *testing.T, tr *trail) {
	key, object := tr.account()
	tr.fault(t, sandbox.Fault{Match: "oauth2/token", Count: 3, Status: 400, Body: `{"error":"` + key + `","error_description":"` + key + `"}`})
	tr.fault(t, sandbox.Fault{Match: "PATCH", Count: 3, Status: 401, Body: `[{"errorCode":"INVALID_SESSION_ID","message":"` + key + `"}]`})
	tr.fault(t, sandbox.Fault{FailRecords: []string{key}, Count: -1, Code: "STRING_TOO_LONG", Message: key})
	tr.push(t, "accounts", object)
}
