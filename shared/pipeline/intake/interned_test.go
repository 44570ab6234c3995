package intake

import (
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/row"
)

// A batch's distinct faults stay small also where each is long: beyond the bound one
// stands for all others.
func TestLongFaultsShareOne(t *testing.T) {
	var f faults
	bytes := 0
	for n := range 40 {
		f.index(&row.Fault{Rule: "r", Message: fmt.Sprint(n) + strings.Repeat("x", 2000)})
	}
	for _, one := range f.list {
		bytes += len(one.Message)
	}
	if last := f.list[len(f.list)-1]; bytes > maxFaultBytes+500 || len(f.list) < 4 || last.Rule != ruleMany {
		t.Errorf("%d faults of %d bytes, the last %q", len(f.list), bytes, last.Rule)
	}
}
