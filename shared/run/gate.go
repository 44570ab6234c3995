package run

import (
	"time"

	"github.com/penstock-data/penstock/shared/quality"
)

// A Gate is what a run's quality gate said, and where it was asked.
type Gate struct {
	quality.Verdict
	By GateKeeper `json:"by"`
	// Before is how many of the run's rows had come before intake blocked the others.
	Before int64     `json:"before,omitempty"`
	Batch  string    `json:"batch,omitempty"` // of intake's block: in which it came, for that batch's retry,
	From   int       `json:"from,omitempty"`  // and the first of its rows that is blocked
	At     time.Time `json:"at"`
}

// GateKeeper is where a gate is asked.
type GateKeeper string

// warehouse asks before the first push; intake judges the rows as they come.
const (
	ByWarehouse GateKeeper = "warehouse"
	ByIntake    GateKeeper = "intake"
)

// GateCounts are rows, and how many of them failed each rule of their gate, in its order.
type GateCounts struct {
	Rows   int64   `json:"rows"`
	Failed []int64 `json:"failed"`
}

// Add returns the sum, rule by rule.
func (c GateCounts) Add(d GateCounts) GateCounts {
	out := GateCounts{Rows: c.Rows + d.Rows, Failed: make([]int64, max(len(c.Failed), len(d.Failed)))}
	for _, failed := range [][]int64{c.Failed, d.Failed} {
		for i, n := range failed {
			out.Failed[i] += n
		}
	}
	return out
}

// Without returns the difference, rule by rule: what there was before d was added.
func (c GateCounts) Without(d GateCounts) GateCounts {
	out := GateCounts{Rows: c.Rows - d.Rows, Failed: append([]int64(nil), c.Failed...)}
	for i, n := range d.Failed {
		if i < len(out.Failed) {
			out.Failed[i] -= n
		}
	}
	return out
}

// Blocks reports whether the gate stops rows; nil stops none.
func (g *Gate) Blocks() bool { return g != nil && g.Decision == quality.Block }
