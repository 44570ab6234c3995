package state

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

func auditPK(at time.Time) string { return "AUDIT#" + at.UTC().Format(time.DateOnly) }

// StoreAction stores an action, over that of the same At and ID. It expires after
// run.KeepActions.
func (s *Store) StoreAction(ctx context.Context, a run.Action) error {
	content, err := body(a)
	if err == nil {
		fields := attr.Item{"body": content, attr.Expires: attr.N(a.At.Add(run.KeepActions).Unix())}
		err = s.overwrite(ctx, item(auditPK(a.At), number(a.At)+"#"+a.ID, fields))
	}
	if err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

// Actions lists what was done since a moment, the newest first, at most limit: a query
// for each day.
func (s *Store) Actions(ctx context.Context, since time.Time, limit int) ([]run.Action, error) {
	now := s.now()
	if oldest := now.Add(-run.KeepActions); since.Before(oldest) {
		since = oldest
	}
	var all []run.Action
	first := auditPK(since)
	for day := now.UTC().Add(24 * time.Hour); auditPK(day) >= first && len(all) < limit; day = day.AddDate(0, 0, -1) { // tomorrow: clocks differ
		in := span{pk: auditPK(day), from: number(since), to: "~", descending: true, limit: limit - len(all)}
		err := s.query(ctx, in, func(i attr.Item) error {
			var a run.Action
			err := unmarshalBody(i, &a)
			all = append(all, a)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
	}
	return all, nil
}
