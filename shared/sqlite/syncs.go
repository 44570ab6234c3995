package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Current implements pipeline.Syncs.
func (s *Store) Current(ctx context.Context, sync string) (syncdef.Version, error) {
	var v syncdef.Version
	err := s.one(ctx, &v, "SELECT v.body FROM sync s JOIN version v ON v.sync = s.name AND v.id = s.current WHERE s.name = ?1", sync)
	if err != nil {
		return v, fmt.Errorf("current version of sync %q: %w", sync, err)
	}
	return v, nil
}

// Version implements pipeline.Syncs.
func (s *Store) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	var v syncdef.Version
	if err := s.one(ctx, &v, "SELECT body FROM version WHERE sync = ?1 AND id = ?2", sync, id); err != nil {
		return v, fmt.Errorf("version %s of sync %q: %w", id, sync, err)
	}
	return v, nil
}

// Apply implements pipeline.Syncs. A version that is stored already keeps its
// first AppliedAt.
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

// List implements pipeline.Syncs.
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

// one reads the JSON of a single row into to; pipeline.ErrNotFound without one.
func (s *Store) one(ctx context.Context, to any, query string, args ...any) error {
	return s.read(ctx, func(c *conn) error { return c.one(to, query, args...) })
}

func (c *conn) one(to any, query string, args ...any) error {
	found := false
	err := c.query(func(q *stmt) error { found = true; return json.Unmarshal(q.view(0), to) }, query, args...)
	if err == nil && !found {
		err = pipeline.ErrNotFound
	}
	return err
}
