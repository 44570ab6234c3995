package apptest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// A statement's batches come at once, each of them three times at once, and some of them
// hold equal rows: every try is answered alike, and the run is complete with as many rows
// as the statement counts.
func TestWarehousesInParallel(t *testing.T) {
	for name, open := range warehouses(t) {
		for _, size := range []int{1, 7} {
			t.Run(fmt.Sprintf("%s, %d rows a batch", name, size), func(t *testing.T) {
				w := faulty(t)
				c := &client{warehouse: open(w), t: t, w: w, model: map[string]pair{}, twins: []string{"c001", "c002"}, chance: rand.New(rand.NewPCG(1, 1))}
				for i := range 40 {
					c.model[fmt.Sprintf("c%03d", i)] = pair{i, i + 1}
				}
				begun := one[runs.Begun](c, "begin", `"accounts"`, `"full"`)
				rows := c.selected(0)
				for i := range rows {
					rows[i][0] = jsontext.Value(strconv.Quote(begun.Run))
				}
				c.query++
				var mu sync.Mutex
				firsts := map[int][]jsontext.Value{}
				var g errgroup.Group
				g.SetLimit(6)
				for at := 0; at < len(rows); at += size {
					part := rows[at:min(at+size, len(rows))]
					for try := range 3 {
						g.Go(func() error {
							id := strconv.Itoa(at)
							if c.renames {
								id += "/" + strconv.Itoa(try)
							}
							values, again, err := c.send(t, w, "push", c.query, id, part)
							mu.Lock()
							defer mu.Unlock()
							if err != nil || again || len(values) != len(part) {
								return fmt.Errorf("batch %d: %d answers, again %v: %w", at, len(values), again, err)
							}
							if firsts[at] == nil {
								firsts[at] = values
							}
							if d := cmp.Diff(firsts[at], values); d != "" {
								return fmt.Errorf("batch %d is answered otherwise: %s", at, d)
							}
							return nil
						})
					}
				}
				if err := g.Wait(); err != nil {
					t.Fatal(err)
				}
				one[runs.RunStatus](c, "finish", strconv.Quote(begun.Run), strconv.Itoa(len(rows)))
				w.Pass(t, 3*time.Minute)
				if r := w.Run(t, begun.Run); r.Status != run.Complete || r.Reason != "" || r.Counts.Received > int64(len(rows)) || r.Counts.Received < 40 {
					t.Errorf("the run is %s (%s): %+v", r.Status, r.Reason, r.Counts)
				}
				want := map[string]string{}
				for key, p := range c.model {
					want[key] = strconv.Itoa(p.n)
				}
				if d := cmp.Diff(want, w.stored(t)); d != "" {
					t.Error(d)
				}
			})
		}
	}
}
