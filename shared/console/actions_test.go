package console

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/run"
)

// Each action asks first, says what happens and which command does the same, then acts and
// says what came of it, also when the page is loaded again.
func TestActions(t *testing.T) {
	paused := full()
	paused.sync.Paused = &run.Pause{By: "ann", At: noon}
	paused.overview.Syncs[0].Paused = &run.Pause{By: "ann", At: noon}
	for name, c := range map[string]struct {
		s        *state
		ask      string
		says     []string
		answered url.Values
		did      string
	}{
		"retry one":          {full(), "/confirm/retry?ref=" + url.QueryEscape("contacts.r1#b#7"), []string{"Send 1 row again", "penstock retry contacts.r1 --error contacts.r1#b#7 --data d"}, nil, "retry contacts.r1 contacts.r1#b#7"},
		"retry a group":      {full(), "/confirm/retry?run=contacts.r1&type=INVALID_EMAIL&stage=deliver&field=email", []string{"Up to 3 rows of contacts", "Only errors of the type INVALID_EMAIL, the stage deliver and the field email are meant", "penstock retry contacts.r1 --type INVALID_EMAIL --stage deliver --field email --data d"}, nil, "retry contacts.r1 INVALID_EMAIL,deliver,email"},
		"retry no field":     {bare(), "/confirm/retry?run=contacts.r1&type=BUSY&stage=deliver&nofield=1", []string{"Send 2 rows again", "Only errors of the type BUSY and the stage deliver that name no field are meant", "--type BUSY --stage deliver --field '' --data d"}, nil, "retry contacts.r1 BUSY,deliver,"},
		"retry all of a run": {full(), "/confirm/retry?run=contacts.r1", []string{"Send 3 rows again", "2 more rows were rejected before being queued", "1 row of the type unknown is not sent"}, nil, "retry contacts.r1 "},
		"retry the unknown":  {full(), "/confirm/retry?run=contacts.r1&type=unknown", []string{"Send 1 row again", "--type unknown"}, nil, "retry contacts.r1 unknown"},
		"retry all":          {full(), "/confirm/retry?sync=contacts", []string{"Send the open errors of the last 2 runs of contacts again", "Up to 6 rows", "They are of 2 runs.", "Errors of earlier runs, and of those that go on, are left out"}, nil, "retry contacts.r1 "},
		"cancel":             {full(), "/confirm/cancel?run=contacts.r1", []string{"4 rows are not delivered yet", "90 rows are delivered already, and stay", "penstock cancel contacts.r1 --data d"}, url.Values{"reason": {" too many "}}, "cancel contacts.r1 too many"},
		"pause":              {full(), "/confirm/pause?sync=contacts", []string{"rows that are pushed to it are blocked", "1 run goes on now", "penstock pause contacts --data d"}, url.Values{"reason": {"moving"}}, "pause contacts moving"},
		"resume":             {paused, "/confirm/resume?sync=contacts", []string{"by ann", "penstock resume contacts"}, nil, "resume contacts"},
		"pause all":          {full(), "/confirm/pause_connection?connection=crm_prod", []string{"1 sync: contacts.", "penstock pause contacts"}, url.Values{"reason": {"away"}}, "pause contacts away"},
		"resume all":         {paused, "/confirm/resume_connection?connection=crm_prod", []string{"1 sync: contacts.", "penstock resume contacts"}, nil, "resume contacts"},
		"accept":             {full(), "/confirm/accept?connection=crm_prod", []string{"1 sync starts with an empty ledger: contacts", "penstock connect crm_prod --accept-account --data d"}, nil, "accept crm_prod"},
		"reset":              {full(), "/confirm/reset?sync=contacts", []string{"selects all rows", "2026-03-01", "penstock reset contacts --data d"}, nil, "reset contacts"},
	} {
		t.Run(name, func(t *testing.T) {
			c.s.did = nil
			p := inside(t, c.s)
			status, page := p.get(c.ask)
			text := unescape(page)
			for _, want := range c.says {
				if status != 200 || !strings.Contains(text, want) {
					t.Errorf("%d, it does not say %q:\n%s", status, want, text)
				}
			}
			if len(c.s.did) > 0 {
				t.Fatalf("it acted before it was told to: %v", c.s.did)
			}
			send := form(page)
			for key, values := range c.answered {
				send[key] = values
			}
			path := "/do/" + strings.Split(strings.TrimPrefix(c.ask, "/confirm/"), "?")[0]
			status, page = p.do("POST", path, send)
			if status != 200 || !strings.Contains(page, "it is done") || !strings.Contains(page, "Done.") {
				t.Errorf("%d %s", status, page)
			}
			want := []string{c.did}
			if name == "retry all" { // both runs of the chart have the same id here
				want = append(want, c.did)
			}
			if diff := cmp.Diff(want, c.s.did); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// bare is a state whose run has a group of errors that name no field beside one that does.
func bare() *state {
	s := full()
	s.run.Groups = []view.Group{{Stage: "deliver", Type: "BUSY", Field: "email", Rows: 5}, {Stage: "deliver", Type: "BUSY", Rows: 2}, {Type: "other", Rows: 9}}
	return s
}

// The button of a group sends that group: also one that names no field. What is counted as
// the others is no group of its own.
func TestRetryOfAGroupIsThatGroup(t *testing.T) {
	_, page := inside(t, bare()).get("/run/contacts.r1")
	for _, want := range []string{"&amp;stage=deliver&amp;field=email\">Retry 5", "&amp;stage=deliver&amp;nofield=1\">Retry 2", "with all"} {
		if !strings.Contains(page, want) {
			t.Errorf("it does not have %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "type=other") {
		t.Errorf("the others are offered as a group:\n%s", page)
	}
}

func TestRefusalIsTold(t *testing.T) {
	s := full()
	p := inside(t, s)
	_, page := p.get("/confirm/retry?run=contacts.r1")
	s.refuse = refused()
	if status, body := p.do("POST", "/do/retry", form(page)); status != 200 || !strings.Contains(body, "Not done.") || !strings.Contains(body, "the sync is paused") {
		t.Errorf("%d %s", status, body)
	}
}

// A sync that is refused keeps no other one from its pause, and each refusal is told.
func TestOneRefusalOfSeveral(t *testing.T) {
	s := full()
	for _, name := range []string{"leads", "deals"} {
		other := s.overview.Syncs[0]
		other.Sync = name
		s.overview.Syncs = append(s.overview.Syncs, other)
	}
	p := inside(t, s)
	_, page := p.get("/confirm/pause_connection?connection=crm_prod")
	s.refuse, s.refused = refused(), "leads"
	if _, body := p.do("POST", "/do/pause_connection", form(page)); !strings.Contains(body, "Not done.") || !strings.Contains(body, "it is done; it is done; but: the sync is paused") {
		t.Error(body)
	}
	if diff := cmp.Diff([]string{"pause contacts ", "pause deals "}, s.did); diff != "" {
		t.Error(diff)
	}
	s.refused = ""
	s.refuse = errors.Join(refused(), errors.New("the disk is on fire"))
	if _, body := p.do("POST", "/do/reset", url.Values{"csrf": form(page)["csrf"], "sync": {"contacts"}}); !strings.Contains(body, "the sync is paused; the disk is on fire") {
		t.Error(body)
	}
}

// What cannot be sent again is not offered to be.
func TestNothingToRetry(t *testing.T) {
	s := full()
	s.one.Stage = "intake"
	s.run.Status = run.Complete
	p := inside(t, s)
	for _, path := range []string{"/confirm/retry?ref=" + url.QueryEscape("contacts.r1#b#7"), "/confirm/retry?run=contacts.r1&type=too_long", "/confirm/cancel?run=contacts.r1"} {
		if _, body := p.get(path); strings.Contains(body, "<form") {
			t.Errorf("%s offers to act:\n%s", path, body)
		}
	}
	if _, body := p.get("/error?ref=" + url.QueryEscape("contacts.r1#b#7")); strings.Contains(body, "Retry this row") {
		t.Error("it offers to send a row again that was never queued")
	}
	s.one.Stage, s.one.Source = "deliver", nil
	if _, body := p.get("/error?ref=" + url.QueryEscape("contacts.r1#b#7")); !strings.Contains(body, "It is stored, and not shown") || !strings.Contains(body, "Retry this row") {
		t.Error("a row that may not be shown can be sent again all the same")
	}
	s.one.Stored = false
	for _, path := range []string{"/error", "/confirm/retry"} {
		if _, body := p.get(path + "?ref=" + url.QueryEscape("contacts.r1#b#7")); strings.Contains(body, "Retry this row") || strings.Contains(body, "Send it again") {
			t.Errorf("%s offers to send a row again of which nothing is stored", path)
		}
	}
}

// A form that names syncs of another connection pauses none of these.
func TestOnlyWhatWasAskedAbout(t *testing.T) {
	s := full()
	other := s.overview.Syncs[0]
	other.Sync, other.Connection = "accounts", "erp_prod"
	late := s.overview.Syncs[0]
	late.Sync = "leads"
	p := inside(t, s)
	_, page := p.get("/confirm/pause_connection?connection=crm_prod")
	s.overview.Syncs = append(s.overview.Syncs, other, late) // applied since: nobody was asked about it
	send := form(page)
	send.Add("only", "accounts")
	p.do("POST", "/do/pause_connection", send)
	if diff := cmp.Diff([]string{"pause contacts "}, s.did); diff != "" {
		t.Error(diff)
	}
}

// Without actions the pages show, and offer nothing.
func TestShowsOnly(t *testing.T) {
	s := full()
	p := inside(t, s)
	p.c.cfg.Actions = nil
	for _, path := range []string{"/", "/run/contacts.r1", "/sync/contacts", "/errors?run=contacts.r1"} {
		if _, body := p.get(path); strings.Contains(body, "/confirm/") {
			t.Errorf("%s offers to act", path)
		}
	}
	if status, _ := p.get("/confirm/reset?sync=contacts"); status != 400 {
		t.Errorf("it asks: %d", status)
	}
}

func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{"a_b": "a_b", "a#1#2": "a#1#2", "": "''", "it's $HOME": `'it'\''s $HOME'`, "#5": "'#5'", "~root": "'~root'", "a~b": "a~b", "a\rb'\\\x1b[2J\u0085ü": `$'a\015b\'\\\033[2J\302\205ü'`} {
		if got := quoted(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestFlag(t *testing.T) {
	for value, want := range map[string]string{"a": " --record a", "-5": " --record=-5", "- 5": " --record='- 5'"} {
		if got := flag("record", value); got != want {
			t.Errorf("%q: %s", value, got)
		}
	}
}

var _ Pages = (*view.Reader)(nil)
var _ Errors = (*view.Reader)(nil)
