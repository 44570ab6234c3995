package intake_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// gated is a world whose sync has a gate.
func gated(t *testing.T, q syncdef.Quality) *world {
	return newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Quality = &q })
}

// checks are the sample's data quality checks; thresholds its validation.
func checks() syncdef.Quality {
	return syncdef.Quality{Rules: []syncdef.QualityRule{
		{Column: "EMAIL", NotEmpty: true, BlockOver: "0.05"},
		{Column: "score", Between: []syncdef.Decimal{"0", "1"}, BlockOver: "0"},
		{Column: "name", MaxLength: 255, CountOnly: true},
	}}
}

func thresholds() syncdef.Quality {
	return syncdef.Quality{WarnOver: "0.01", BlockOver: "0.05", Rules: []syncdef.QualityRule{{Column: "email", NotNull: true}}}
}

// rowsOf are n rows, the first bad of which are made with the email that is given.
func rowsOf(from, n, bad int, email string, more string) (out []string) {
	for i := range n {
		mail := `"a@b.co"`
		if i < bad {
			mail = email
		}
		out = append(out, fmt.Sprintf(`{"id":"r%d","key":"k%d","v":1,"at":%d,"email":%s%s}`, from+i, from+i, from+i, mail, more))
	}
	return out
}

// answered counts answers by status.
func answered(all []row.Answer) map[row.AnswerStatus]int {
	out := map[row.AnswerStatus]int{}
	for _, a := range all {
		out[a.Status]++
	}
	return out
}

// The sample's gates stop rows that come after the first 500, at their thresholds and
// one row either side, and say how many went before.
func TestGateAtItsThresholds(t *testing.T) {
	const fine = `,"score":0.5,"name":"x"`
	long := `,"score":1,"name":"` + strings.Repeat("ä", 256) + `"`
	for name, c := range map[string]struct {
		quality syncdef.Quality
		bad     int
		email   string
		more    string
		want    quality.Decision
		why     string
	}{
		"checks: well":          {checks(), 0, `""`, fine, quality.Proceed, ""},
		"checks: under 5%":      {checks(), 24, `""`, fine, quality.Proceed, ""},
		"checks: 5%":            {checks(), 25, `null`, fine, quality.Proceed, ""},
		"checks: over 5%":       {checks(), 26, `""`, fine, quality.Block, "not_empty of column EMAIL: 26 of 500 rows failed (5.2%), over 5%"},
		"checks: long names":    {checks(), 0, `""`, long, quality.Proceed, ""},
		"checks: scores":        {checks(), 0, `""`, `,"score":1.01,"name":null`, quality.Block, "between of column score: 500 of 500 rows failed (100%), over 0%"},
		"thresholds: well":      {thresholds(), 0, `null`, "", quality.Proceed, ""},
		"thresholds: 1%":        {thresholds(), 5, `null`, "", quality.Proceed, ""},
		"thresholds: over 1%":   {thresholds(), 6, `null`, "", quality.Warn, ""},
		"thresholds: 5%":        {thresholds(), 25, `null`, "", quality.Warn, ""},
		"thresholds: over 5%":   {thresholds(), 26, `null`, "", quality.Block, "not_null of column email: 26 of 500 rows failed (5.2%), over 5%"},
		"thresholds: empty":     {thresholds(), 500, `""`, "", quality.Proceed, ""},
		"thresholds: no column": {syncdef.Quality{Rules: []syncdef.QualityRule{{Column: "phone", NotNull: true}}}, 0, `""`, "", quality.Block, "not_null of column phone: 500 of 500 rows failed (100%), over 0%"},
	} {
		t.Run(name, func(t *testing.T) {
			w := gated(t, c.quality)
			for n := range 5 { // the bad rows are in the first of five requests
				bad := min(100, max(0, c.bad-100*n))
				got := answered(w.push(batch(syncName, fmt.Sprint("b", n), rowsOf(100*n, 100, bad, c.email, c.more)...)))
				if got[row.Queued] != 100 {
					t.Fatalf("request %d: %v", n, got)
				}
			}
			r, err := w.store.Run(t.Context(), theRun)
			w.ok(err)
			if r.Gate == nil || r.Gate.Decision != c.want || r.Gate.Total != 500 || r.Gate.By != run.ByIntake {
				t.Fatalf("after 500 rows: %+v", r.Gate)
			}
			later := batch(syncName, "later", rowsOf(1000, 10, 0, "", `,"score":0.5,"phone":"1"`)...)
			answers := w.push(later)
			if c.want != quality.Block {
				if got := answered(answers); got[row.Queued] != 10 {
					t.Errorf("later rows: %v", got)
				}
				return
			}
			if got := answered(answers); got[row.Blocked] != 10 {
				t.Fatalf("later rows: %v", got)
			}
			want := "the run's quality gate stopped the row: " + c.why + "; 500 rows went before; mend the model, and run it again"
			if f := answers[3].Fault; f == nil || f.Rule != "quality_gate" || f.Message != want {
				t.Errorf("%+v, want %s", f, want)
			}
			if r.Gate.Before != 500 || r.Gate.Why() != c.why {
				t.Errorf("%+v", r.Gate)
			}
			if d := cmp.Diff(text(answers), text(w.push(later))); d != "" {
				t.Errorf("a retry is answered otherwise: %s", d)
			}
			if b := w.pinned(theRun, syncName, "later"); b.Counts.Blocked != 10 || b.Cursor != "" || b.Chunks != 0 {
				t.Errorf("%+v", b)
			}
			if e := w.errors(theRun)[3]; e.Type != "quality_gate" || e.RecordID != "r1003" || e.Source == nil {
				t.Errorf("%+v", e)
			}
		})
	}
}

// Of one request the rows up to the 500th of the run go; what follows is judged with all
// that came.
func TestGateWithinARequest(t *testing.T) {
	for name, c := range map[string]struct {
		rows   []string
		queued int
	}{
		"the first 500 are bad":     {rowsOf(0, 1200, 26, "null", ""), 500},
		"they are good enough":      {rowsOf(0, 1200, 25, "null", ""), 1200},
		"the later ones are bad":    {append(rowsOf(0, 600, 0, "", ""), rowsOf(600, 600, 300, "null", "")...), 500},
		"fewer than 500, all bad":   {rowsOf(0, 499, 499, "null", ""), 499},
		"500, all bad":              {rowsOf(0, 500, 500, "null", ""), 500},
		"what is no row is not one": {append(rowsOf(0, 499, 499, "null", ""), "[1]"), 499},
	} {
		w := gated(t, thresholds())
		b := batch(syncName, "b", c.rows...)
		for i := range b.Rows {
			if b.Rows[i].Object.Kind() != '{' {
				b.Rows[i].Object, b.Rows[i].Fault = nil, &row.Fault{Rule: "not_an_object"}
			}
		}
		if got := answered(w.push(b)); got[row.Queued] != c.queued {
			t.Errorf("%s: %v, want %d queued", name, got, c.queued)
		}
	}
}

// A run whose gate was asked in the warehouse is not judged again, and what was stopped
// there takes no rows.
func TestGateOfTheWarehouse(t *testing.T) {
	w := gated(t, thresholds())
	w.push(batch(syncName, "first", rowsOf(0, 1, 0, "", "")...))
	w.status(theRun, func(r *run.Run) {
		r.Gate = &run.Gate{Verdict: quality.Verdict{Decision: quality.Warn, Total: 9}, By: run.ByWarehouse}
	})
	for n := range 2 {
		if got := answered(w.push(batch(syncName, fmt.Sprint("b", n), rowsOf(1000*n, 600, 600, "null", "")...))); got[row.Queued] != 600 {
			t.Errorf("%v", got)
		}
	}
	w.status(theRun, func(r *run.Run) { r.Status, r.Reason = run.Blocked, "too many bad rows" })
	answers := w.push(batch(syncName, "late", rowsOf(0, 1, 0, "", "")...))
	if answers[0].Status != row.Blocked || !strings.Contains(answers[0].Fault.Message, "too many bad rows") {
		t.Errorf("%+v", answers[0])
	}
}

// Requests that come at once are counted each once, and so is one that died between its
// count and its pin.
func TestGateCountsOnce(t *testing.T) {
	w := gated(t, thresholds())
	var all sync.WaitGroup
	for n := range 20 { // each twice
		for range 2 {
			all.Go(func() {
				if _, err := w.intake.Push(t.Context(), batch(syncName, fmt.Sprint("b", n), rowsOf(20*n, 20, 1, "null", "")...)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	died := batch(syncName, "died", rowsOf(400, 99, 0, "", "")...)
	id := run.BatchID(syncName, died.Function, died.ID)
	if _, err := w.store.CountGate(t.Context(), theRun, id, run.GateCounts{Rows: 99, Failed: []int64{0}}); err != nil {
		t.Fatal(err)
	}
	if got := answered(w.push(died)); got[row.Queued] != 99 {
		t.Errorf("%v", got)
	}
	sums, err := w.store.CountGate(t.Context(), theRun, id, run.GateCounts{})
	w.ok(err)
	if d := cmp.Diff(run.GateCounts{Rows: 499, Failed: []int64{20}}, sums); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
	r, err := w.store.Run(t.Context(), theRun)
	w.ok(err)
	if r.Gate != nil {
		t.Errorf("judged before 500 rows: %+v", r.Gate)
	}
}

// Whichever write a process dies at, before or after it took effect: the request is
// refused, none of its rows is blocked by that, and its retry ends as if nothing had been.
func TestGateThroughDeaths(t *testing.T) {
	for _, after := range []bool{false, true} {
		for fuse := 1; ; fuse++ {
			w := gated(t, thresholds())
			w.mortal.fuse, w.mortal.after = fuse, after
			b := batch(syncName, "b", rowsOf(0, 600, 30, "null", "")...)
			_, err := w.intake.Push(t.Context(), b)
			if err == nil {
				break // it has no more writes
			}
			w.boot()
			if got := answered(w.push(b)); got[row.Queued] != 500 || got[row.Blocked] != 100 {
				t.Errorf("died at write %d (after: %v): %v", fuse, after, got)
			}
			sums, err := w.store.CountGate(t.Context(), theRun, run.BatchID(syncName, b.Function, b.ID), run.GateCounts{Failed: []int64{0}})
			w.ok(err)
			if sums.Rows != 600 || sums.Failed[0] != 30 {
				t.Errorf("died at write %d (after: %v): %+v", fuse, after, sums)
			}
			if errs := w.errors(theRun); len(errs) != 100 {
				t.Errorf("died at write %d (after: %v): %d errors", fuse, after, len(errs))
			}
			if got := answered(w.push(batch(syncName, "later", rowsOf(900, 5, 0, "", "")...))); got[row.Blocked] != 5 {
				t.Errorf("died at write %d (after: %v): later rows %v", fuse, after, got)
			}
		}
	}
}
