package state

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
)

// refusedError says which writes of a transaction found their condition false.
type refusedError struct{ at []int }

func (e *refusedError) Error() string {
	return fmt.Sprintf("conditions %v of the transaction were false", e.at)
}

// refused reports whether a transaction was refused by one of its conditions.
func refused(err error) bool {
	var r *refusedError
	return errors.As(err, &r)
}

// transact makes all writes or none; a *refusedError when a condition is false.
// Conflicts with other transactions and throttles, which the SDK does not see in a
// cancelled transaction, are tried again.
func (s *Store) transact(ctx context.Context, writes []types.TransactWriteItem) error {
	for _, w := range writes {
		if w.Put != nil {
			if err := attr.Fits(w.Put.Item, nameOf(w.Put.Item)); err != nil {
				return err
			}
		}
	}
	for attempt := 1; ; attempt++ {
		_, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		var canceled *types.TransactionCanceledException
		if !errors.As(err, &canceled) {
			return err
		}
		failed := &refusedError{}
		for i, reason := range canceled.CancellationReasons {
			switch code := aws.ToString(reason.Code); {
			case code == "ConditionalCheckFailed":
				failed.at = append(failed.at, i)
			case !slices.Contains(again, code):
				return fmt.Errorf("%s: %w", aws.ToString(reason.Message), err)
			}
		}
		if len(failed.at) > 0 {
			return failed
		}
		if late := attr.Backoff(ctx, attempt); late != nil {
			return errors.Join(err, late)
		}
	}
}

// again are the reasons of a cancelled transaction that pass by themselves (Amazon
// DynamoDB API Reference, "TransactWriteItems").
var again = []string{"", "None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

// putting is an unconditional write in a transaction.
func (s *Store) putting(i attr.Item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: i}}
}

// puttingIf is a write that is refused where the condition is false.
func (s *Store) puttingIf(i attr.Item, condition string, values attr.Item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName: s.table, Item: i, ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}
}

// deleting is an unconditional delete in a transaction.
func (s *Store) deleting(pk, sk string) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: s.table, Key: attr.Key(pk, sk)}}
}
