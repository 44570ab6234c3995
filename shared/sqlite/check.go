package sqlite

import (
	"context"
	"fmt"
	"time"
)

// wholeBytes is the size of a file up to which Check reads all of it: about a second.
const wholeBytes = 256 << 20

// Layout is the layout of the files that this program reads and writes.
const Layout = schemaVersion

// Check proves that the file can be written, by writing what it holds already, and, of a
// file of at most 256 MB, that it is whole. ErrDamaged, ErrFull.
func (s *Store) Check(ctx context.Context) error {
	err := s.write(ctx, func(c *conn) error { return c.script(fmt.Sprintf("PRAGMA user_version=%d", schemaVersion)) })
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	said := ""
	err = s.read(ctx, func(c *conn) error {
		bytes := int64(0)
		if err := c.query(func(q *stmt) error { bytes = q.int(0); return nil }, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"); err != nil || bytes > wholeBytes {
			return err
		}
		return c.query(func(q *stmt) error { said = q.text(0); return nil }, "PRAGMA quick_check(1)")
	})
	if err == nil && said != "" && said != "ok" {
		err = ErrDamaged
	}
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	return nil
}

// Oldest is when the oldest message of a queue was sent, the zero time of an empty one.
func (s *Store) Oldest(ctx context.Context, queue string) (at time.Time, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			if ns := q.int(0); ns != 0 {
				at = time.Unix(0, ns).UTC()
			}
			return nil
		}, "SELECT coalesce(min(sent), 0) FROM message WHERE queue = ?1 AND sent > ?2", queue, s.now().Add(-retention).UnixNano())
	})
	if err != nil {
		return at, fmt.Errorf("read queue %s: %w", queue, err)
	}
	return at, nil
}
