package cli

import (
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/run"
)

// weight is the colour of a gate's decision.
var weight = map[quality.Decision]string{quality.Proceed: good, quality.Warn: warning, quality.Block: bad}

// gateLine is what a run's gate said, on one line; told says that its reason stands
// elsewhere.
func gateLine(g *run.Gate, told bool) string {
	text := "gate " + string(g.Decision) + " over " + counted(g.Total)
	if g.By == run.ByIntake && g.Blocks() {
		text += ", " + counted(g.Before) + " went before"
	}
	if why := g.Why(); why != "" && !told {
		text += ": " + why
	}
	return text
}
