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
	At     time.Time `json:"at"`
}

// GateKeeper is where a gate is asked.
type GateKeeper string

// warehouse asks before the first push; intake judges the rows as they come.
const (
	ByWarehouse GateKeeper = "warehouse"
	ByIntake    GateKeeper = "intake"
)

// Blocks reports whether the gate stops rows; nil stops none.
func (g *Gate) Blocks() bool { return g != nil && g.Decision == quality.Block }
