package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
)

// claims are the keys that one commit keeps for record ids. Like entries they come in
// no order and wait to be sorted into their table; unlike these they are seldom read,
// so that a reader looks through what waits.
type claims struct {
	target int64
	n      int
	body   []byte
}

// add notes what an entry claims: 8 little-endian bytes of record, then the key.
func (w *claims) add(e *ledger.Entry) {
	w.body = appendText(binary.LittleEndian.AppendUint64(w.body, ledger.RecordOf(e.Claim)), e.Key)
	w.n++
}

// claimsMost is how many claims wait before they are sorted in, 20 MB: a reader goes
// through them in some 20 ms, and each sorting rewrites most of the table.
const claimsMost = 1_000_000

// store writes them, and sorts in what waits once it is more than most.
func (w *claims) store(c *conn, most int) error {
	if w.n == 0 {
		return nil
	}
	waiting := w.n
	err := c.query(func(q *stmt) error { waiting += int(q.int(0)); return nil }, "SELECT waiting FROM claimed ORDER BY seq DESC LIMIT 1")
	if err != nil {
		return err
	}
	if _, err := c.exec("INSERT INTO claimed (target, waiting, body) VALUES (?1, ?2, ?3)", w.target, waiting, w.body); err != nil || waiting < most {
		return err
	}
	return sortClaims(c, waiting)
}

// A claim is a key that is kept for a record id.
type claim struct {
	target, record int64
	key            []byte
}

// sortClaims moves all n that wait into the table claim, neighbours together.
func sortClaims(c *conn, n int) error {
	all := make([]claim, 0, n)
	err := c.query(func(q *stmt) error {
		target := q.int(0)
		return eachClaim(q.bytes(1), func(record uint64, key []byte) { all = append(all, claim{target, int64(record), key}) })
	}, "SELECT target, body FROM claimed")
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b claim) int {
		if a.target == b.target && a.record != b.record { // nearly always
			return cmp.Compare(a.record, b.record)
		}
		return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.record, b.record), bytes.Compare(a.key, b.key))
	})
	for i, m := range all {
		if i > 0 && m.target == all[i-1].target && m.record == all[i-1].record && bytes.Equal(m.key, all[i-1].key) {
			continue
		}
		if _, err := c.exec("INSERT OR IGNORE INTO claim (target, record, key) VALUES (?1, ?2, ?3)", m.target, m.record, string(m.key)); err != nil {
			return err
		}
	}
	_, err = c.exec("DELETE FROM claimed")
	return err
}

// eachClaim visits the claims of a row.
func eachClaim(body []byte, visit func(record uint64, key []byte)) error {
	v := values{b: body}
	for len(v.b) > 0 {
		record, key := v.bytes(8), v.text()
		if v.bad {
			return errEntry
		}
		visit(binary.LittleEndian.Uint64(record), key)
	}
	return nil
}

// KeysOf reads the keys that Commit was told are written for record ids.
func (s *Store) KeysOf(ctx context.Context, target string, records []string) (map[string][]string, error) {
	found := map[string][]string{}
	wanted := make(map[uint64]string, len(records))
	for _, record := range records {
		wanted[ledger.RecordOf(record)] = record
	}
	err := s.read(ctx, func(c *conn) error {
		id, err := s.names.target(c, target, false)
		if err != nil || id == 0 {
			return err
		}
		for hash, record := range wanted {
			err := c.query(func(q *stmt) error {
				found[record] = append(found[record], q.text(0))
				return nil
			}, "SELECT key FROM claim WHERE target = ?1 AND record = ?2", id, int64(hash))
			if err != nil {
				return err
			}
		}
		return c.query(func(q *stmt) error {
			return eachClaim(q.view(0), func(hash uint64, key []byte) {
				if record, ok := wanted[hash]; ok && !slices.Contains(found[record], string(key)) {
					found[record] = append(found[record], string(key))
				}
			})
		}, "SELECT body FROM claimed WHERE target = ?1", id)
	})
	if err != nil {
		return nil, fmt.Errorf("read the keys of %d records of %s: %w", len(records), target, err)
	}
	return found, nil
}
