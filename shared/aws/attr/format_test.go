package attr

import (
	"errors"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/run"
)

func TestKnown(t *testing.T) {
	if err := Known(Item{F: Format(3)}, 3, "it"); err != nil {
		t.Error(err)
	}
	for found, item := range map[string]Item{"format 0,": {}, "format 4,": {F: Format(4)}} {
		err := Known(item, 3, "the item SEQ")
		if !errors.Is(err, run.ErrFormat) || !strings.Contains(err.Error(), found) || !strings.Contains(err.Error(), "knows format 3") || !strings.Contains(err.Error(), "the item SEQ") {
			t.Errorf("%v", err)
		}
	}
}

func TestFits(t *testing.T) {
	item := Item{"pk": S("1234"), "n": N(12345), "b": B(make([]byte, 10)), "ok": Bool(true)}
	if n := Size(item); n != 2+4+1+4+1+10+2+1 {
		t.Errorf("%d bytes", n)
	}
	item["b"] = B(make([]byte, MaxItem-15))
	if err := Fits(item, "it"); err != nil {
		t.Error(err)
	}
	item["b"] = B(make([]byte, MaxItem-14))
	if err := Fits(item, "it"); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}
