package pipeline_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The answers of the two tries of a row.
var (
	locked  = dest.Outcome{Status: dest.Retry, Code: "UNABLE_TO_LOCK_ROW", Message: "busy"}
	tooLong = dest.Outcome{Status: dest.Rejected, Code: "STRING_TOO_LONG", Field: "Value__c", Message: "too long"}
)

// An error whose try the ledger was not told of says nothing about the row: what the next try
// finds takes its place, and is due where that says so.
func TestErrorOfTheLaterTry(t *testing.T) {
	for name, answers := range map[string][2]dest.Outcome{
		"due, then refused": {locked, tooLong},
		"refused, then due": {tooLong, locked},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, nil)
			answer := answers[0]
			w.crm.outcome = func(string) *dest.Outcome { return &answer }
			w.deliver.Ledger = brokenLedger{w.store, false}
			id := w.send("q", "a")
			if r := w.once(); len(r.Storage) != 1 {
				t.Fatalf("storage %v", r.Storage)
			}
			answer, w.deliver.Ledger = answers[1], w.store
			w.now = w.now.Add(10 * time.Second)
			w.once()
			errs, s := w.errors(id), w.status(id)
			if len(errs) != 1 || errs[0].Type != answer.Code || errs[0].Field != answer.Field || errs[0].Attempts != 1 {
				t.Fatalf("errors %+v", errs)
			}
			due := answer.Status == dest.Retry
			if errs[0].Due.IsZero() == due || (s.Due > 0) != due || len(s.Groups) != 1 || s.Groups[0].Type != answer.Code {
				t.Errorf("due %v, the run says %d due and %+v", errs[0].Due, s.Due, s.Groups)
			}
			w.crm.outcome = nil
			w.live(time.Hour)
			if there := w.crm.value("a") != 0; there != due {
				t.Errorf("sent again by itself: %v", there)
			}
		})
	}
}

// An insert that was stored as unknown goes on saying why when its message comes again.
func TestUnknownKeepsItsReason(t *testing.T) {
	w := newWorld(t, 1, func(c *crm, d *syncdef.Definition) { c.once, d.Operation = true, syncdef.Insert })
	w.crm.late = func([]string) *dest.CallError {
		return &dest.CallError{Op: "insert", Class: dest.Unavailable, Received: true, Code: "timeout", Message: "no answer within 30s"}
	}
	w.deliver.Ledger = &secondRefused{Store: w.store}
	id := w.send("q", "a")
	w.once()
	first := w.errors(id)
	w.deliver.Ledger = w.store
	w.now = w.now.Add(10 * time.Second)
	w.once()
	errs := w.errors(id)
	if len(first) != 1 || len(errs) != 1 || errs[0].Message != first[0].Message || w.counts(id).Failed != 1 {
		t.Errorf("first %+v, then %+v", first, errs)
	}
}
