package errors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
)

// listPK is the partition of a list of errors by time. No sync's shard has this name.
func listPK(list string) string { return list + "#new" }

// list enters errors into the lists, theirs and that of all, before they are stored: no
// stored error is without an entry, and an entry of one that is not stored is passed over.
// An entry is written once for the errors that were stored together.
func (s *Store) list(ctx context.Context, errs []run.RowError, expires types.AttributeValue) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, l := range run.List(errs) {
		g.Go(func() error { return s.enter(gctx, l, expires) })
	}
	return g.Wait()
}

// enter writes one entry into its two lists; one that is there stays.
func (s *Store) enter(ctx context.Context, l run.Listed, expires types.AttributeValue) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	sk := l.Place()
	for _, list := range []string{l.Sync, run.EveryError} {
		item := attr.Key(listPK(list), sk)
		item[attr.F], item["packed"], item[attr.Expires] = attr.Format(format), attr.B(envelope.PackSource(text, envelope.AsIsInItem)), expires
		if err := attr.Fits(item, "an entry of the list of errors"); err != nil {
			return err
		}
		_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: s.table, Item: item, ConditionExpression: aws.String("attribute_not_exists(pk)")})
		if _, there := attr.Refused(err); err != nil && !there {
			return err
		}
	}
	return nil
}

// ListErrors calls each with the entries of a list of errors, the newest first: from the
// one of that Key on, "" from the newest, at most limit, until each answers false. It asks
// once. more says that there may be older ones than the last.
func (s *Store) ListErrors(ctx context.Context, list, from string, limit int, each func(run.Listed) bool) (more bool, err error) {
	if limit <= 0 {
		return false, nil
	}
	ask := &dynamodb.QueryInput{
		TableName: s.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(min(limit, 1000))),
		KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: attr.Item{":pk": attr.S(listPK(list))},
	}
	if from != "" {
		ask.KeyConditionExpression = aws.String("pk = :pk AND sk <= :from")
		ask.ExpressionAttributeValues[":from"] = attr.S(from)
	}
	out, err := s.db.Query(ctx, ask)
	if err != nil {
		return false, fmt.Errorf("list errors: %w", err)
	}
	for n, i := range out.Items {
		l, err := readListed(i)
		if err != nil {
			return false, fmt.Errorf("list errors: %w", err)
		}
		if !each(l) && n < len(out.Items)-1 {
			return true, nil
		}
	}
	return out.LastEvaluatedKey != nil, nil
}

func readListed(i attr.Item) (l run.Listed, err error) {
	name := "the entry " + attr.String(i[attr.SK]) + " of the list of errors"
	if err := attr.Known(i, format, name); err != nil {
		return l, err
	}
	text, err := envelope.UnpackSource(attr.Bytes(i["packed"]))
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		return run.Listed{}, errors.New(name + " cannot be read: it is damaged")
	}
	l.Key = attr.String(i[attr.SK])
	return l, nil
}
