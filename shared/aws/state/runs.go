package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// BeginRun stores a bracketed run as the sync's latest, over the latest one that the
// caller read; run.ErrConflict when another one is, or when a run of that id is
// stored and is not the latest.
func (s *Store) BeginRun(ctx context.Context, r run.Run, latest string) error {
	writes, err := s.newRun(r)
	if err == nil {
		condition, values := absent, attr.Item(nil)
		if latest != "" {
			condition, values = "run = :latest", attr.Item{":latest": attr.S(latest)}
		}
		mark := item(syncPK(r.Sync), "LATEST", attr.Item{"run": attr.S(r.ID)})
		err = s.transact(ctx, append(writes, s.puttingIf(mark, condition, values)))
	}
	if refused(err) {
		var stored string
		if stored, err = s.latest(ctx, r.Sync); err == nil && stored != r.ID { // else the same begin again
			err = run.ErrConflict
		}
	}
	if err != nil {
		return fmt.Errorf("begin run %s: %w", r.ID, err)
	}
	return nil
}

// Latest is the id of the sync's bracketed run that was begun last; "" none.
func (s *Store) Latest(ctx context.Context, sync string) (string, error) {
	id, err := s.latest(ctx, sync)
	if err != nil {
		return "", fmt.Errorf("latest run of sync %q: %w", sync, err)
	}
	return id, nil
}

func (s *Store) latest(ctx context.Context, sync string) (string, error) {
	mark, err := s.get(ctx, syncPK(sync), "LATEST")
	if errors.Is(err, run.ErrNotFound) {
		return "", nil
	}
	return attr.String(mark["run"]), err
}

// EnsureRun stores an implicit run unless it exists, and returns what is stored. It
// reads first, since all batches but a run's first find it there.
func (s *Store) EnsureRun(ctx context.Context, r run.Run) (run.Run, error) {
	stored, err := s.Run(ctx, r.ID)
	if !errors.Is(err, run.ErrNotFound) {
		return stored, err
	}
	writes, err := s.newRun(r)
	if err == nil {
		err = s.transact(ctx, writes)
	}
	if refused(err) {
		return s.Run(ctx, r.ID)
	}
	if err != nil {
		return run.Run{}, fmt.Errorf("ensure run %s: %w", r.ID, err)
	}
	return r, nil
}

// newRun writes a run that does not exist, its place in the order of runs, and that
// it is open.
func (s *Store) newRun(r run.Run) ([]types.TransactWriteItem, error) {
	stored, err := s.runItem(r)
	if err != nil {
		return nil, err
	}
	return []types.TransactWriteItem{
		s.puttingIf(stored, absent, nil),
		s.putting(item(syncPK(r.Sync), "BEGUN#"+number(r.BegunAt)+"#"+r.ID, attr.Item{"run": attr.S(r.ID), attr.Expires: s.expiry()})),
		s.putting(live(listOpen, r.ID)),
	}, nil
}

func (s *Store) runItem(r run.Run) (attr.Item, error) {
	return revised(syncPK(r.Sync), "RUN#"+r.ID, r.Revision-1, r, attr.Item{"live": attr.S(listed(r)), attr.Expires: s.expiry()})
}

// Run reads one run; run.ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (run.Run, error) {
	var r run.Run
	if err := s.getJSON(ctx, syncPK(run.SyncOf(id)), "RUN#"+id, &r); err != nil {
		return run.Run{}, fmt.Errorf("run %s: %w", id, err)
	}
	return r, nil
}

// UpdateRun replaces a run whose stored Revision is r.Revision, and stores it with
// Revision+1; run.ErrConflict otherwise. Only where its place among
// the live runs changes that is written with it, in one transaction.
func (s *Store) UpdateRun(ctx context.Context, r run.Run) error {
	if err := s.updateRun(ctx, r); err != nil {
		return fmt.Errorf("update run %s: %w", r.ID, err)
	}
	return nil
}

func (s *Store) updateRun(ctx context.Context, r run.Run) error {
	read := r.Revision
	r.Revision++
	i, err := s.runItem(r)
	if err != nil {
		return err
	}
	found, err := s.put(ctx, i, sameRevision+" AND live = :live", attr.Item{":read": attr.N(read), ":live": i["live"]})
	switch _, other := attr.Refused(err); {
	case !other:
		return err
	case len(found) == 0 || attr.Int(found["revision"]) != read:
		return run.ErrConflict
	}
	return conflict(s.transact(ctx, s.change(r, i, read)))
}

// The runs that are live, as the sort keys of the partition LIVE begin; a sweep reads it once.
const (
	livePK    = "LIVE"
	listOpen  = "OPEN#"  // those that go on
	listEnded = "ENDED#" // whose last rows are counted
	listNone  = ""       // the others are not there
)

func live(list, id string) attr.Item { return item(livePK, list+id, attr.Item{"run": attr.S(id)}) }

func listed(r run.Run) string {
	switch {
	case !r.Status.Ended():
		return listOpen
	case r.Live():
		return listEnded
	}
	return listNone
}

// change are the writes that store a run over the revision that was read, and its place in
// the lists.
func (s *Store) change(r run.Run, i attr.Item, read int64) []types.TransactWriteItem {
	writes := []types.TransactWriteItem{s.puttingIf(i, sameRevision, attr.Item{":read": attr.N(read)})}
	for _, list := range []string{listOpen, listEnded} {
		if list == listed(r) {
			writes = append(writes, s.putting(live(list, r.ID)))
		} else {
			writes = append(writes, s.deleting(livePK, list+r.ID))
		}
	}
	return writes
}

func conflict(err error) error {
	if refused(err) {
		return run.ErrConflict
	}
	return err
}

// CompleteRun is UpdateRun together with SetMark, in one transaction (I4).
func (s *Store) CompleteRun(ctx context.Context, r run.Run, m run.Mark) error {
	if err := s.completeRun(ctx, r, m); err != nil {
		return fmt.Errorf("complete run %s: %w", r.ID, err)
	}
	return nil
}

func (s *Store) completeRun(ctx context.Context, r run.Run, m run.Mark) error {
	read := r.Revision
	r.Revision++
	i, err := s.runItem(r)
	if err != nil {
		return err
	}
	mark, err := markItem(m)
	if err != nil {
		return err
	}
	condition, values := over(m.Revision)
	return conflict(s.transact(ctx, append(s.change(r, i, read), s.puttingIf(mark, condition, values))))
}

// LiveRuns lists the runs that are live.
func (s *Store) LiveRuns(ctx context.Context) ([]run.Run, error) {
	all, err := s.listRuns(ctx, whole(livePK), "run")
	if err != nil {
		return nil, fmt.Errorf("list live runs: %w", err)
	}
	return all, nil
}

// RecentRuns lists a sync's runs, newest BegunAt first.
func (s *Store) RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error) {
	if limit <= 0 {
		return nil, nil
	}
	newest := prefix(syncPK(sync), "BEGUN#")
	newest.descending, newest.limit = true, limit
	all, err := s.listRuns(ctx, newest, "run")
	if err != nil {
		return nil, fmt.Errorf("list runs of sync %q: %w", sync, err)
	}
	return all, nil
}

// RunsBefore goes on after the run of that BegunAt and id, in the same order.
func (s *Store) RunsBefore(ctx context.Context, sync string, begun time.Time, id string, limit int) ([]run.Run, error) {
	if limit <= 0 {
		return nil, nil
	}
	older := prefix(syncPK(sync), "BEGUN#")
	older.to = "BEGUN#" + number(begun) + "#" + id
	older.descending, older.limit = true, limit+1 // BETWEEN takes the run itself too
	all, err := s.listRuns(ctx, older, "run")
	if err != nil {
		return nil, fmt.Errorf("list older runs of sync %q: %w", sync, err)
	}
	all = slices.DeleteFunc(all, func(r run.Run) bool { return r.ID == id })
	return all[:min(limit, len(all))], nil
}

// RetriesOf lists the runs that have sent a run's rows again, in the order of their ids.
func (s *Store) RetriesOf(ctx context.Context, id string) ([]run.Run, error) {
	var all []run.Run
	own := "RUN#" + id
	err := s.query(ctx, span{pk: syncPK(run.SyncOf(id)), from: own + "~", to: own + "\x7f"}, func(i attr.Item) error {
		var r run.Run
		err := unmarshalBody(i, &r)
		all = append(all, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the retries of run %q: %w", id, err)
	}
	return all, nil
}

// listRuns reads the runs that the items of a span name.
func (s *Store) listRuns(ctx context.Context, in span, name string) ([]run.Run, error) {
	var ids []string
	err := s.query(ctx, in, func(i attr.Item) error {
		ids = append(ids, attr.String(i[name]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.getRuns(ctx, ids)
}
