package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func syncPK(sync string) string { return "SYNC#" + sync }

// Current implements pipeline.Syncs.
func (s *Store) Current(ctx context.Context, sync string) (syncdef.Version, error) {
	current, err := s.get(ctx, syncPK(sync), "CURRENT")
	if err != nil {
		return syncdef.Version{}, fmt.Errorf("current version of sync %q: %w", sync, err)
	}
	return s.Version(ctx, sync, attr.String(current["version"]))
}

// Version implements pipeline.Syncs.
func (s *Store) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	var v syncdef.Version
	if err := s.getJSON(ctx, syncPK(sync), "V#"+id, &v); err != nil {
		return syncdef.Version{}, fmt.Errorf("version %s of sync %q: %w", id, sync, err)
	}
	return v, nil
}

// Apply implements pipeline.Syncs. A version that is stored already keeps its
// first AppliedAt. The version is there before anything points to it.
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
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: s.table, Item: item(syncPK(name), "V#"+v.ID, attr.Item{"body": content}),
		ConditionExpression: aws.String("attribute_not_exists(pk)"),
	})
	if _, stored := attr.Refused(err); err != nil && !stored {
		return err
	}
	return s.transact(ctx, []types.TransactWriteItem{
		s.put(item(syncPK(name), "CURRENT", attr.Item{"version": attr.S(v.ID)})),
		s.put(item("SYNCS", name, nil)),
	})
}

// List implements pipeline.Syncs.
func (s *Store) List(ctx context.Context) ([]string, error) {
	var names []string
	err := s.query(ctx, "SYNCS", "", false, 0, func(i attr.Item) error {
		names = append(names, attr.String(i[attr.SK]))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	return names, nil
}

func refusedAt(err error, index int) bool {
	var refused *refusedError
	if !errors.As(err, &refused) {
		return false
	}
	for _, at := range refused.at {
		if at == index {
			return true
		}
	}
	return false
}
