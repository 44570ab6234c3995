package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Current is the applied version of a sync; run.ErrNotFound when none is.
func (s *Store) Current(ctx context.Context, sync string) (syncdef.Version, error) {
	var v syncdef.Version
	err := s.one(ctx, &v, "SELECT v.body FROM sync s JOIN version v ON v.sync = s.name AND v.id = s.current WHERE s.name = ?1", sync)
	if err != nil {
		return syncdef.Version{}, fmt.Errorf("current version of sync %q: %w", sync, err)
	}
	return v, nil
}

// Version is one revision, applied now or earlier; run.ErrNotFound.
func (s *Store) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	var v syncdef.Version
	if err := s.one(ctx, &v, "SELECT body FROM version WHERE sync = ?1 AND id = ?2", sync, id); err != nil {
		return syncdef.Version{}, fmt.Errorf("version %s of sync %q: %w", id, sync, err)
	}
	return v, nil
}

// Apply stores a version and makes it the current one. A version that is stored
// already keeps its first AppliedAt.
func (s *Store) Apply(ctx context.Context, v syncdef.Version) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("apply sync %q: %w", v.Definition.Sync, err)
	}
	err = s.write(ctx, func(c *conn) error {
		if _, err := c.exec("INSERT INTO version (sync, id, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", v.Definition.Sync, v.ID, string(body)); err != nil {
			return err
		}
		_, err := c.exec("INSERT INTO sync (name, current) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET current = excluded.current", v.Definition.Sync, v.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("apply version %s of sync %q: %w", v.ID, v.Definition.Sync, err)
	}
	return nil
}

// Remove takes the current version away; versions, runs and the sequence stay.
func (s *Store) Remove(ctx context.Context, sync string) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec("UPDATE sync SET current = '' WHERE name = ?1", sync)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove sync %q: %w", sync, err)
	}
	return nil
}

// List names the syncs that have a current version, sorted.
func (s *Store) List(ctx context.Context) ([]string, error) {
	var names []string
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { names = append(names, q.text(0)); return nil },
			"SELECT name FROM sync WHERE current <> '' ORDER BY name")
	})
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	return names, nil
}

// Removed names the syncs that have no current version, sorted.
func (s *Store) Removed(ctx context.Context) ([]string, error) {
	var names []string
	err := s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { names = append(names, q.text(0)); return nil },
			"SELECT name FROM sync WHERE current = '' ORDER BY name")
	})
	if err != nil {
		return nil, fmt.Errorf("list removed syncs: %w", err)
	}
	return names, nil
}

// NextSequence adds one to the sync's counter, whether or not the sync is applied (I3).
func (s *Store) NextSequence(ctx context.Context, sync string) (next int64, err error) {
	err = s.write(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error { next = q.int(0); return nil },
			"INSERT INTO sync (name, sequence) VALUES (?1, 1) ON CONFLICT DO UPDATE SET sequence = sequence + 1 RETURNING sequence", sync)
	})
	if err != nil {
		return 0, fmt.Errorf("next sequence of sync %q: %w", sync, err)
	}
	return next, nil
}

// one reads the JSON of a single row into to; run.ErrNotFound without one.
func (s *Store) one(ctx context.Context, to any, query string, args ...any) error {
	return s.read(ctx, func(c *conn) error { return c.one(to, query, args...) })
}

// decode reads what a sweep reads of a whole run: in a quarter of encoding/json's time.
func decode(text []byte, to any) error { return jsonv2.Unmarshal(text, to) }

func (c *conn) one(to any, query string, args ...any) error {
	found := false
	err := c.query(func(q *stmt) error { found = true; return json.Unmarshal(q.view(0), to) }, query, args...)
	if err == nil && !found {
		err = run.ErrNotFound
	}
	return err
}

// swap stores a body over the one of the revision that was read, 0 when none was:
// then insert is run, else update. Their parameters are next, the revision that is
// stored, and body; the keys; and, of update, the revision that was read last.
// run.ErrConflict when another revision is stored.
func (c *conn) swap(insert, update string, read int64, body any, keys ...any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	args := append([]any{read + 1, string(text)}, keys...)
	query := insert
	if read != 0 {
		query = update
		args = append(args, read)
	}
	n, err := c.exec(query, args...)
	if err == nil && n == 0 {
		err = run.ErrConflict
	}
	return err
}
