package ledger

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestFieldHash(t *testing.T) {
	if FieldHash(nil) != 0 || FieldHash(jsontext.Value(`null`)) == 0 || FieldHash(jsontext.Value(`1`)) == FieldHash(jsontext.Value(`2`)) {
		t.Error("left alone, null, 1 and 2 are not told apart")
	}
	if got := FieldHash(jsontext.Value(`"ACME"`)); got != 0x688450e7 {
		t.Errorf("the stored form changed: %#x; updates would send whole records once", got)
	}
}
