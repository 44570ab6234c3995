package intake

import (
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// faults are a batch's distinct ones, and how many rows have each kind.
type faults struct {
	list  []row.Fault
	at    map[row.Fault]int
	kinds map[row.Fault]int64 // without the message
	bytes int                 // of the texts
}

// maxFaultBytes is how many bytes of faults a batch item holds at most.
const maxFaultBytes = 12 << 10

// index is the fault's place in the list, and the fault that stands there: its
// own, or, beyond run.MaxFaults, the one that stands for all others.
func (f *faults) index(fault *row.Fault) (int, *row.Fault) {
	if f.at == nil {
		f.at = map[row.Fault]int{}
	}
	if at, ok := f.at[*fault]; ok {
		return at, fault
	}
	shown := *fault
	if f.bytes += len(shown.Field) + len(shown.Message); len(f.list) >= run.MaxFaults-1 || f.bytes > maxFaultBytes {
		shown = many()
		if at, ok := f.at[shown]; ok {
			return at, &f.list[at]
		}
	}
	f.list = append(f.list, shown)
	f.at[shown] = len(f.list) - 1
	return len(f.list) - 1, &shown
}

// count counts a row that was refused.
func (f *faults) count(fault *row.Fault) {
	if f.kinds == nil {
		f.kinds = map[row.Fault]int64{}
	}
	f.kinds[row.Fault{Field: fault.Field, Rule: fault.Rule}]++
}

func (f *faults) groups() []run.Group {
	if len(f.kinds) == 0 {
		return nil
	}
	var all []run.Group
	for kind, rows := range f.kinds {
		all = append(all, run.Group{Stage: stage, Type: kind.Rule, Field: kind.Field, Rows: rows})
	}
	return run.AddGroups(nil, all)
}

// stage is where the errors that intake stores come from.
const stage = "intake"
