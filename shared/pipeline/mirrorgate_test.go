package pipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// gated is a world whose full runs remove up to half, of a model with a gate.
func gated(t *testing.T, q syncdef.Quality) *world {
	t.Helper()
	return deleting(t, func(_ *crm, d *syncdef.Definition) {
		d.Mirror, d.Quality = &syncdef.Mirror{MaxDeletes: "50%"}, &q
	})
}

// matching wants the key of all rows but one in 20 to begin with k.
var matching = syncdef.Quality{Rules: []syncdef.QualityRule{{Column: "id", Matches: "^k", BlockOver: "0.05"}}}

// numbered are so many keys.
func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d", i)
	}
	return keys
}

// mangled are the keys, so many of them as the gate wants none.
func mangled(keys []string, n int) []string {
	out := append([]string{}, keys...)
	for i := range n {
		out[i] = "X" + keys[i]
	}
	return out
}

// removesNothing wants a run to have removed nothing, and to say why.
func (w *world) removesNothing(r runs.RunStatus, why string) {
	w.t.Helper()
	if r.Status != run.Complete || r.Outcome != run.Partial || r.Mirror == nil || !strings.Contains(r.Mirror.Refused, why) || r.Reason != r.Mirror.Refused || w.crm.removed != 0 {
		w.t.Errorf("%s, %s, %q, %+v, %d removed; want the reason %q", r.Status, r.Outcome, r.Reason, r.Mirror, w.crm.removed, why)
	}
}

// A model that its gate calls wrong tells nothing of what left it (I8): no record is removed
// by a run of which intake stopped rows, be it the last rows or none after the first 500.
func TestMirrorOfABlockedRun(t *testing.T) {
	for rows, why := range map[int]string{
		600: "the quality gate stopped 100 rows after the first 500: matches of column id: 100 of 500 rows failed (20%), over 5%",
		500: "the quality gate blocks what the run pushed: matches of column id: 100 of 500 rows failed (20%), over 5%",
	} {
		w := gated(t, matching)
		keys := numbered(rows)
		w.bracket("t1", "full", objects(keys...)...)
		r := w.bracket("t2", "full", objects(mangled(keys, 100)...)...)
		w.removesNothing(r, why)
		if !r.Gate.Blocks() {
			t.Errorf("%d rows: the gate says %+v", rows, r.Gate)
		}
	}
}

// Once all rows are there, too few for intake to judge are judged, and min_rows is.
func TestMirrorOfARunThatNobodyJudged(t *testing.T) {
	keys := numbered(100)
	for name, c := range map[string]struct {
		q    syncdef.Quality
		rows []string
		why  string
	}{
		"few rows": {matching, mangled(keys, 20), "the quality gate blocks what the run pushed: matches of column id: 20 of 100 rows failed (20%), over 5%"},
		"min_rows": {syncdef.Quality{MinRows: 90}, keys[:80], "the quality gate blocks what the run pushed: the model has 80 rows, min_rows is 90"},
		"both":     {syncdef.Quality{MinRows: 90, Rules: matching.Rules}, keys[:80], "the model has 80 rows, min_rows is 90"},
	} {
		t.Run(name, func(t *testing.T) {
			w := gated(t, c.q)
			w.bracket("t1", "full", objects(keys...)...)
			w.removesNothing(w.bracket("t2", "full", objects(c.rows...)...), c.why)
		})
	}
}

// What the gate lets pass is removed as ever; also what it let pass in the warehouse, where
// nobody counts the rows again.
func TestMirrorOfARunThatPasses(t *testing.T) {
	keys := numbered(100)
	w := gated(t, syncdef.Quality{MinRows: 60, Rules: matching.Rules})
	w.bracket("t1", "full", objects(keys...)...)
	if r := w.bracket("t2", "full", objects(mangled(keys, 4)[:90]...)...); r.Mirror.Refused != "" || r.Mirror.Rows != 14 || w.crm.removed != 14 {
		t.Errorf("%+v, %+v, %d removed", r, r.Mirror, w.crm.removed)
	}
	g, err := quality.Compile(&w.version.Definition)
	if err != nil {
		t.Fatal(err)
	}
	id := w.full("t3")
	verdict := fmt.Sprintf(`{"decision":"PROCEED","total":70,"definition":%q,"rules":[{"rule":"min_rows","failed":0},{"rule":"matches","failed":0}]}`, g.ID())
	if _, err := w.control().Gate(t.Context(), id, []byte(verdict)); err != nil {
		t.Fatal(err)
	}
	w.push(batch("t3", "t3", id, objects(mangled(keys, 4)[:50]...)...)) // only what changed was counted there
	w.live(time.Minute)
	w.finish(id, 50)
	if r := w.status(id); r.Mirror.Refused != "" || r.Mirror.Rows != 40 || w.crm.removed != 54 {
		t.Errorf("%+v, %+v, %d removed", r, r.Mirror, w.crm.removed)
	}
}
