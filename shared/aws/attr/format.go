package attr

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/run"
)

// F is the attribute that holds an item's format number.
const F = "f"

// Format says in which format an item is stored.
func Format(n int64) types.AttributeValue { return N(n) }

// Known refuses an item that is stored in another format than the one that this
// program knows, with both numbers; run.ErrFormat. what names the item, and holds no
// row value (I6).
func Known(item Item, format int64, what string) error {
	if found := Int(item[F]); found != format {
		return fmt.Errorf("%w: %s has format %d, this program knows format %d", run.ErrFormat, what, found, format)
	}
	return nil
}

// MaxItem is the most bytes that an item may have. DynamoDB takes 400 KB, but every
// change of an item is charged by its whole size.
const MaxItem = 100_000

// ErrTooLarge says that an item would pass MaxItem. From Fits.
var ErrTooLarge = errors.New("an item is too large")

// Fits refuses an item over MaxItem.
func Fits(item Item, what string) error {
	if n := Size(item); n > MaxItem {
		return fmt.Errorf("%w: %s has %d bytes, at most %d are stored", ErrTooLarge, what, n, MaxItem)
	}
	return nil
}

// Size is an item's size in bytes as DynamoDB counts it: names, text and binary
// values as they are, a number a byte per two digits and one more (Amazon DynamoDB
// Developer Guide, "Item sizes and formats").
func Size(item Item) int {
	size := 0
	for name, v := range item {
		size += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberB:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += (len(v.Value)+1)/2 + 1
		default:
			size++
		}
	}
	return size
}
