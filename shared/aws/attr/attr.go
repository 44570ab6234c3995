// Package attr writes and reads DynamoDB attribute values, and knows what all
// tables share: their keys pk and sk, both strings, the TTL attribute expires_at, in
// Unix seconds, the format number f of every item, and how a refused call is tried
// again.
package attr

import (
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The names in every table.
const (
	PK      = "pk"
	SK      = "sk"
	Expires = "expires_at"
)

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

// Refused reports whether a conditional write found its condition false, with
// the item that it found, if that was asked for.
func Refused(err error) (Item, bool) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return failed.Item, true
	}
	return nil, false
}
