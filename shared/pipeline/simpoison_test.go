package pipeline_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// bounded is how much later a row may settle because of poison rows.
const bounded = time.Minute

// A fate1 is how a queued row ended, and when.
type end struct {
	good bool
	fate run.Fate
	at   time.Time
}

// compare runs a calm plan with and without its poison: every other row has the
// same fate, at most a bounded time later (I9).
func compare(p plan) (wrong []string) {
	clean := p
	clean.Poison, clean.Refused, clean.Busy = nil, nil, nil
	bad := slices.Concat(p.Poison, p.Refused, p.Busy)
	with, wrong := ends(p)
	without, more := ends(clean)
	if wrong = append(wrong, more...); len(wrong) > 0 {
		return wrong
	}
	for _, k := range sortedEnds(without) {
		a, b := with[k], without[k]
		if slices.Contains(bad, k.name) {
			continue
		}
		switch {
		case a.fate == 0:
			wrong = append(wrong, fmt.Sprintf("I9: %v settled without bad rows only", k))
		case a.good != b.good:
			wrong = append(wrong, fmt.Sprintf("I9: %v ends %c with bad rows, %c without", k, a.fate, b.fate))
		case a.at.Sub(b.at) > bounded:
			wrong = append(wrong, fmt.Sprintf("I9: %v settles %v later because of bad rows", k, a.at.Sub(b.at)))
		}
	}
	return wrong
}

type place struct {
	name, run, batch string
	row              int
}

func sortedEnds(m map[place]end) []place {
	var all []place
	for k := range m {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b place) int {
		return slices.Compare([]string{a.run, a.batch, fmt.Sprint(a.row)}, []string{b.run, b.batch, fmt.Sprint(b.row)})
	})
	return all
}

// ends runs a calm plan and tells how each pushed row ended.
func ends(p plan) (map[place]end, []string) {
	s, err := newSim(p)
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer s.store.Close()
	s.run(lasts, nil)
	if s.settle("a calm plan") {
		s.run(10*time.Minute, nil)
	}
	s.end()
	out := map[place]end{}
	for key, rows := range s.model.contents {
		var id, batch string
		for i := range key {
			if key[i] == '/' {
				id, batch = key[:i], key[i+1:]
			}
		}
		b, err := s.store.Batch(bg, id, batch)
		if err != nil {
			continue
		}
		codes, _ := run.UnpackCodes(b.Rows)
		at := map[int]int{}
		for n, code := range codes {
			status, chunk, _, _ := b.Placed(code)
			if status != row.Queued {
				continue
			}
			c, err := s.store.Chunk(bg, id, batch, chunk)
			if err != nil || !c.Done {
				continue
			}
			fates, _ := run.UnpackFates(c.Outcomes, len(codes))
			f := fates[at[chunk]]
			at[chunk]++
			good := f == run.FateDelivered || f == run.FateUnchanged || f == run.FateSuperseded
			out[place{b.Sync + "/" + rows[n].key, id, batch, n}] = end{good, f, c.At}
		}
	}
	return out, s.wrong
}
