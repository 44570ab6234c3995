package state

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func syncPK(sync string) string { return "SYNC#" + sync }

// Current is the applied version of a sync; run.ErrNotFound when none is.
func (s *Store) Current(ctx context.Context, sync string) (syncdef.Version, error) {
	current, err := s.get(ctx, syncPK(sync), "CURRENT")
	if err != nil {
		return syncdef.Version{}, fmt.Errorf("current version of sync %q: %w", sync, err)
	}
	return s.Version(ctx, sync, attr.String(current["version"]))
}

// Version is one revision, applied now or earlier; run.ErrNotFound.
func (s *Store) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	var v syncdef.Version
	if err := s.getJSON(ctx, syncPK(sync), "V#"+id, &v); err != nil {
		return syncdef.Version{}, fmt.Errorf("version %s of sync %q: %w", id, sync, err)
	}
	return v, nil
}

// Apply stores a version and makes it the current one. A version that is stored
// already keeps its first AppliedAt. The version is there before anything points to it.
func (s *Store) Apply(ctx context.Context, v syncdef.Version) error {
	if err := s.apply(ctx, v); err != nil {
		return fmt.Errorf("apply version %s of sync %q: %w", v.ID, v.Definition.Sync, err)
	}
	return nil
}

func (s *Store) apply(ctx context.Context, v syncdef.Version) error {
	content, err := body(v)
	if err != nil {
		return err
	}
	name := v.Definition.Sync
	_, err = s.put(ctx, item(syncPK(name), "V#"+v.ID, attr.Item{"body": content}), absent, nil)
	if _, stored := attr.Refused(err); err != nil && !stored {
		return err
	}
	return s.transact(ctx, []types.TransactWriteItem{
		s.putting(item(syncPK(name), "CURRENT", attr.Item{"version": attr.S(v.ID)})),
		s.putting(item("SYNCS", name, nil)),
		s.deleting("REMOVED", name),
	})
}

// Remove takes the current version away; versions, runs and the sequence stay. That it is
// removed is noted for longer than anything of it can be due.
func (s *Store) Remove(ctx context.Context, sync string) error {
	err := s.transact(ctx, []types.TransactWriteItem{
		s.deleting(syncPK(sync), "CURRENT"), s.deleting("SYNCS", sync),
		s.putting(item("REMOVED", sync, attr.Item{attr.Expires: s.expiry()})),
	})
	if err != nil {
		return fmt.Errorf("remove sync %q: %w", sync, err)
	}
	return nil
}

// List names the syncs that have a current version, sorted.
func (s *Store) List(ctx context.Context) ([]string, error) {
	names, err := s.names(ctx, "SYNCS")
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	return names, nil
}

// Removed names the syncs that were removed lately and not applied again, sorted.
func (s *Store) Removed(ctx context.Context) ([]string, error) {
	names, err := s.names(ctx, "REMOVED")
	if err != nil {
		return nil, fmt.Errorf("list removed syncs: %w", err)
	}
	return names, nil
}

// names are the sort keys of a partition.
func (s *Store) names(ctx context.Context, pk string) (names []string, err error) {
	err = s.query(ctx, whole(pk), func(i attr.Item) error {
		names = append(names, attr.String(i[attr.SK]))
		return nil
	})
	return names, err
}

// NextSequence adds to the sync's counter, whether or not the sync is applied (I3).
// The SDK may repeat the call when an answer is lost: then a number is left out.
func (s *Store) NextSequence(ctx context.Context, sync string) (int64, error) {
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: attr.Key(syncPK(sync), "SEQ"),
		UpdateExpression:    aws.String("SET f = :f ADD n :one"),
		ConditionExpression: aws.String("attribute_not_exists(pk) OR f = :f"),
		ExpressionAttributeValues: attr.Item{
			":f": attr.Format(format), ":one": attr.N(1),
		},
		ReturnValues:                        types.ReturnValueUpdatedNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if found, other := attr.Refused(err); other {
		err = attr.Known(found, format, "the counter")
	}
	if err != nil {
		return 0, fmt.Errorf("next sequence of sync %q: %w", sync, err)
	}
	return attr.Int(out.Attributes["n"]), nil
}
