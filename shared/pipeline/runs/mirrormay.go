package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// mayMirror says why a run removes nothing, "" where it may; and it notes the sequence
// that the removals get. It is asked until the list is whole: a batch that comes late may
// say otherwise.
func (s *Sweep) mayMirror(ctx context.Context, v syncdef.Version, r *run.Run) (refused string, err error) {
	current, err := s.Syncs.Current(ctx, r.Sync)
	switch {
	case errors.Is(err, run.ErrNotFound) || err == nil && current.ID != v.ID:
		return "nothing is removed: the sync was applied anew since the run began; run it once more", nil
	case err != nil:
		return "", fmt.Errorf("read the sync: %w", err)
	}
	batches, err := s.Recorded.Batches(ctx, r.ID)
	if err != nil {
		return "", fmt.Errorf("read the batches: %w", err)
	}
	rows, blocked, keyless, unseen := int64(0), int64(0), 0, false
	r.Mirror.Sequence = r.Sequence
	for _, b := range batches {
		blocked += b.Counts.Blocked
		rows, keyless, unseen = rows+b.Counts.Received, keyless+b.Keyless, unseen || !b.Seen
		if r.Mirror.Sequence == 0 || r.Sequence == 0 && b.Sequence < r.Mirror.Sequence { // an earlier release began it
			r.Mirror.Sequence = b.Sequence
		}
	}
	switch {
	case rows == 0:
		return emptyModel, nil
	case r.Gate.Blocks() && blocked > 0:
		return cut(fmt.Sprintf("nothing is removed: the quality gate stopped %d rows after the first %d: %s", blocked, r.Gate.Before, r.Gate.Why())), nil
	case r.Gate.Blocks():
		return gateStops(r.Gate.Verdict), nil
	case keyless > 0:
		return anybodys(keyless), nil
	case rows > r.Expected:
		return fmt.Sprintf("nothing is removed: %d rows were received, finish announced %d", rows, r.Expected), nil
	case unseen:
		return "nothing is removed: an earlier release took some of the rows and kept no keys; run it once more", nil
	case rows > maxRows:
		return tooLarge(rows), nil
	}
	return s.judgeWhole(ctx, v, r, rows)
}

// judgeWhole asks the quality gate once more where intake judged the rows as they came: now
// they are all there, so that a run of few rows is judged too, and min_rows.
func (s *Sweep) judgeWhole(ctx context.Context, v syncdef.Version, r *run.Run, rows int64) (refused string, err error) {
	g, err := quality.Compile(&v.Definition)
	if err != nil {
		return "", fmt.Errorf("compile the quality gate: %w", err)
	}
	if g == nil || r.Gate != nil && r.Gate.By == run.ByWarehouse {
		return "", nil
	}
	all := run.GateCounts{Rows: rows}
	if g.Counts() {
		// A batch without rows adds nothing, and is answered what the others have.
		none := run.GateCounts{Failed: make([]int64, g.Rules())}
		if all, err = s.Recorded.CountGate(ctx, r.ID, run.RemovalBatch(r.ID, 0), none); err != nil {
			return "", fmt.Errorf("read what the quality gate counted: %w", err)
		}
	}
	if said := g.Judge(all.Rows, all.Failed, true); said.Decision == quality.Block {
		return gateStops(said), nil
	}
	return "", nil
}

// gateStops says of all rows of a run what its quality gate holds against them. It holds no
// value of a row (I6).
func gateStops(v quality.Verdict) string {
	return cut("nothing is removed: the quality gate blocks what the run pushed: " + v.Why())
}

func tooLarge(rows int64) string {
	return fmt.Sprintf("nothing is removed: the run has %d rows, and a mirror compares at most %d with what it wrote: split the model into several syncs, or delete by rows that say so", rows, maxRows)
}

const emptyModel = "nothing is removed: the model is empty, and a mirror of nothing would remove everything; to do that, use operation: delete"

func anybodys(keyless int) string {
	if keyless == 1 {
		return "nothing is removed: 1 row has no match value, and any record may be its: mend it, and run it once more"
	}
	return fmt.Sprintf("nothing is removed: %d rows have no match value, and any record may be theirs: mend them, and run it once more", keyless)
}

// tooMany says why so many of so many records may not be removed; "" where they may.
func tooMany(d *syncdef.Definition, rows, held int64) string {
	allowed := d.Mirror.Allowed(held)
	if rows <= allowed {
		return ""
	}
	return fmt.Sprintf("nothing is removed: %d of the %d records that the sync wrote are not in the model any more, and mirror.max_deletes: %s allows %d; see them with  penstock run %s --mode full --dry-run,  then raise max_deletes", rows, held, d.Mirror.MaxDeletes, allowed, d.Sync)
}
