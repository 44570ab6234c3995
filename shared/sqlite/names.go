package sqlite

import (
	"errors"

	"github.com/penstock-data/penstock/shared/ledger"
)

// names are the small numbers that stand for long strings in the ledger. They
// never change once they are committed, so that they may be remembered.
type names struct {
	targets map[string]int64
	origins map[origin]int64
	byID    map[int64]origin
	last    origin // of the entry before: it is mostly the same one
	lastID  int64
}

// An origin is what the entries of one delivery share.
type origin struct{ version, run string }

func newNames() names {
	return names{targets: map[string]int64{}, origins: map[origin]int64{}, byID: map[int64]origin{}}
}

// target is the number of a target; 0 when it has none and is not to be created.
func (n *names) target(c *conn, name string, create bool) (int64, error) {
	if id := n.targets[name]; id != 0 {
		return id, nil
	}
	if create {
		if _, err := c.exec("INSERT INTO target (name) VALUES (?1) ON CONFLICT DO NOTHING", name); err != nil {
			return 0, err
		}
	}
	id := int64(0)
	err := c.query(func(s *stmt) error { id = s.int(0); return nil }, "SELECT id FROM target WHERE name = ?1", name)
	if id > maxTarget {
		return 0, errors.New("the file holds too many ledgers: start a new one")
	}
	if err == nil && id != 0 {
		n.targets[name] = id
	}
	return id, err
}

// id is the number of an entry's origin, which is created when it has none.
func (n *names) id(c *conn, e *ledger.Entry) (int64, error) {
	o := origin{e.Held.Version, e.Last.Run}
	if n.lastID != 0 && o == n.last {
		return n.lastID, nil
	}
	id := n.origins[o]
	if id == 0 {
		if _, err := c.exec("INSERT INTO origin (version, run) VALUES (?1, ?2) ON CONFLICT DO NOTHING", o.version, o.run); err != nil {
			return 0, err
		}
		if err := c.query(func(s *stmt) error { id = s.int(0); return nil },
			"SELECT id FROM origin WHERE version = ?1 AND run = ?2", o.version, o.run); err != nil {
			return 0, err
		}
		n.origins[o] = id
	}
	n.last, n.lastID = o, id
	return id, nil
}

// origin is what a number stands for.
func (n *names) origin(c *conn, id int64) (origin, error) {
	if id == n.lastID {
		return n.last, nil
	}
	o, known := n.byID[id]
	if !known {
		err := c.query(func(s *stmt) error { o, known = origin{s.text(0), s.text(1)}, true; return nil },
			"SELECT version, run FROM origin WHERE id = ?1", id)
		if err != nil {
			return o, err
		}
		if !known {
			return o, errEntry
		}
		n.byID[id] = o
	}
	n.last, n.lastID = o, id
	return o, nil
}
