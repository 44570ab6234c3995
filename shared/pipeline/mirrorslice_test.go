package pipeline_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// pagewise is a ledger of small pages, each of which takes its time.
type pagewise struct {
	runs.Ledger
	size  int            // of a page, in entries
	asked map[string]int // how often a page was read, by where it begins
}

const pageTime = 20 * time.Millisecond

func (p *pagewise) EntriesAfter(ctx context.Context, target, after string, _ int) ([]ledger.Entry, string, error) {
	select {
	case <-time.After(pageTime):
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	p.asked[after]++
	all, _, err := p.Ledger.EntriesAfter(ctx, target, "", 10_000)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(all, func(a, b ledger.Entry) int { return cmp.Compare(a.Key, b.Key) })
	from, to := 0, len(all)
	if after != "" {
		from = slices.IndexFunc(all, func(e ledger.Entry) bool { return e.Key > after })
	}
	if from+p.size >= to {
		return all[from:], "", nil
	}
	to = from + p.size
	return all[from:to], all[to-1].Key, nil
}

// full is a queue that takes nothing for now.
type full struct{}

func (full) Depth(context.Context, string) (int, error) { return 1 << 30, nil }

// sliced lets each sweep of a full run of a mirror last no longer than so, up to so many of
// them or until what left the model is listed, and then as long as it takes; each is called
// before a sweep. An earlier run had all keys.
func sliced(t *testing.T, keys, model []string, most int, each func(w *world, sweep int)) (w *world, slow *pagewise, sweeps int, r runs.RunStatus) {
	t.Helper()
	w = mirroring(t, "50%")
	w.now = time.Date(1999, 12, 31, 12, 0, 0, 0, time.UTC) // before a bubble begins
	w.crm.most = 500
	w.bracket("t1", "full", objects(keys...)...)
	w.crm.outcome = func(key string) *dest.Outcome {
		if old := strings.IndexByte(key, 'k'); old > 0 { // a person gave the record another address
			return &dest.Outcome{Status: dest.Delivered, ID: "id-" + key[old:]}
		}
		return nil
	}
	id := w.full("t2")
	w.push(batch("t2", "t2", id, objects(model...)...))
	w.drain(time.Hour)
	if _, err := w.control().Finish(t.Context(), id, int64(len(model))); err != nil {
		t.Fatal(err)
	}
	w.now = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	stores := w.stores()
	slow = &pagewise{Ledger: stores.Ledger, size: max(4, len(keys)/40), asked: map[string]int{}}
	stores.Ledger, stores.Depths = slow, full{}
	s := &runs.Sweep{Stores: stores, Replayer: w.intake, Remover: w.intake, Policy: run.DefaultPolicy(), Now: w.clock}
	synctest.Test(t, func(t *testing.T) {
		w.bubble = true
		for sweeps < most && (r.Mirror == nil || !r.Mirror.Listed && !r.Mirror.Done) {
			if each != nil {
				each(w, sweeps)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			if err := s.Run(ctx); err != nil {
				t.Errorf("sweep %d: %v", sweeps, err)
			}
			cancel()
			sweeps++
			r = w.status(id)
		}
		w.now, w.bubble = time.Now(), false
	})
	w.live(5 * time.Minute)
	return w, slow, sweeps, w.status(id)
}

// A ledger that is not read within a sweep, nor what is to stay looked for, is read in
// several: each goes on where the one before it stopped.
func TestMirrorGoesOnInTheNextSweep(t *testing.T) {
	keys := numbered(400)
	model := append([]string{"new-k390", "new-k399"}, keys[:390]...)
	w, slow, sweeps, r := sliced(t, keys, model, 20, nil)
	if r.Status != run.Complete || r.Outcome != run.Succeeded || r.Mirror.Rows != 8 || r.Mirror.Held != 402 || w.crm.removed != 8 || w.crm.records["k390"] == nil || w.crm.records["k391"] != nil {
		t.Errorf("%+v, %+v, %d removed", r, r.Mirror, w.crm.removed)
	}
	if most := 2 * int(time.Duration(len(slow.asked))*pageTime/(500*time.Millisecond)); sweeps < 2 || sweeps > most {
		t.Errorf("it took %d sweeps, want 2 to %d", sweeps, most)
	}
	for after, n := range slow.asked {
		if n != 2 { // to list, and to look for what is to stay
			t.Errorf("the page after %q was read %d times", after, n)
		}
	}
}

// Until the list is whole, each sweep looks whether the run may remove.
func TestMirrorIsAskedUntilItIsListed(t *testing.T) {
	keys := numbered(400)
	w, _, sweeps, r := sliced(t, keys, keys[:390], 20, func(w *world, sweep int) {
		if sweep == 1 {
			d := w.version.Definition
			d.BatchSize = 999
			w.apply(d)
		}
	})
	if sweeps != 2 || r.Status != run.Complete || !strings.Contains(r.Mirror.Refused, "applied anew") || w.crm.removed != 0 {
		t.Errorf("%d sweeps, %+v, %+v, %d removed", sweeps, r, r.Mirror, w.crm.removed)
	}
}

// Of many keys that left the model, what is to stay is looked for a part of the list after
// the other, and nothing is counted twice.
func TestMirrorSparesAPartAfterTheOther(t *testing.T) {
	w := mirroring(t, "100%")
	w.crm.most = 500
	var keys []string
	for n := range 1_300 { // 61 fill a page of the list
		keys = append(keys, fmt.Sprintf("k%04d%s", n, strings.Repeat("-", 1_000)))
	}
	w.bracket("t1", "full", objects(keys...)...)
	var model []string
	for n := 0; n < len(keys); n += 100 { // in whichever part they are
		model = append(model, fmt.Sprintf("new-k%04d", n))
	}
	w.crm.outcome = func(key string) *dest.Outcome {
		if old, ok := strings.CutPrefix(key, "new-"); ok {
			return &dest.Outcome{Status: dest.Delivered, ID: "id-" + old + strings.Repeat("-", 1_000)}
		}
		return nil
	}
	id := w.full("t2")
	w.push(batch("t2", "t2", id, objects(model...)...))
	w.finish(id, int64(len(model)))
	r := w.status(id)
	if r.Status != run.Complete || r.Outcome != run.Succeeded || r.Mirror.Pages <= 20 || r.Mirror.Rows != 1_287 || w.crm.removed != 1_287 || len(w.crm.records) != len(model) {
		t.Errorf("%s, %s, %+v, %d removed, %d left", r.Status, r.Outcome, r.Mirror, w.crm.removed, len(w.crm.records))
	}
}

// Where all of one part of the list is found to stay before the ledger was read to its end,
// the next part is looked for from the ledger's beginning all the same.
func TestMirrorSparesEachPartFromTheBeginning(t *testing.T) {
	var keys, model []string
	for n := range 1_400 {
		keys = append(keys, fmt.Sprintf("k%04d%s", n, strings.Repeat("-", 1_000)))
	}
	for _, k := range keys[:1_380] {
		model = append(model, "a-"+k)
	}
	w, _, _, r := sliced(t, keys, model, 100, nil)
	if r.Status != run.Complete || r.Outcome != run.Succeeded || r.Mirror.Pages <= 20 || r.Mirror.Rows != 20 || w.crm.removed != 20 {
		t.Errorf("%s, %s, %+v, %d removed", r.Status, r.Outcome, r.Mirror, w.crm.removed)
	}
}
