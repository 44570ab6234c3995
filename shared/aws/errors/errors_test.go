package errors

import (
	"bytes"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// DynamoDB refuses items over 400 KB, names of attributes included.
func TestAnItemFits(t *testing.T) {
	for _, filler := range []string{"x", "ü", "\x00", "🙂", "\xff"} {
		long := strings.Repeat(filler, 1<<20)
		item, err := writeItem(run.RowError{
			Sync: "health", Run: "health.1", Batch: "b1", Row: 1, RecordID: long, Key: long, Message: long, Source: bytes.Repeat([]byte("x"), 1<<20),
		})
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for name, v := range item {
			size += len(name) + len(attr.String(v)) + len(attr.Bytes(v))
		}
		if size > 400<<10 {
			t.Errorf("filled with %q: %d bytes", filler, size)
		}
		if !strings.Contains(attr.String(item["body"]), `"error_message":"`) {
			t.Errorf("filled with %q: no message is left", filler)
		}
	}
}
