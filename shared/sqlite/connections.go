package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Connection is the stored settings and the account's pin; run.ErrNotFound.
func (s *Store) Connection(ctx context.Context, name string) (stored syncdef.Stored, err error) {
	err = s.read(ctx, func(c *conn) error { stored, err = c.connection(name); return err })
	if err != nil {
		return syncdef.Stored{}, fmt.Errorf("connection %q: %w", name, err)
	}
	return stored, nil
}

func (c *conn) connection(name string) (stored syncdef.Stored, err error) {
	found := false
	err = c.query(func(q *stmt) error {
		found = true
		stored.Account, stored.Epoch = q.text(1), q.int(2)
		return json.Unmarshal(q.view(0), &stored.Connection)
	}, "SELECT body, account, epoch FROM connection WHERE name = ?1", name)
	if err == nil && !found {
		err = run.ErrNotFound
	}
	return stored, err
}

// PutConnection stores settings and keeps the pin. Settings of another type are of another
// account: they pin whichever comes next, and raise the epoch.
func (s *Store) PutConnection(ctx context.Context, settings syncdef.Connection) error {
	body, err := json.Marshal(settings)
	if err == nil {
		err = s.write(ctx, func(c *conn) error {
			was, err := c.connection(settings.Name)
			if err != nil && !errors.Is(err, run.ErrNotFound) {
				return err
			}
			if err == nil && was.Connection.Type != settings.Type {
				if _, err := c.exec(anotherAccount, settings.Name, ""); err != nil {
					return err
				}
			}
			_, err = c.exec("INSERT INTO connection (name, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body", settings.Name, string(body))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store connection %q: %w", settings.Name, err)
	}
	return nil
}

const anotherAccount = "UPDATE connection SET account = ?2, epoch = epoch + 1 WHERE name = ?1"

// PinAccount stores which account the connection is, unless one is stored, and
// returns what is; run.ErrNotFound without the connection.
func (s *Store) PinAccount(ctx context.Context, name, account string) (syncdef.Stored, error) {
	return s.pin(ctx, name, "UPDATE connection SET account = ?2 WHERE name = ?1 AND account = ''", account)
}

// AcceptAccount pins another account, "" for whichever comes next, and raises the
// epoch; run.ErrNotFound without the connection.
func (s *Store) AcceptAccount(ctx context.Context, name, account string) (syncdef.Stored, error) {
	return s.pin(ctx, name, anotherAccount, account)
}

func (s *Store) pin(ctx context.Context, name, update, account string) (stored syncdef.Stored, err error) {
	err = s.write(ctx, func(c *conn) error {
		if _, err := c.exec(update, name, account); err != nil {
			return err
		}
		stored, err = c.connection(name)
		return err
	})
	if err != nil {
		return syncdef.Stored{}, fmt.Errorf("pin the account of connection %q: %w", name, err)
	}
	return stored, nil
}

// Pace is the connection's state; the zero State when nothing is stored.
func (s *Store) Pace(ctx context.Context, connection string) (state pace.State, err error) {
	err = s.one(ctx, &state, "SELECT body FROM pace WHERE name = ?1", connection)
	if err != nil && !errors.Is(err, run.ErrNotFound) {
		return pace.State{}, fmt.Errorf("state of connection %q: %w", connection, err)
	}
	return state, nil
}

// SetPace stores a state over the one with its Revision, with Revision+1;
// run.ErrConflict when another one is stored.
func (s *Store) SetPace(ctx context.Context, connection string, state pace.State) error {
	read := state.Revision
	state.Revision++
	err := s.write(ctx, func(c *conn) error {
		return c.swap("INSERT INTO pace (revision, body, name) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
			"UPDATE pace SET revision = ?1, body = ?2 WHERE name = ?3 AND revision = ?4", read, state, connection)
	})
	if err != nil {
		return fmt.Errorf("state of connection %q: %w", connection, err)
	}
	return nil
}
