package quality

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// Decision is what a gate says of a run.
type Decision string

// The decisions.
const (
	Proceed Decision = "PROCEED"
	Warn    Decision = "WARN_CONTINUE"
	Block   Decision = "BLOCK_SYNC"
)

// A Verdict is what a gate found, in the form of the view's columns.
type Verdict struct {
	Decision   Decision `json:"decision"`
	Total      int64    `json:"total"`
	Rules      []Result `json:"rules"`
	Definition string   `json:"definition"` // Gate.ID
}

// A Result is what a rule found.
type Result struct {
	Rule      string        `json:"rule"` // its kind, or min_rows
	Column    string        `json:"column,omitempty"`
	Failed    int64         `json:"failed"` // rows; of min_rows how many are missing
	Share     float64       `json:"share"`  // of the total, rounded to six digits; 0 of none
	WarnOver  syncdef.Share `json:"warn_over,omitempty"`
	BlockOver syncdef.Share `json:"block_over,omitempty"`
	Decision  Decision      `json:"decision"`
}

// MinRows is the rule of a model that has too few rows.
const MinRows = "min_rows"

// Judge is the verdict on so many rows of which so many failed, by rule. whole says that
// they are all of the model, so that min_rows is judged too.
func (g *Gate) Judge(total int64, failed []int64, whole bool) Verdict {
	v := Verdict{Decision: Proceed, Total: total, Rules: []Result{}, Definition: g.id}
	if whole && g.minRows > 0 {
		v.add(Result{Rule: MinRows, Failed: max(0, g.minRows-total), Decision: choose(total < g.minRows, false)})
	}
	for i := range g.rules {
		r := &g.rules[i]
		n := int64(0)
		if i < len(failed) {
			n = failed[i]
		}
		v.add(Result{
			Rule: string(r.kind), Column: r.column, Failed: n, Share: share(n, total),
			WarnOver: r.warn.share, BlockOver: r.block.share,
			Decision: choose(r.block.over(n, total), r.warn.over(n, total)),
		})
	}
	return v
}

func choose(block, warn bool) Decision {
	switch {
	case block:
		return Block
	case warn:
		return Warn
	}
	return Proceed
}

func (v *Verdict) add(r Result) {
	v.Rules = append(v.Rules, r)
	v.Decision = Worse(v.Decision, r.Decision)
}

// Worse is the graver of two decisions.
func Worse(a, b Decision) Decision {
	grave := map[Decision]int{Warn: 1, Block: 2}
	if grave[b] > grave[a] {
		return b
	}
	return a
}

func share(failed, total int64) float64 {
	if total == 0 {
		return 0
	}
	return math.Round(float64(failed)/float64(total)*1e6) / 1e6
}

// ErrOther says that a verdict is of a view that was made of another definition: by Read.
var ErrOther = errors.New("the gate's view was made of another definition")

// Read is a warehouse's verdict: its counts, judged anew, so that what is kept does not
// depend on how a warehouse computes. ErrOther, or an error that says what is wrong.
func (g *Gate) Read(text []byte) (Verdict, error) {
	var said struct {
		Total      *int64 `json:"total"`
		Definition string `json:"definition"`
		Rules      []struct {
			Rule   string `json:"rule"`
			Failed *int64 `json:"failed"`
		} `json:"rules"`
	}
	if err := json.Unmarshal(text, &said); err != nil || said.Total == nil || *said.Total < 0 {
		return Verdict{}, errors.New(`the verdict is no row of a gate's view: {"decision", "total", "rules", "definition"}`)
	}
	if said.Definition != g.id {
		return Verdict{}, ErrOther
	}
	var failed []int64
	for _, r := range said.Rules {
		if r.Rule == MinRows {
			continue
		}
		if r.Failed == nil || *r.Failed < 0 || *r.Failed > *said.Total {
			return Verdict{}, fmt.Errorf("the verdict's rule %s has no number of failed rows within the total", r.Rule)
		}
		failed = append(failed, *r.Failed)
	}
	if len(failed) != len(g.rules) {
		return Verdict{}, fmt.Errorf("the verdict has %d rules, and the definition %d", len(failed), len(g.rules))
	}
	return g.Judge(*said.Total, failed, true), nil
}

// Why says in one line what the verdict is about: the rules that decided it, with their
// columns, counts and thresholds. It holds no value of a row (I6).
func (v Verdict) Why() string {
	var all []string
	for _, r := range v.Rules {
		if r.Decision == v.Decision && v.Decision != Proceed {
			all = append(all, r.why(v.Total))
		}
	}
	return strings.Join(all, "; ")
}

func (r Result) why(total int64) string {
	if r.Rule == MinRows {
		return fmt.Sprintf("the model has %d rows, min_rows is %d", total, total+r.Failed)
	}
	over := r.BlockOver
	if r.Decision == Warn {
		over = r.WarnOver
	}
	return fmt.Sprintf("%s of column %s: %d of %d rows failed (%s), over %s", r.Rule, r.Column, r.Failed, total, percent(r.Failed, total), percentOf(over))
}

// percent is a share as people read it: 5.2%.
func percent(failed, total int64) string {
	if total == 0 {
		return "0%"
	}
	text := fmt.Sprintf("%.4f", float64(failed)/float64(total)*100)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	if text == "0" && failed > 0 {
		return "under 0.0001%"
	}
	return text + "%"
}

// percentOf is a threshold as people read it: 0.05 is 5%.
func percentOf(s syncdef.Share) string {
	t, err := parts(s)
	if err != nil || t.whole == 0 {
		return string(s)
	}
	whole, digits := t.part*100/t.whole, t.part*100%t.whole
	if digits == 0 {
		return fmt.Sprintf("%d%%", whole)
	}
	text := fmt.Sprintf("%0*d", len(fmt.Sprint(t.whole))-1, digits)
	return fmt.Sprintf("%d.%s%%", whole, strings.TrimRight(text, "0"))
}
