package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/verify"
)

const verificationSK = "VERIFICATION"

// Verification reads what was found of a sync's records and schema; the zero Reading of it
// when nothing was.
func (s *Store) Verification(ctx context.Context, sync string) (verify.Reading, error) {
	r := verify.Reading{Sync: sync}
	err := s.getJSON(ctx, syncPK(sync), verificationSK, &r)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return verify.Reading{}, fmt.Errorf("verification of sync %q: %w", sync, err)
	}
	return r, nil
}

// SetVerification stores a reading over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetVerification(ctx context.Context, r verify.Reading) error {
	read := r.Revision
	r.Revision++
	if err := s.swap(ctx, syncPK(r.Sync), verificationSK, read, r, nil); err != nil {
		return fmt.Errorf("verification of sync %q: %w", r.Sync, err)
	}
	return nil
}
