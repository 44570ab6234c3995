package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Hide takes personal data out of errors that are shown: what the version marks that
// the row failed with, and what the current one does. What is stored stays whole, so
// that the row can be sent again. Where the version cannot be found nothing of the
// source is shown; what came under none, as a message that is not Penstock's, is.
func (s *Stores) Hide(ctx context.Context, errs []run.RowError) error {
	known := map[string][]string{} // by sync and version
	for i := range errs {
		e := &errs[i]
		if len(e.Source) == 0 {
			continue
		}
		key := e.Sync + "/" + e.Version
		columns, met := known[key]
		if !met {
			var err error
			if columns, err = s.personalColumns(ctx, e); err != nil {
				return err
			}
			known[key] = columns
		}
		switch {
		case columns == nil:
			e.Source = nil
		case len(columns) > 0:
			e.Source = version.Hide(e.Source, columns)
		}
	}
	return nil
}

// personalColumns are those of an error's versions; nil where it has one and neither
// is there.
func (s *Stores) personalColumns(ctx context.Context, e *run.RowError) ([]string, error) {
	var out []string
	if e.Version == "" {
		out = []string{}
	}
	for _, read := range []func() (syncdef.Version, error){
		func() (syncdef.Version, error) { return s.Syncs.Current(ctx, e.Sync) },
		func() (syncdef.Version, error) { return s.Syncs.Version(ctx, e.Sync, e.Version) },
	} {
		v, err := read()
		if errors.Is(err, run.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read sync %q: %w", e.Sync, err)
		}
		out = append(append(make([]string, 0, 8), out...), syncdef.PersonalColumns(&v.Definition)...)
	}
	return out, nil
}
