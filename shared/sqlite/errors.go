package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
)

// StoreErrors stores each error under its Ref, unless what is stored there counts
// as many attempts or more; all in one transaction.
func (s *Store) StoreErrors(ctx context.Context, errs []run.RowError) error {
	return s.storeErrors(ctx, errs, 1)
}

// ReplaceErrors stores each error under its Ref, unless what is stored there counts
// more attempts; all in one transaction.
func (s *Store) ReplaceErrors(ctx context.Context, errs []run.RowError) error {
	return s.storeErrors(ctx, errs, 0)
}

// storeErrors stores each error that counts so many attempts more than what is stored.
func (s *Store) storeErrors(ctx context.Context, errs []run.RowError, more int) error {
	if len(errs) == 0 {
		return nil
	}
	err := s.write(ctx, func(c *conn) error {
		if err := c.list(errs); err != nil {
			return err
		}
		for _, e := range errs {
			source := envelope.PackSource(e.Source, envelope.AsIsInFile)
			e.Source = nil // beside the body, where it need not be base64
			body, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := c.exec(`INSERT INTO error (run, batch, row, sync, attempts, body, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
				ON CONFLICT DO UPDATE SET sync = excluded.sync, attempts = excluded.attempts, body = excluded.body, source = excluded.source
				WHERE excluded.attempts >= attempts + ?8`, e.Run, e.Batch, e.Row, e.Sync, e.Attempts, string(body), source, more); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store %d row errors: %w", len(errs), err)
	}
	return nil
}

// Once so often, with whatever is written then, errors that are too old are deleted: those of
// so many entries of the list of errors, each of up to 2,000. The next time goes on.
const (
	expireEvery = time.Minute
	expireMost  = 20
)

// expireErrors deletes errors that have been kept for run.KeepErrors. An error of a later attempt
// is left to that one's entry.
func (c *conn) expireErrors(now time.Time) error {
	var old []run.Listed
	if err := c.query(func(q *stmt) error {
		var l run.Listed
		_ = json.Unmarshal(q.view(0), &l) // a damaged entry names no rows, and goes
		l.Key = q.text(1)
		old = append(old, l)
		return nil
	}, "SELECT body, key FROM error_list WHERE list = ?1 AND key < ?2 ORDER BY key LIMIT ?3", run.EveryError, run.ListedFrom(now.Add(-run.KeepErrors)), expireMost); err != nil {
		return err
	}
	for _, l := range old {
		rows, _ := l.Numbers()
		for _, row := range rows {
			if _, err := c.exec("DELETE FROM error WHERE run = ?1 AND batch = ?2 AND row = ?3 AND attempts <= ?4", l.Run, l.Batch, row, l.Attempts); err != nil {
				return err
			}
		}
		if _, err := c.exec("DELETE FROM error_list WHERE list IN (?1, ?2) AND key = ?3", run.EveryError, l.Sync, l.Key); err != nil {
			return err
		}
	}
	return nil
}

// RunErrors lists a run's errors in the order of batch and row. The token is batch#row.
func (s *Store) RunErrors(ctx context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error) {
	if err := run.CheckPage(after); err != nil {
		return nil, "", err
	}
	batch, number, _ := strings.Cut(after, "#")
	last := -1
	if after != "" {
		if last, err = strconv.Atoi(number); err != nil {
			return nil, "", err // a page's token has a number
		}
	}
	more, size := false, 0
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			if more || len(errs) == limit || size > run.ErrorPage {
				more = true
				return nil
			}
			e, err := readError(q)
			size += len(q.view(0)) + len(e.Source)
			errs = append(errs, e)
			return err
		}, "SELECT body, source FROM error WHERE run = ?1 AND (batch, row) > (?2, ?3) ORDER BY batch, row LIMIT ?4", runID, batch, last, limit+1)
	})
	if err != nil {
		return nil, "", fmt.Errorf("errors of run %s: %w", runID, err)
	}
	if more && len(errs) > 0 {
		e := errs[len(errs)-1]
		next = e.Batch + "#" + strconv.Itoa(e.Row)
	}
	return errs, next, nil
}

// readError reads the columns body and source.
func readError(q *stmt) (e run.RowError, err error) {
	if err := json.Unmarshal(q.view(0), &e); err != nil {
		return e, err
	}
	e.Source, err = envelope.UnpackSource(q.view(1))
	return e, err
}

// ErrorsByRef reads the errors of one sync that exist among refs, by Ref.
func (s *Store) ErrorsByRef(ctx context.Context, sync string, refs []string) (map[string]run.RowError, error) {
	found := map[string]run.RowError{}
	err := s.read(ctx, func(c *conn) error {
		return c.errors(sync, refs, func(e run.RowError) error { found[e.Ref()] = e; return nil })
	})
	if err != nil {
		return nil, fmt.Errorf("read %d errors of sync %q: %w", len(refs), sync, err)
	}
	return found, nil
}

// EndDue says in errors that they are not sent again by themselves any more, and
// why: run.RowError.Ended. Attempts stay.
func (s *Store) EndDue(ctx context.Context, sync string, refs []string, why string) error {
	err := s.write(ctx, func(c *conn) error {
		return c.errors(sync, refs, func(e run.RowError) error {
			e = e.Ended(why)
			e.Source = nil
			body, err := json.Marshal(e)
			if err != nil {
				return err
			}
			_, err = c.exec("UPDATE error SET body = ?1 WHERE run = ?2 AND batch = ?3 AND row = ?4", string(body), e.Run, e.Batch, e.Row)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("end the due of %d errors of sync %q: %w", len(refs), sync, err)
	}
	return nil
}

// errors calls each with the errors of the sync that exist among refs.
func (c *conn) errors(sync string, refs []string, each func(run.RowError) error) error {
	for _, ref := range refs {
		runID, batch, row, err := run.ParseRef(ref)
		if err != nil {
			return err
		}
		var e run.RowError
		found := false
		err = c.query(func(q *stmt) (err error) {
			found = true
			e, err = readError(q)
			return err
		}, "SELECT body, source FROM error WHERE run = ?1 AND batch = ?2 AND row = ?3 AND sync = ?4", runID, batch, row, sync)
		if err == nil && found {
			err = each(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
