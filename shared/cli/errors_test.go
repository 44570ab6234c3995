package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// A row without a record id is named by its place, which people count from one.
func TestErrorOfRowWithoutID(t *testing.T) {
	var out bytes.Buffer
	s := program{out: &out, clock: clock{now: time.Now, zone: time.UTC}}
	errorsCmd{}.print(s, []run.RowError{{Run: "things.q1", Row: 0, Stage: "intake", Type: "missing_record_id"}}, false)
	if !strings.Contains(out.String(), "  row 1 of its batch, intake: missing_record_id\n") {
		t.Error(out.String())
	}
}
