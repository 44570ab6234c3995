package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

// gateBatch is a batch's id, of 16 hexadecimal digits.
func gateBatch(n int) string { return fmt.Sprintf("%016x", n) }

var gateTests = []test{
	{"counts", func(t *testing.T, s Stores) {
		count := func(id string, batch int, c run.GateCounts, want run.GateCounts) {
			t.Helper()
			got, err := s.CountGate(t.Context(), id, gateBatch(batch), c)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("batch %d: want -, got +\n%s", batch, d)
			}
		}
		count("health.q1", 1, run.GateCounts{Rows: 100, Failed: []int64{3, 0}}, run.GateCounts{Rows: 100, Failed: []int64{3, 0}})
		count("health.q1", 2, run.GateCounts{Rows: 400, Failed: []int64{0, 7}}, run.GateCounts{Rows: 500, Failed: []int64{3, 7}})
		count("health.q1", 1, run.GateCounts{Rows: 100, Failed: []int64{3, 0}}, run.GateCounts{Rows: 500, Failed: []int64{3, 7}}) // a retry counts once
		count("health.q2", 1, run.GateCounts{Rows: 1, Failed: []int64{1, 1}}, run.GateCounts{Rows: 1, Failed: []int64{1, 1}})
		count("health.q1", 3, run.GateCounts{Failed: []int64{0, 0}}, run.GateCounts{Rows: 500, Failed: []int64{3, 7}})
		if s.Reopen != nil {
			s = s.Reopen()
			count("health.q1", 2, run.GateCounts{Rows: 400, Failed: []int64{0, 7}}, run.GateCounts{Rows: 500, Failed: []int64{3, 7}})
		}
	}},
	{"many at once", func(t *testing.T, s Stores) {
		race(t, 24, func(i int) error { // each batch twice
			_, err := s.CountGate(t.Context(), "health.q1", gateBatch(i/2), run.GateCounts{Rows: 10, Failed: []int64{int64(i / 2)}})
			return err
		})
		got, err := s.CountGate(t.Context(), "health.q1", gateBatch(0), run.GateCounts{Rows: 10, Failed: []int64{0}})
		if d := cmp.Diff(run.GateCounts{Rows: 120, Failed: []int64{66}}, got); err != nil || d != "" {
			t.Errorf("%v: want -, got +\n%s", err, d)
		}
	}},
	{"of very many the sums stay", func(t *testing.T, s Stores) {
		var got run.GateCounts
		for n := range 1100 {
			var err error
			if got, err = s.CountGate(t.Context(), "health.q1", gateBatch(n), run.GateCounts{Rows: 1, Failed: []int64{1}}); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(run.GateCounts{Rows: 1100, Failed: []int64{1100}}, got); d != "" {
			t.Errorf("want -, got +\n%s", d)
		}
	}},
}
