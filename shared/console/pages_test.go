package console

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/run"
)

// Each page says what people look for on it.
func TestPages(t *testing.T) {
	p := inside(t, full())
	for path, says := range map[string][]string{
		"/": {"Warning", "3 h ago", "late after 2 h, stale 4 h", "in 20 min", "94.0%", `class="n">13<`, `href="/errors?sync=contacts">6<`, "1 due", "error rate since", "<svg class=\"spark\"", "2 runs, 2 of them with rows that are not right; the last one: 94 of 100 rows right",
			"20 of 50", "91.0%", "910 of 1,000 calls in 1 d", "50.0%", "Needs you", "the login is refused", "/confirm/pause_connection?connection=crm_prod"},
		"/run/contacts.r1": {`<b>100</b> of 104 settled`, "still queued", "intake", "destination", "delivered", "Errors of 6 rows", "INVALID_EMAIL", `ref=contacts.r1%23b%237`, "Retry 3", "push again", "/confirm/cancel?run=contacts.r1", "Running", `hx-sse:connect="/run/contacts.r1?live=1"`},
		"/errors":          {"The newest 1 error<", "c 7", "INVALID_EMAIL", "no address", "/errors?after=more", "Older than 2026-03-01 12:00:00"},
		"/error?ref=" + url.QueryEscape("contacts.r1#b#7"): {"secret_note", "ann@acme.com", "Retry this row", "not by itself"},
		"/sync/contacts": {"full_name", "at most 80 characters", "personal", "contacts_model", "2026-03-01", "2026-02-28", "<svg class=\"chart\"", "/run/contacts.r1", "Data at the destination", "Pause…", "Reset…"},
		"/record?connection=crm_prod&key=ann@acme.com": {"Held", `href="https://crm.example/003X"`, "003X", "contacts.r1", "Its errors of the last 30 days"},
		"/record": {"crm_prod", `name="key"`},
		"/audit":  {"console: ann", "accept account", "crm_prod", "epoch 2", "Done"},
	} {
		status, body := p.get(path)
		if status != 200 {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
		for _, text := range says {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %q:\n%s", path, text, body)
			}
		}
		if strings.Contains(body, "style=") || strings.Contains(body, "<script>") || strings.Contains(body, "onclick") {
			t.Errorf("%s has what the policy forbids", path)
		}
	}
}

// The row's source stands on the page of its error alone, and lists have no row values but
// the record's id.
func TestSourceIsShownWhereItIsOpened(t *testing.T) {
	p := inside(t, full())
	for _, path := range []string{"/", "/errors", "/run/contacts.r1", "/sync/contacts", "/record?connection=crm_prod&key=x"} {
		if _, body := p.get(path); strings.Contains(body, "secret_note") {
			t.Errorf("%s shows a source row", path)
		}
	}
}

func TestEmptyStates(t *testing.T) {
	s := &state{run: view.Run{Run: "a.r1", Sync: "a", Expected: -1, SuccessRate: -1, RowsPerSecond: -1, Status: run.Open}, sync: view.Sync{Row: view.Row{Sync: "a", SuccessRate: -1, RowsPerSecond: -1, Health: view.Stale}}, record: view.Record{Connection: "c"}}
	p := inside(t, s)
	for path, says := range map[string]string{
		"/": "No sync is applied yet", "/errors": "No errors", "/errors?type=x": "No error is like that", "/run/a.r1": "No row of this run failed", "/sync/a": "No run has ended yet",
		"/record?connection=c&key=k": "No sync of the connection knows it", "/audit": "Nothing was done", "/confirm/retry?run=a.r1": "There is no row that could be sent again",
		"/confirm/resume?sync=a": "The sync is not paused",
	} {
		if status, body := p.get(path); status != 200 || !strings.Contains(body, says) || strings.Contains(body, "NaN") {
			t.Errorf("%s: %d, not %q:\n%s", path, status, says, body)
		}
	}
}

func TestUnknown(t *testing.T) {
	p := inside(t, full())
	for _, path := range []string{"/run/contacts.r9", "/run/" + url.PathEscape("../../etc"), "/sync/none", "/error?ref=none", "/error", "/record?connection=none&key=k", "/nothing", "/result/none",
		"/confirm/retry?run=none", "/confirm/retry?ref=none", "/confirm/cancel?run=none", "/confirm/pause?sync=none", "/confirm/accept?connection=none", "/confirm/none"} {
		if status, body := p.get(path); status != 404 || !strings.Contains(body, "There is nothing under this address") {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
	}
	if status, _ := p.get("/confirm/retry"); status != 400 {
		t.Errorf("a retry of nothing: %d", status)
	}
}

func TestFailureIsTold(t *testing.T) {
	s := full()
	p := inside(t, s)
	s.fail = errors.New("the disk is on fire")
	if status, body := p.get("/"); status != 500 || !strings.Contains(body, "the disk is on fire") {
		t.Errorf("%d %s", status, body)
	}
}

// What others wrote is text wherever it stands, and no address but the web's is a link.
func TestHostileTexts(t *testing.T) {
	s := full()
	poison(reflect.ValueOf(&s.overview).Elem())
	poison(reflect.ValueOf(&s.run).Elem())
	poison(reflect.ValueOf(&s.errs).Elem())
	poison(reflect.ValueOf(&s.one).Elem())
	poison(reflect.ValueOf(&s.sync).Elem())
	poison(reflect.ValueOf(&s.record).Elem())
	poison(reflect.ValueOf(&s.actions).Elem())
	s.one.Source = []byte(`{"a":"</pre><script>alert(3)</script>"}`)
	s.record.Holds[0].Link = "javascript:alert(4)"
	p := inside(t, s)
	name := url.QueryEscape(hostile)
	for _, path := range []string{"/", "/run/" + url.PathEscape(hostile), "/errors?text=" + name + "&run=" + name, "/error?ref=" + name, "/sync/" + url.PathEscape(hostile), "/record?connection=" + name + "&key=" + name, "/audit",
		"/confirm/retry?run=" + name + "&type=" + name, "/confirm/pause_connection?connection=" + name, "/confirm/reset?sync=" + name, "/confirm/accept?connection=" + name} {
		status, body := p.get(path)
		if status != 200 {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
		for _, bad := range []string{"<script>alert", "<img", `href="javascript`, "</pre><script"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s lets %q through:\n%s", path, bad, body)
			}
		}
		if path != "/audit" && !strings.Contains(body, "alert(1)") {
			t.Errorf("%s shows nothing of it", path)
		}
	}
}

// poison puts the hostile text into all texts of a value but its words.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() && v.Type() == reflect.TypeFor[string]() {
			v.SetString(hostile)
		}
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem())
		}
	}
}

func TestLinks(t *testing.T) {
	for address, want := range map[string]string{"https://a.example/x?y=1": "https://a.example/x?y=1", "http://a.example": "http://a.example", "javascript:alert(1)": "", "data:text/html,x": "", "//a.example": "", "https:x": "", "": "", "ht tp://x": ""} {
		if got := link(address); got != want {
			t.Errorf("%q: %q", address, got)
		}
	}
}

// The filter reaches the reader, and the page after keeps it.
func TestErrorsFilter(t *testing.T) {
	s := full()
	p := inside(t, s)
	_, body := p.get("/errors?run=contacts.r1&type=INVALID_EMAIL&stage=deliver&field=email&record=7&text=+tea+&after=x%23y")
	want := view.Filter{Sync: "contacts", Run: "contacts.r1", Type: "INVALID_EMAIL", Stage: "deliver", Field: "email", Record: "7", Text: "tea", After: "x#y"}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"after=more&amp;field=email&amp;record=7", `value="tea"`, "<option selected>deliver</option>"} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not have %q:\n%s", text, body)
		}
	}
}

// A retry is offered of what is listed and of nothing more: a record narrows it too, and
// from a search none is offered.
func TestRetryOfWhatIsListed(t *testing.T) {
	s := full()
	p := inside(t, s)
	for path, want := range map[string]string{
		"/errors":                 "",
		"/errors?record=7":        "",
		"/errors?sync=contacts":   "/confirm/retry?sync=contacts",
		"/errors?run=contacts.r1": "/confirm/retry?run=contacts.r1",
		"/errors?sync=contacts&record=+ann%40acme.com":                         "/confirm/retry?record=&#43;ann%40acme.com&amp;sync=contacts",
		"/errors?run=contacts.r1&type=BUSY&stage=deliver&field=email&record=7": "/confirm/retry?field=email&amp;record=7&amp;run=contacts.r1&amp;stage=deliver&amp;type=BUSY",
		"/errors?run=contacts.r1&text=tea":                                     "search",
		"/errors?sync=contacts&record=7&text=tea":                              "search",
	} {
		_, body := p.get(path)
		_, rest, offered := strings.Cut(body, `<a class="button main" href="`)
		address, _, _ := strings.Cut(rest, `"`)
		searched := strings.Contains(body, "A retry cannot be narrowed by a search")
		if want == "search" {
			if offered || !searched {
				t.Errorf("%s: %v, %v", path, offered, searched)
			}
			continue
		}
		if searched || address != want {
			t.Errorf("%s leads to %q, not to %q", path, address, want)
		}
	}
	for next, want := range map[string]string{"more": "Retry all like these…", "": ">Retry these…"} { // what stands on the pages after is meant too
		s.errs.Next = next
		if _, body := p.get("/errors?sync=contacts"); !strings.Contains(body, want) {
			t.Errorf("next %q: it does not say %q", next, want)
		}
	}
	if _, body := p.get("/errors?sync=contacts&after=x"); !strings.Contains(body, "Retry all like these…") {
		t.Error("a page after the first says that it sends these alone")
	}
}

// A page that has not looked at all errors says so and leads on, and is not read again and
// again.
func TestLookFurther(t *testing.T) {
	s := full()
	s.errs, s.record.Errors = view.Errors{Next: "more", Since: noon, Further: true}, view.Errors{Next: "more", Since: noon, Further: true}
	s.run.Groups[0].Samples = nil
	s.run.Further = true
	p := inside(t, s)
	for path, says := range map[string][]string{
		"/errors?type=x":                    {"None found so far", "None of the errors since 2026-03-01 12:00:00 is like that.", `href="/errors?after=more&amp;type=x" rel="next">Look further back than 2026-03-01 12:00:00<`},
		"/errors?type=x&after=y":            {"None of these errors since 2026-03-01 12:00:00 is like that."},
		"/record?connection=crm_prod&key=k": {"None of the errors since 2026-03-01 12:00:00 is of it.", `href="/record?after=more&amp;connection=crm_prod&amp;key=k" rel="next">Look further`},
		"/run/contacts.r1":                  {"none among those looked at"},
	} {
		_, body := p.get(path)
		for _, text := range says {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %q:\n%s", path, text, body)
			}
		}
		for _, text := range []string{"No error", "hx-sse:connect"} {
			if strings.Contains(body, text) {
				t.Errorf("%s says %q:\n%s", path, text, body)
			}
		}
	}
	s.errs, s.record.Errors = view.Errors{}, view.Errors{}
	for path, text := range map[string]string{"/errors?type=x": "No error is like that", "/errors?after=y": "No older error is like that", "/record?connection=crm_prod&key=k": "No error of it is stored", "/record?connection=crm_prod&key=k&after=y": "No older error of it is stored"} {
		if _, body := p.get(path); !strings.Contains(body, text) || strings.Contains(body, "Look further") {
			t.Errorf("%s does not say %q:\n%s", path, text, body)
		}
	}
}

// What is not open any more is told so wherever it is shown, and no retry of it is offered.
func TestSettledErrors(t *testing.T) {
	s := full()
	s.errs.Errors = append(s.errs.Errors, s.errs.Errors[0])
	s.errs.Errors[1].Settled = true
	p := inside(t, s)
	if _, body := p.get("/errors?sync=contacts"); !strings.Contains(body, "The newest 2 errors, 1 of them no longer open<") || strings.Count(body, ">no longer open<") != 1 || !strings.Contains(body, "Retry all like these…") {
		t.Error(body)
	}
	s.errs.Errors[0].Settled, s.one.Settled, s.run.Groups[0].Samples[0].Settled, s.record.Errors.Errors[0].Settled = true, true, true, true
	for path, says := range map[string]string{
		"/errors?sync=contacts":                  "The newest 2 errors, 2 of them no longer open<",
		"/error?ref=contacts.r1%23b%237":         "Nothing of it is left to send.",
		"/run/contacts.r1":                       "(no longer open)",
		"/record?connection=crm_prod&key=k":      ">no longer open<",
		"/confirm/retry?ref=contacts.r1%23b%237": "Nothing is left to send",
	} {
		if _, body := p.get(path); !strings.Contains(body, says) || strings.Contains(body, "Retry this row") || strings.Contains(body, "like these…") || strings.Contains(body, "Send it again") {
			t.Errorf("%s does not say %q, or offers a retry:\n%s", path, says, body)
		}
	}
}

// The page of a record says where a record id cannot be looked for, and under which key it
// was found by it.
func TestRecordByItsID(t *testing.T) {
	s := full()
	s.record.Others, s.record.ByMatch = []string{"leads", "deals", "tags"}, []string{"leads", "tags"}
	p := inside(t, s)
	for path, want := range map[string]string{
		"/record?connection=crm_prod&key=c+7":          "contact · ann@acme.com",
		"/record?connection=crm_prod&key=ann@acme.com": "A record id cannot be looked for in leads and tags:",
	} {
		if _, body := p.get(path); !strings.Contains(body, want) {
			t.Errorf("%s does not say %q:\n%s", path, want, body)
		}
	}
	s.record.Holds, s.record.ByMatch = nil, make([]string, 12)
	if _, body := p.get("/record?connection=crm_prod&key=c+7"); !strings.Contains(body, "A record id cannot be looked for in 12 syncs:") || !strings.Contains(body, "No sync of the connection knows it.") {
		t.Error(body)
	}
	s.record.ByMatch = nil
	if _, body := p.get("/record?connection=crm_prod&key=c+7"); strings.Contains(body, "cannot be looked for") {
		t.Error(body)
	}
}
