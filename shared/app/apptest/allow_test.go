package apptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire"
)

// Who may call for a sync: the roles of its allow, whatever a caller tries.

const otherSync = "sf_health"

// guarded is a World in which LOADER may push to healthSync and SUPPORT may read its
// errors; the other sync is of a team of its own; slack_alerts has no allow. It has a
// run with an error in each of the two.
func guarded(t *testing.T) (w *World, own, foreign string) {
	t.Helper()
	set := Set(t)
	for i := range set.Syncs {
		switch d := &set.Syncs[i].Definition; d.Sync {
		case healthSync:
			d.Allow = &syncdef.Allow{Push: []string{"loader"}, Errors: []string{"SUPPORT"}}
		case otherSync:
			d.Allow = &syncdef.Allow{Push: []string{`"Other Team"`}, Errors: []string{`"Other Team"`}}
		}
	}
	w = NewWith(t, set)
	w.Vendors.SeedAccounts(t, sites...)
	for sync, role := range map[string]string{healthSync: "LOADER", otherSync: "Other Team"} {
		answers := Answers(t, w.Invoke(t, "push", As(role, "push", "q-"+sync, "q-"+sync+":1", Health(sync, "no address", 1), Health(sync, "john@acmecorp.com", 2))))
		if answers[0].Status != "rejected" {
			t.Fatalf("%s: %+v", sync, answers)
		}
		if sync == healthSync {
			own = answers[0].Run
		} else {
			foreign = answers[0].Run
		}
	}
	return w, own, foreign
}

// as calls a function of one row as somebody.
func (w *World) as(t *testing.T, role, function string, args ...string) (status int, answer, message string) {
	t.Helper()
	name := "control"
	if function == "push" {
		name = "push"
	}
	w.calls++
	id := fmt.Sprintf("as-%d", w.calls)
	status, rows, message := Status(t, w.Invoke(t, name, As(role, function, id, id+":1", args)))
	if len(rows) == 1 {
		answer = string(rows[0])
	}
	if why := refusal(answer); why != "" && (function == "status" || function == "errors" || function == "freshness") {
		return http.StatusBadRequest, "", why
	}
	return status, answer, message
}

// refusal is why a function that only reads answered nothing: it fails no statement.
// An answer that holds anything beside the reason is none.
func refusal(answer string) string {
	var a struct {
		Message      string
		Runs, Errors []json.RawMessage
	}
	if json.Unmarshal([]byte(answer), &a) != nil || len(a.Runs)+len(a.Errors) > 0 || strings.Contains(answer, `"version"`) || strings.Contains(answer, `"connection"`) {
		return ""
	}
	return a.Message
}

// calls are one call of each function about a run, or its sync, and what it needs.
func callsOf(id string) map[string]struct {
	args []string
	need string
} {
	sync, quoted := fmt.Sprintf("%q", run.SyncOf(id)), fmt.Sprintf("%q", id)
	return map[string]struct {
		args []string
		need string
	}{
		"push":   {Health(run.SyncOf(id), "sarah@techstartup.com", 3), "push"},
		"plan":   {Health(run.SyncOf(id), "sarah@techstartup.com", 3), "push"},
		"begin":  {[]string{sync}, "push"},
		"gate":   {[]string{quoted, "{}"}, "push"},
		"finish": {[]string{quoted, "1"}, "push"},
		"cancel": {[]string{quoted, `"why"`}, "push"},
		"retry":  {[]string{quoted}, "push"},
		"reset":  {[]string{sync}, "push"},
		"status": {[]string{sync}, "see"},
		"errors": {[]string{quoted}, "errors"},

		"freshness": {[]string{sync}, "see"},
	}
}

// Every function of the product has a call here, so that a new one is thought about.
func TestAllowCoversEveryFunction(t *testing.T) {
	have := callsOf("a.r1")
	for _, f := range wire.Functions() {
		if name := strings.TrimPrefix(f, "penstock_"); name != "syncs" && have[name].need == "" {
			t.Errorf("%s is called by no hostile caller", f)
		}
	}
}

func TestAllow(t *testing.T) {
	for role, may := range map[string][]string{
		"LOADER":       {"push", "see"},
		"SUPPORT":      {"errors", "see"},
		"Other Team":   nil,
		"loader":       nil, // made with quotes by somebody else
		`"LOADER"`:     nil,
		" LOADER":      nil,
		"LOADER ":      nil,
		"ÄLOADER":      nil, // its plain header is " LOADER"
		"LOADER\n":     nil,
		"ACCOUNTADMIN": nil, // no role is above allow
		"PUBLIC":       nil,
		"*":            nil,
		"":             nil, // an owner's-rights procedure, or a database role
	} {
		w, own, _ := guarded(t)
		for function, call := range callsOf(own) {
			status, answer, message := w.as(t, role, function, call.args...)
			if (function == "finish" || function == "gate") && status == http.StatusBadRequest && strings.Contains(message, "was not begun by penstock_begin") {
				status = http.StatusOK // it came as far as the run
			}
			want := http.StatusBadRequest
			if slices.Contains(may, call.need) {
				want = http.StatusOK
			}
			if status != want {
				t.Errorf("%q calls %s: status %d, want %d: %s%s", role, function, status, want, answer, message)
			}
			if status == http.StatusOK {
				continue
			}
			if len(may) == 0 && !strings.Contains(message, "there is no sync") {
				t.Errorf("%q calls %s and learns that there is such a sync: %s", role, function, message)
			}
			if strings.Contains(message, otherSync) && role != "Other Team" || strings.Contains(message, "acmecorp") || strings.Contains(message, "no address") {
				t.Errorf("%q calls %s and is told: %s", role, function, message)
			}
		}
	}
}

// A sync that is hidden from a caller is told in the words of one that does not exist.
func TestHiddenIsUnknown(t *testing.T) {
	w, _, _ := guarded(t)
	for _, role := range []string{"SOMEBODY", ""} {
		for _, suffix := range []string{"", ".r0123456789abcdef"} {
			hidden, absent := callsOf(healthSync+suffix), callsOf("no_such_sync"+suffix)
			for function := range hidden {
				h, a := hidden[function].args, absent[function].args
				if suffix != "" && function == "push" {
					h, a = Health(healthSync+suffix, "a@b.example", 1), Health("no_such_sync"+suffix, "a@b.example", 1)
				}
				hs, _, hidden := w.as(t, role, function, h...)
				as, _, absent := w.as(t, role, function, a...)
				if hidden = strings.ReplaceAll(hidden, healthSync, "no_such_sync"); hs != as || hidden != absent {
					t.Errorf("%q calls %s:\n%d %s\n%d %s", role, function, hs, hidden, as, absent)
				}
			}
		}
	}
}

// penstock_syncs lists what the caller may see, and says what it may do with it.
func TestAllowListsSyncs(t *testing.T) {
	w, _, _ := guarded(t)
	for role, want := range map[string]string{
		"LOADER":     healthSync + " push; slack_alerts push errors; ",
		"SUPPORT":    healthSync + " errors; slack_alerts push errors; ",
		"Other Team": otherSync + " push errors; slack_alerts push errors; ",
		"SOMEBODY":   "slack_alerts push errors; ",
		"":           "slack_alerts push errors; ",
	} {
		_, answer, message := w.as(t, role, "syncs")
		var list struct {
			Syncs []struct {
				Sync   string
				Push   bool `json:"may_push"`
				Errors bool `json:"may_read_errors"`
			}
		}
		if err := json.Unmarshal([]byte(answer), &list); err != nil {
			t.Fatalf("%q: %v %s", role, err, message)
		}
		got := ""
		for _, s := range list.Syncs {
			got += s.Sync
			if s.Push {
				got += " push"
			}
			if s.Errors {
				got += " errors"
			}
			got += "; "
		}
		if got != want {
			t.Errorf("%q sees %s, want %s", role, got, want)
		}
		if strings.Contains(answer, "loader") || strings.Contains(answer, "SUPPORT") {
			t.Errorf("the answer tells the roles: %s", answer)
		}
	}
}

// What is somebody else's is not reached by way of what is one's own.
func TestForeignRuns(t *testing.T) {
	w, own, foreign := guarded(t)
	_, answer, _ := w.as(t, "SUPPORT", "errors", fmt.Sprintf("%q", own))
	if !strings.Contains(answer, "no address") {
		t.Fatalf("one's own errors: %s", answer)
	}
	for name, c := range map[string]struct {
		role, function string
		args           []string
	}{
		"rows into a foreign run":              {"LOADER", "push", Health(foreign, "john@acmecorp.com", 9)},
		"a foreign run's errors":               {"SUPPORT", "errors", []string{fmt.Sprintf("%q", foreign)}},
		"the same, from a page of one's own":   {"SUPPORT", "errors", []string{fmt.Sprintf("%q", foreign), `"0123456789abcdef#0"`}},
		"a retry's run of a foreign one":       {"SUPPORT", "errors", []string{fmt.Sprintf("%q", foreign+"~1")}},
		"a foreign run sent again":             {"LOADER", "retry", []string{fmt.Sprintf("%q", foreign)}},
		"the same, as its retry's":             {"LOADER", "retry", []string{fmt.Sprintf("%q", foreign+"~1")}},
		"the same, of some records":            {"LOADER", "retry", []string{fmt.Sprintf("%q", foreign), `{"types": ["unknown"]}`}},
		"a foreign run ended":                  {"LOADER", "cancel", []string{fmt.Sprintf("%q", foreign), `"mine"`}},
		"a foreign run finished":               {"LOADER", "finish", []string{fmt.Sprintf("%q", foreign), "0"}},
		"a foreign run's status":               {"LOADER", "status", []string{fmt.Sprintf("%q", foreign)}},
		"a run id of both":                     {"LOADER", "status", []string{fmt.Sprintf("%q", healthSync+"."+foreign)}},
		"a name with the key of another table": {"LOADER", "status", []string{`"sf_health#V"`}},
		"what nobody could read, for anybody":  {"SUPPORT", "errors", []string{`"unreadable.messages"`}},
	} {
		status, answer, message := w.as(t, c.role, c.function, c.args...)
		if status != http.StatusBadRequest || answer != "" {
			t.Errorf("%s: status %d %s%s", name, status, answer, message)
		}
	}
	// A page's token of the foreign run's errors, with one's own run.
	_, answer, _ = w.as(t, "Other Team", "errors", fmt.Sprintf("%q", foreign))
	var theirs struct{ Errors []struct{ Batch string } }
	if err := json.Unmarshal([]byte(answer), &theirs); err != nil || len(theirs.Errors) == 0 {
		t.Fatalf("%v: %s", err, answer)
	}
	token := fmt.Sprintf("%q", theirs.Errors[0].Batch+"#0")
	status, answer, _ := w.as(t, "SUPPORT", "errors", fmt.Sprintf("%q", own), token)
	if status != http.StatusOK || strings.Contains(answer, foreign) {
		t.Errorf("status %d: %s", status, answer)
	}
	if r, err := w.Store.Run(t.Context(), foreign); err != nil || r.Status != run.Open {
		t.Errorf("the foreign run is %s, %v", r.Status, err)
	}
}

// A batch that another role pushed is no way in: not under its id, not beside rows of
// one's own.
func TestForeignBatch(t *testing.T) {
	w, own, _ := guarded(t)
	again := As("SOMEBODY", "push", "q-"+healthSync, "q-"+healthSync+":1", Health(healthSync, "no address", 1), Health(healthSync, "john@acmecorp.com", 2))
	status, _, message := Status(t, w.Invoke(t, "push", again))
	if status != http.StatusBadRequest || strings.Contains(message, own) {
		t.Errorf("a foreign batch's id: %d %s", status, message)
	}
	answers := Answers(t, w.Invoke(t, "push", As("SOMEBODY", "push", "m", "m:1",
		Health(healthSync, "john@acmecorp.com", 9), []string{`"slack_alerts"`, `{"customer_id":"1","ALERT_TYPE":"x"}`})))
	if a := answers[0]; a.Status != "rejected" || a.Reason != "unknown_sync" || a.Run != "" || a.RecordID != "" {
		t.Errorf("among rows of one's own: %+v", a)
	}
	says(t, answers[0].Message, "there is no sync", "slack_alerts")
	if strings.Contains(answers[0].Message, otherSync) {
		t.Errorf("the message lists what is hidden: %s", answers[0].Message)
	}
	answers = Answers(t, w.Invoke(t, "push", As("SUPPORT", "push", "n", "n:1",
		Health(healthSync, "john@acmecorp.com", 9), []string{`"slack_alerts"`, `{"customer_id":"1","ALERT_TYPE":"x"}`})))
	if a := answers[0]; a.Reason != "not_allowed" {
		t.Errorf("by one who may only read: %+v", a)
	}
	says(t, answers[0].Message, `the role "SUPPORT" may not push to it`, "allow.push", "penstock apply", "EXECUTE AS CALLER")
}

// Where allow is written and no role comes the caller is told why, and what to do; a
// person on a machine of one's own is no stranger.
func TestNoRole(t *testing.T) {
	w, own, _ := guarded(t)
	for function, call := range callsOf(own) {
		_, _, message := w.as(t, "", function, call.args...)
		says(t, message, "no role came with this call", "CURRENT_ROLE", "owner's rights", "EXECUTE AS CALLER", "penstock sql-setup")
	}
	w.Functions["push"].(*push.Handler).Person = true
	w.Functions["control"].(*control.Handler).Person = true
	for function, call := range callsOf(own) {
		status, _, message := w.as(t, "", function, call.args...)
		if status != http.StatusOK && !strings.Contains(message, "was not begun") {
			t.Errorf("a person calls %s: %d %s", function, status, message)
		}
		if status, _, _ = w.as(t, "SOMEBODY", function, call.args...); status != http.StatusBadRequest {
			t.Errorf("a person who takes a role calls %s: %d", function, status)
		}
	}
	_, answer, _ := w.as(t, "", "syncs")
	if n := strings.Count(answer, `"may_push":true`); n != 3 {
		t.Errorf("a person sees %s", answer)
	}
}

// A role that is taken off the list is refused in runs that it began, and one that is
// put on it is let in; of a sync that was removed its runs' version says who may.
func TestAllowChanges(t *testing.T) {
	w, own, _ := guarded(t)
	var begun struct{ Run string }
	_, answer, _ := w.as(t, "LOADER", "begin", fmt.Sprintf("%q", healthSync))
	if err := json.Unmarshal([]byte(answer), &begun); err != nil || begun.Run == "" {
		t.Fatalf("%v: %s", err, answer)
	}
	v, err := w.Store.Current(t.Context(), healthSync)
	if err != nil {
		t.Fatal(err)
	}
	v.ID, v.Definition.Allow = "v00000000000b", &syncdef.Allow{Push: []string{"NEXT"}}
	if err := w.Store.Apply(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(11e9)
	for role, want := range map[string]int{"LOADER": http.StatusBadRequest, "NEXT": http.StatusOK} {
		if status, _, message := w.as(t, role, "push", Health(begun.Run, "sarah@techstartup.com", 4)...); status != want {
			t.Errorf("%s pushes: %d %s", role, status, message)
		}
		if status, _, message := w.as(t, role, "finish", fmt.Sprintf("%q", begun.Run), "1"); status != want {
			t.Errorf("%s finishes: %d %s", role, status, message)
		}
	}
	if err := w.Store.Remove(t.Context(), healthSync); err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, role := range []string{"SUPPORT", "LOADER", "NEXT"} {
		status, _, _ := w.as(t, role, "errors", fmt.Sprintf("%q", own))
		got = append(got, status)
	}
	if d := cmp.Diff([]int{200, 400, 400}, got); d != "" {
		t.Errorf("the removed sync's errors: %s", d)
	}
}

// Without allow whoever may call the functions may do everything, told or not.
func TestWithoutAllow(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	id := w.Push(t, "q", "q:1", Health(healthSync, "no address", 1), Health(healthSync, "john@acmecorp.com", 2))[0].Run
	for _, role := range []string{"", "ANYBODY"} {
		for function, call := range callsOf(id) {
			if status, _, message := w.as(t, role, function, call.args...); status != http.StatusOK && !strings.Contains(message, "was not begun") {
				t.Errorf("%q calls %s: %d %s", role, function, status, message)
			}
		}
	}
}
