package sqlite

import (
	"context"
	"fmt"
)

// KeysOf reads the keys that Commit was told are written for record ids.
func (s *Store) KeysOf(ctx context.Context, target string, records []string) (map[string][]string, error) {
	found := map[string][]string{}
	err := s.read(ctx, func(c *conn) error {
		id, err := s.names.target(c, target, false)
		if err != nil || id == 0 {
			return err
		}
		for _, record := range records {
			if _, twice := found[record]; twice {
				continue
			}
			err := c.query(func(q *stmt) error {
				found[record] = append(found[record], q.text(0))
				return nil
			}, "SELECT key FROM claim WHERE target = ?1 AND record = ?2", id, record)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the keys of %d records of %s: %w", len(records), target, err)
	}
	return found, nil
}
