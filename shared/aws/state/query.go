package state

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// A span is the items of a partition whose sort keys are from..to, both included.
type span struct {
	pk, from, to string
	descending   bool // newest first
	limit        int  // at most so many; 0 is all
}

// prefix is the items of a partition whose sort keys begin with a text that ends in "#".
func prefix(pk, p string) span {
	return span{pk: pk, from: p, to: p[:len(p)-1] + "$"} // "$" is the character after "#"
}

// whole is a whole partition.
func whole(pk string) span { return span{pk: pk} }

// query calls each for the items of a span, in order. each may call the store.
func (s *Store) query(ctx context.Context, in span, each func(attr.Item) error) error {
	ask := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(!in.descending),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: attr.Item{":pk": attr.S(in.pk)},
	}
	if in.to != "" {
		ask.KeyConditionExpression = aws.String("pk = :pk AND sk BETWEEN :from AND :to")
		ask.ExpressionAttributeValues[":from"], ask.ExpressionAttributeValues[":to"] = attr.S(in.from), attr.S(in.to)
	}
	if in.limit > 0 {
		ask.Limit = aws.Int32(int32(min(in.limit, 1000)))
	}
	seen := 0
	for {
		out, err := s.db.Query(ctx, ask)
		if err != nil {
			return err
		}
		for _, i := range out.Items {
			if err := attr.Known(i, format, nameOf(i)); err != nil {
				return err
			}
			if err := each(i); err != nil {
				return err
			}
			if seen++; seen == in.limit {
				return nil
			}
		}
		if ask.ExclusiveStartKey = out.LastEvaluatedKey; ask.ExclusiveStartKey == nil {
			return nil
		}
	}
}

// getRuns reads runs, in the order of ids; those that expired are left out.
func (s *Store) getRuns(ctx context.Context, ids []string) ([]run.Run, error) {
	found := make(map[string]run.Run, len(ids))
	for from := 0; from < len(ids); from += 100 { // BatchGetItem takes 100 keys
		var keys []attr.Item
		for _, id := range ids[from:min(from+100, len(ids))] {
			keys = append(keys, attr.Key(syncPK(run.SyncOf(id)), "RUN#"+id))
		}
		items, err := attr.GetAll(ctx, s.db, *s.table, keys)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			var r run.Run
			if err := attr.Known(i, format, nameOf(i)); err != nil {
				return nil, err
			}
			if err := unmarshalBody(i, &r); err != nil {
				return nil, err
			}
			found[r.ID] = r
		}
	}
	var all []run.Run
	for _, id := range ids {
		if r, ok := found[id]; ok {
			all = append(all, r)
		}
	}
	return all, nil
}
