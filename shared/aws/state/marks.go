package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// markSK is MARK#, the length of the target, the target and the column, so that no
// two marks share it; a hash of it where it is longer than DynamoDB's 1,024 bytes.
func markSK(target, column string) string {
	sk := "MARK#" + strconv.Itoa(len(target)) + "#" + target + "#" + column
	if len(sk) <= 1024 {
		return sk
	}
	sum := sha256.Sum256([]byte(sk))
	return "MARK#sha256#" + hex.EncodeToString(sum[:])
}

func markItem(m run.Mark) (attr.Item, error) {
	read := m.Revision
	m.Revision++
	return revised(syncPK(m.Sync), markSK(m.Target, m.Column), read, m, nil)
}

// Mark reads a sync's mark of a target and column; run.ErrNotFound.
func (s *Store) Mark(ctx context.Context, sync, target, column string) (run.Mark, error) {
	var m run.Mark
	if err := s.getJSON(ctx, syncPK(sync), markSK(target, column), &m); err != nil {
		return run.Mark{}, fmt.Errorf("mark of sync %q: %w", sync, err)
	}
	return m, nil
}

// SetMark stores a mark over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetMark(ctx context.Context, m run.Mark) error {
	read := m.Revision
	m.Revision++
	if err := s.swap(ctx, syncPK(m.Sync), markSK(m.Target, m.Column), read, m, nil); err != nil {
		return fmt.Errorf("mark of sync %q: %w", m.Sync, err)
	}
	return nil
}

// ResetMarks deletes all marks of a sync.
func (s *Store) ResetMarks(ctx context.Context, sync string) error {
	err := s.query(ctx, prefix(syncPK(sync), "MARK#"), func(i attr.Item) error {
		return s.remove(ctx, syncPK(sync), attr.String(i[attr.SK]))
	})
	if err != nil {
		return fmt.Errorf("reset the marks of sync %q: %w", sync, err)
	}
	return nil
}

// Halt reads a version's halt; run.ErrNotFound.
func (s *Store) Halt(ctx context.Context, sync, version string) (run.Halt, error) {
	var h run.Halt
	if err := s.getJSON(ctx, syncPK(sync), "HALT#"+version, &h); err != nil {
		return run.Halt{}, fmt.Errorf("halt of version %s of sync %q: %w", version, sync, err)
	}
	return h, nil
}

// SetHalt stores a halt over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetHalt(ctx context.Context, h run.Halt) error {
	read := h.Revision
	h.Revision++
	if err := s.swap(ctx, syncPK(h.Sync), "HALT#"+h.Version, read, h, nil); err != nil {
		return fmt.Errorf("halt of version %s of sync %q: %w", h.Version, h.Sync, err)
	}
	return nil
}

// DeleteHalt ends it; nothing happens when there is none.
func (s *Store) DeleteHalt(ctx context.Context, sync, version string) error {
	if err := s.remove(ctx, syncPK(sync), "HALT#"+version); err != nil {
		return fmt.Errorf("end the halt of version %s of sync %q: %w", version, sync, err)
	}
	return nil
}
