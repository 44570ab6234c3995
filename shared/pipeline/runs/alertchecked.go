package runs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// Verifications reads what the daily checks found.
type Verifications interface {
	// Verification reads what was found of a sync's records and schema; the zero Reading of
	// it when nothing was.
	Verification(ctx context.Context, sync string) (verify.Reading, error)
}

// checked notes what the last checks of a sync found, as far as they are of what is
// applied: another version's schema is told by the next check of it.
func (s *Sweep) checked(ctx context.Context, v syncdef.Version, out *alert.Seen) error {
	if s.Verifications == nil {
		return nil
	}
	d := &v.Definition
	stored, err := s.Verifications.Verification(ctx, d.Sync)
	if err != nil {
		return fmt.Errorf("read what was verified: %w", err)
	}
	r := stored.Of(d.Sync, d.Connection, d.Object)
	out.Drift = r.Schema.Faults
	out.Records = recordsOf(&r.Sample)
	out.Records.MissingOver, out.Records.ChangedOver = d.Tolerates()
	return nil
}

// recordsOf is a sample as alerts see it.
func recordsOf(s *verify.Summary) alert.Records {
	out := alert.Records{Compared: s.Compared, Missing: s.Missing, Mended: s.Settled(), Differ: s.Missing + s.Changed}
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		if n := s.Fields[name]; n > out.Changed {
			out.Field, out.Changed = name, n
		}
	}
	return out
}
