package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

// No line of the audit log is wider than a terminal, however long the names are.
func TestAuditFitsATerminal(t *testing.T) {
	at := time.Date(2026, 1, 31, 6, 0, 0, 0, time.UTC)
	for _, c := range []struct{ who, on, want string }{
		{"anna", "accounts", "2026-01-31 06:00 UTC, just now  anna  pause accounts: refused\n    why\n"},
		{"REVERSE_ETL_PRODUCTION", "salesforce_customer_health_of_europe", "2026-01-31 06:00 UTC, just now\n    REVERSE_ETL_PRODUCTION pause salesforce_customer_health_of_europe: refused\n    why\n"},
	} {
		var out bytes.Buffer
		s := program{out: &out, clock: clock{now: func() time.Time { return at }, zone: time.UTC}}
		s.printAction(run.Action{At: at, Who: c.who, What: "pause", On: c.on, Result: run.ActionRefused, Note: "why"})
		if d := cmp.Diff(c.want, out.String()); d != "" {
			t.Error(d)
		}
		for line := range strings.Lines(out.String()) {
			if len(line) > widest+1 {
				t.Errorf("%d columns: %s", len(line)-1, line)
			}
		}
	}
}
