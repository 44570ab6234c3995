package sqlite

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

// Mark reads a sync's mark of a target and column; run.ErrNotFound.
func (s *Store) Mark(ctx context.Context, sync, target, column string) (run.Mark, error) {
	var m run.Mark
	if err := s.one(ctx, &m, "SELECT body FROM mark WHERE sync = ?1 AND target = ?2 AND col = ?3", sync, target, column); err != nil {
		return run.Mark{}, fmt.Errorf("mark of sync %q: %w", sync, err)
	}
	return m, nil
}

// SetMark stores a mark over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetMark(ctx context.Context, m run.Mark) error {
	if err := s.write(ctx, func(c *conn) error { return c.setMark(m) }); err != nil {
		return fmt.Errorf("mark of sync %q: %w", m.Sync, err)
	}
	return nil
}

func (c *conn) setMark(m run.Mark) error {
	read := m.Revision
	m.Revision++
	return c.swap("INSERT INTO mark (revision, body, sync, target, col) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
		"UPDATE mark SET revision = ?1, body = ?2 WHERE sync = ?3 AND target = ?4 AND col = ?5 AND revision = ?6",
		read, m, m.Sync, m.Target, m.Column)
}

// ResetMarks deletes all marks of a sync.
func (s *Store) ResetMarks(ctx context.Context, sync string) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec("DELETE FROM mark WHERE sync = ?1", sync)
		return err
	})
	if err != nil {
		return fmt.Errorf("reset the marks of sync %q: %w", sync, err)
	}
	return nil
}

// Halt reads a version's halt; run.ErrNotFound.
func (s *Store) Halt(ctx context.Context, sync, version string) (run.Halt, error) {
	var h run.Halt
	if err := s.one(ctx, &h, "SELECT body FROM halt WHERE sync = ?1 AND version = ?2", sync, version); err != nil {
		return run.Halt{}, fmt.Errorf("halt of version %s of sync %q: %w", version, sync, err)
	}
	return h, nil
}

// SetHalt stores a halt over the one with its Revision (0: none is stored), with
// Revision+1; run.ErrConflict when another one is.
func (s *Store) SetHalt(ctx context.Context, h run.Halt) error {
	read := h.Revision
	h.Revision++
	err := s.write(ctx, func(c *conn) error {
		return c.swap("INSERT INTO halt (revision, body, sync, version) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
			"UPDATE halt SET revision = ?1, body = ?2 WHERE sync = ?3 AND version = ?4 AND revision = ?5",
			read, h, h.Sync, h.Version)
	})
	if err != nil {
		return fmt.Errorf("halt of version %s of sync %q: %w", h.Version, h.Sync, err)
	}
	return nil
}

// DeleteHalt ends it; nothing happens when there is none.
func (s *Store) DeleteHalt(ctx context.Context, sync, version string) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec("DELETE FROM halt WHERE sync = ?1 AND version = ?2", sync, version)
		return err
	})
	if err != nil {
		return fmt.Errorf("end the halt of version %s of sync %q: %w", version, sync, err)
	}
	return nil
}
