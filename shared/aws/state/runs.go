package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

// BeginRun implements pipeline.Runs.
func (s *Store) BeginRun(ctx context.Context, r run.Run) (run.Run, error) {
	for range attempts {
		writes, err := s.newRun(r)
		if err != nil {
			return run.Run{}, fmt.Errorf("begin run %s: %w", r.ID, err)
		}
		mark := item(syncPK(r.Sync), "ACTIVE", attr.Item{"run": attr.S(r.ID)})
		err = s.transact(ctx, append(writes, s.create(mark)))
		if err == nil {
			return r, nil
		}
		if !refusedAt(err, len(writes)) {
			return run.Run{}, fmt.Errorf("begin run %s: %w", r.ID, err)
		}
		active, err := s.active(ctx, r.Sync)
		switch {
		case errors.Is(err, pipeline.ErrNotFound): // it has just ended
		case err != nil:
			return run.Run{}, fmt.Errorf("begin run %s: read the active run: %w", r.ID, err)
		default:
			stored, err := s.Run(ctx, active)
			if err != nil {
				return run.Run{}, fmt.Errorf("begin run %s: %w", r.ID, err)
			}
			return stored, fmt.Errorf("begin run %s: %w", r.ID, pipeline.ErrActive)
		}
	}
	return run.Run{}, fmt.Errorf("begin run %s: other runs of the sync began and ended %d times meanwhile", r.ID, attempts)
}

// EnsureRun implements pipeline.Runs. It reads first, since all batches but a
// run's first find it there.
func (s *Store) EnsureRun(ctx context.Context, r run.Run) (run.Run, error) {
	stored, err := s.Run(ctx, r.ID)
	if !errors.Is(err, pipeline.ErrNotFound) {
		return stored, err
	}
	writes, err := s.newRun(r)
	if err == nil {
		err = s.transact(ctx, writes)
	}
	if refusedAt(err, 0) {
		return s.Run(ctx, r.ID)
	}
	if err != nil {
		return run.Run{}, fmt.Errorf("ensure run %s: %w", r.ID, err)
	}
	return r, nil
}

// newRun writes a run that does not exist, its place in the order of runs, and
// its mark as open.
func (s *Store) newRun(r run.Run) ([]types.TransactWriteItem, error) {
	stored, err := s.runItem(r)
	if err != nil {
		return nil, err
	}
	begun := fmt.Sprintf("BEGUN#%020d#%s", r.BegunAt.UnixNano(), r.ID)
	return []types.TransactWriteItem{
		s.create(stored),
		s.put(item(syncPK(r.Sync), begun, attr.Item{"run": attr.S(r.ID), attr.Expires: s.expiry()})),
		s.put(item("OPEN", r.ID, nil)),
	}, nil
}

func (s *Store) runItem(r run.Run) (attr.Item, error) {
	content, err := body(r)
	return item(syncPK(r.Sync), "RUN#"+r.ID, attr.Item{"body": content, "revision": attr.N(r.Revision), attr.Expires: s.expiry()}), err
}

// Run implements pipeline.Runs.
func (s *Store) Run(ctx context.Context, id string) (run.Run, error) {
	var r run.Run
	if err := s.getJSON(ctx, syncPK(run.SyncOf(id)), "RUN#"+id, &r); err != nil {
		return run.Run{}, fmt.Errorf("run %s: %w", id, err)
	}
	return r, nil
}

// UpdateRun implements pipeline.Runs.
func (s *Store) UpdateRun(ctx context.Context, r run.Run, watermark string) error {
	if err := s.updateRun(ctx, r, watermark); err != nil {
		return fmt.Errorf("update run %s: %w", r.ID, err)
	}
	return nil
}

func (s *Store) updateRun(ctx context.Context, r run.Run, watermark string) error {
	old := r.Revision
	r.Revision++
	stored, err := s.runItem(r)
	if err != nil {
		return err
	}
	writes := []types.TransactWriteItem{{Put: &types.Put{
		TableName: s.table, Item: stored, ConditionExpression: aws.String("revision = :old"),
		ExpressionAttributeValues: attr.Item{":old": attr.N(old)},
	}}}
	if !r.Status.Ended() {
		writes = append(writes, s.put(item("OPEN", r.ID, nil)))
	} else {
		writes = append(writes, types.TransactWriteItem{Delete: &types.Delete{TableName: s.table, Key: attr.Key("OPEN", r.ID)}})
		end, err := s.endActive(ctx, r)
		if err != nil {
			return err
		}
		writes = append(writes, end...)
	}
	if watermark != "" { // I4: in the transaction that completes the run
		writes = append(writes, s.put(item(syncPK(r.Sync), "WATERMARK", attr.Item{"value": attr.S(watermark)})))
	}
	if err = s.transact(ctx, writes); refusedAt(err, 0) {
		return pipeline.ErrConflict
	}
	return err
}

// endActive takes the mark of the active run away if it is r's. Only an update of
// r moves it, and that changes the revision, so that reading it first is safe.
func (s *Store) endActive(ctx context.Context, r run.Run) ([]types.TransactWriteItem, error) {
	if !r.Bracketed {
		return nil, nil
	}
	active, err := s.active(ctx, r.Sync)
	if errors.Is(err, pipeline.ErrNotFound) || err == nil && active != r.ID {
		return nil, nil
	}
	return []types.TransactWriteItem{{Delete: &types.Delete{
		TableName: s.table, Key: attr.Key(syncPK(r.Sync), "ACTIVE"),
	}}}, err
}

func (s *Store) active(ctx context.Context, sync string) (string, error) {
	mark, err := s.get(ctx, syncPK(sync), "ACTIVE")
	return attr.String(mark["run"]), err
}

// OpenRuns implements pipeline.Runs, in the order of their ids.
func (s *Store) OpenRuns(ctx context.Context) ([]run.Run, error) {
	var ids []string
	err := s.query(ctx, "OPEN", "", false, 0, func(i attr.Item) error {
		ids = append(ids, attr.String(i[attr.SK]))
		return nil
	})
	var runs []run.Run
	if err == nil {
		runs, err = s.runs(ctx, ids)
	}
	if err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	return runs, nil
}

// RecentRuns implements pipeline.Runs.
func (s *Store) RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error) {
	if limit <= 0 {
		return nil, nil
	}
	var ids []string
	err := s.query(ctx, syncPK(sync), "BEGUN#", true, limit, func(i attr.Item) error {
		ids = append(ids, attr.String(i["run"]))
		return nil
	})
	var runs []run.Run
	if err == nil {
		runs, err = s.runs(ctx, ids)
	}
	if err != nil {
		return nil, fmt.Errorf("list runs of sync %q: %w", sync, err)
	}
	return runs, nil
}

// runs reads runs, in the order of ids; expired ones are left out.
func (s *Store) runs(ctx context.Context, ids []string) ([]run.Run, error) {
	found := make(map[string]run.Run, len(ids))
	for from := 0; from < len(ids); from += 100 { // BatchGetItem takes 100 keys
		var keys []map[string]types.AttributeValue
		for _, id := range ids[from:min(from+100, len(ids))] {
			keys = append(keys, attr.Key(syncPK(run.SyncOf(id)), "RUN#"+id))
		}
		ask := map[string]types.KeysAndAttributes{*s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
		for attempt := 1; len(ask) > 0; attempt++ {
			out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
			if err != nil {
				return nil, err
			}
			for _, i := range out.Responses[*s.table] {
				var r run.Run
				if err := unmarshalBody(i, &r); err != nil {
					return nil, err
				}
				found[r.ID] = r
			}
			if ask = out.UnprocessedKeys; len(ask) > 0 {
				if err := attr.Backoff(ctx, attempt); err != nil {
					return nil, err
				}
			}
		}
	}
	var runs []run.Run
	for _, id := range ids {
		if r, ok := found[id]; ok {
			runs = append(runs, r)
		}
	}
	return runs, nil
}

// Watermark implements pipeline.Runs.
func (s *Store) Watermark(ctx context.Context, sync string) (string, error) {
	mark, err := s.get(ctx, syncPK(sync), "WATERMARK")
	if err != nil && !errors.Is(err, pipeline.ErrNotFound) {
		return "", fmt.Errorf("watermark of sync %q: %w", sync, err)
	}
	return attr.String(mark["value"]), nil
}
