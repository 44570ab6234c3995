package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/penstock-data/penstock/shared/run"
)

// CountGate adds a batch's rows to those of its run, once, and returns what the run has.
func (s *Store) CountGate(ctx context.Context, runID, batch string, c run.GateCounts) (all run.GateCounts, err error) {
	err = s.write(ctx, func(db *conn) error {
		all = run.GateCounts{}
		err := db.query(func(q *stmt) error { return json.Unmarshal(q.view(0), &all) }, "SELECT body FROM gate WHERE run = ?1 AND batch = ''", runID)
		if err != nil {
			return err
		}
		first, err := db.exec("INSERT INTO gate (run, batch, body) VALUES (?1, ?2, '') ON CONFLICT DO NOTHING", runID, batch)
		if err != nil || first == 0 {
			return err
		}
		all = all.Add(c)
		body, err := json.Marshal(all)
		if err == nil {
			_, err = db.exec("INSERT OR REPLACE INTO gate (run, batch, body) VALUES (?1, '', ?2)", runID, string(body))
		}
		return err
	})
	if err != nil {
		return run.GateCounts{}, fmt.Errorf("count batch %s of run %s for its gate: %w", batch, runID, err)
	}
	return all, nil
}
