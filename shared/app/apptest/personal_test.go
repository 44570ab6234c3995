package apptest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// person is a row of people; its marked values hold SECRET.
func person(key, users string) []string {
	return []string{`"people"`, fmt.Sprintf(`{"ID":%q,"FIRST":"SECRETfirst","PROFILE":{"last":"SECRETlast"},"MAIL":"SECRET@x.example","USERS":%s}`, key, users)}
}

// What is marked personal is sent where the connection allows it, and nowhere shown;
// the rows can still be sent again.
func TestPersonalDataIsHidden(t *testing.T) {
	w := NewWith(t, Load(t, "testdata/mapped"))
	w.fault(t, sandbox.Fault{FailRecords: []string{"p2"}, Count: -1, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "not today"})
	answers := w.Push(t, "q", "q:1", person("p1", "1"), person("p2", "2"), person("p3", `"many"`))
	if answers[2].Status != "rejected" {
		t.Fatalf("%+v", answers)
	}
	id := answers[0].Run
	w.Pass(t, soon)
	errs := w.Errors(t, id)
	if len(errs) != 2 {
		t.Fatalf("%+v", errs)
	}
	for _, e := range errs {
		source := string(e.Source)
		if strings.Contains(fmt.Sprintf("%s %s", source, e.Message), "SECRET") || strings.Count(source, `"(personal)"`) != 3 || !strings.Contains(source, `"ID":"p`) {
			t.Errorf("shown: %s", source)
		}
		if page, err := w.pages().Error(t.Context(), e.Ref()); err != nil || string(page.Source) != source || !page.Stored {
			t.Errorf("on its page: %s, %v", page.Source, err)
		}
	}
	if strings.Contains(w.Log(), "SECRET") {
		t.Error("the log holds personal data")
	}
	w.Vendors.Salesforce.Core().ClearFaults()
	Call[struct{}](t, w.Functions["control"], "retry", fmt.Sprintf("%q", id))
	w.Pass(t, soon)
	if got := w.stored(t); got["p1"] != "1" || got["p2"] != "2" {
		t.Errorf("delivered: %v", got)
	}
	w.Vendors.Salesforce.Each("Account", func(r salesforcesim.Record) bool {
		if name, _ := r.Text("Name"); string(name) != "SECRETfirst SECRETlast" {
			t.Errorf("the name is %s", name)
		}
		return true
	})
}

// An allowance that is taken back holds at once for rows that come later and for
// those on their way, and stops nothing else; given again, the rows go on.
func TestPersonalAllowanceTakenBack(t *testing.T) {
	set := Load(t, "testdata/mapped")
	w := NewWith(t, set)
	stored, err := w.Store.Connection(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	conn := stored.Connection
	put := func(personal string) {
		t.Helper()
		conn.Personal = personal
		if err := w.Store.PutConnection(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(2 * time.Minute) // settings are read again after one
	}
	w.Push(t, "q0", "q0:1", person("p0", "1"))
	w.Pass(t, soon)
	put("")
	id := w.Push(t, "q", "q:1", person("p1", "1"))[0].Run
	w.Pass(t, soon)
	if got := w.stored(t); got["p0"] == "" || got["p1"] != "" {
		t.Fatalf("stored: %v", got)
	}
	says(t, w.Status(t, "people").Halted, `connection "crm" does not say personal: allowed`)

	version := Versions(set)[0]
	var refused *row.Refusal
	if _, err := w.Control.Apply(t.Context(), version); !errors.As(err, &refused) {
		t.Errorf("applied over the stored connection: %v", err)
	}
	if _, err := w.Control.Apply(t.Context(), version, syncdef.Connection{Name: "crm", Type: "salesforce"}); !errors.As(err, &refused) {
		t.Errorf("applied with the connection: %v", err)
	}
	w.Push(t, "q2", "q2:1", person("p1", "2")) // a worker reads the settings
	w.Pass(t, soon)
	conn.Personal = syncdef.PersonalAllowed
	if _, err := w.Control.Apply(t.Context(), version, conn); err != nil {
		t.Error(err)
	}
	if s := w.Status(t, "people"); s.Halted != "" {
		t.Errorf("applied, and still halted: %s", s.Halted)
	}
	w.Push(t, "q3", "q3:1", person("p3", "3"))
	w.Pass(t, 3*time.Second) // the worker's settings are those of before
	if got := w.stored(t); got["p3"] != "3" {
		t.Errorf("allowed again, and pushed: %v", got)
	}
	w.Pass(t, 2*time.Minute)
	if r := w.Run(t, id); w.stored(t)["p1"] != "2" || r.Status != run.Complete {
		t.Errorf("allowed again: %s %+v", r.Status, r.Counts)
	}
}
