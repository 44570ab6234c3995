// Package attr writes and reads DynamoDB attribute values, and knows the names
// that all tables share: pk and sk, both strings, and the TTL attribute
// expires_at, in Unix seconds.
package attr

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The names in every table.
const (
	PK      = "pk"
	SK      = "sk"
	Expires = "expires_at"
)

// Client makes a client of the tables. The SDK's own check of an answer's checksum
// is off: as of 1.73.1 it fails on every refused condition, whose body it does not
// see, and logs a warning each time. TLS guards the answers.
func Client(cfg aws.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true })
}

// An Item is one item, or the key of one.
type Item = map[string]types.AttributeValue

// Key is the key of an item.
func Key(pk, sk string) Item { return Item{PK: S(pk), SK: S(sk)} }

// S is a string.
func S(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

// N is a number.
func N(v int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
}

// B is a binary value.
func B(v []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: v} }

// Bool is a boolean.
func Bool(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }

// Map is a map.
func Map(v Item) types.AttributeValue { return &types.AttributeValueMemberM{Value: v} }

// String reads a string; "" when it is absent or of another type.
func String(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// Int reads a number; 0 when it is absent or no integer.
func Int(v types.AttributeValue) int64 {
	if n, ok := v.(*types.AttributeValueMemberN); ok {
		i, _ := strconv.ParseInt(n.Value, 10, 64)
		return i
	}
	return 0
}

// Bytes reads a binary value; nil when it is absent.
func Bytes(v types.AttributeValue) []byte {
	if b, ok := v.(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	return nil
}

// True reads a boolean.
func True(v types.AttributeValue) bool {
	b, ok := v.(*types.AttributeValueMemberBOOL)
	return ok && b.Value
}

// Fields reads a map; nil when it is absent.
func Fields(v types.AttributeValue) Item {
	if m, ok := v.(*types.AttributeValueMemberM); ok {
		return m.Value
	}
	return nil
}

// Refused reports whether a conditional write found its condition false, with
// the item that it found, if that was asked for.
func Refused(err error) (Item, bool) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return failed.Item, true
	}
	return nil, false
}

// Backoff waits before the attempt of that number, counted from 1: up to 25 ms,
// doubled each time, at most 800 ms. It is for what the SDK does not retry.
func Backoff(ctx context.Context, attempt int) error {
	most := 25 * time.Millisecond << min(attempt-1, 5)
	timer := time.NewTimer(most/2 + rand.N(most/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
