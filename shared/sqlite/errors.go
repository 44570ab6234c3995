package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

// maxSource is where a row's stored JSON is cut off, in bytes.
const maxSource = 256 << 10

// StoreErrors implements pipeline.Errors.
func (s *Store) StoreErrors(ctx context.Context, errs []run.RowError) error {
	if len(errs) == 0 {
		return nil
	}
	err := s.write(ctx, func(c *conn) error {
		for _, e := range errs {
			source := e.Source[:min(len(e.Source), maxSource)]
			e.Source = nil // beside the body, where it need not be base64
			body, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := c.exec("INSERT OR REPLACE INTO error (run, batch, row, body, source) VALUES (?1, ?2, ?3, ?4, ?5)",
				e.Run, e.Batch, e.Row, string(body), source); err != nil {
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

// RunErrors implements pipeline.Errors. The token is batch#row.
func (s *Store) RunErrors(ctx context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error) {
	batch, number, _ := strings.Cut(after, "#")
	last := -1
	if after != "" {
		if last, err = strconv.Atoi(number); err != nil {
			return nil, "", fmt.Errorf("errors of run %s: the token %q is not one that this call returned", runID, after)
		}
	}
	more, size := false, 0
	err = s.read(ctx, func(c *conn) error {
		return c.query(func(q *stmt) error {
			if more || len(errs) == limit || size > pipeline.ErrorPage {
				more = true
				return nil
			}
			var e run.RowError
			err := json.Unmarshal(q.view(0), &e)
			e.Source = q.bytes(1)
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
