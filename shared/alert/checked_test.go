package alert

import (
	"strings"
	"testing"
)

// The notices of the daily checks say what differs, and quote the command that mends it.
func TestCheckedNotices(t *testing.T) {
	s := seen(func(s *Seen) {
		s.Drift = []string{"a: one", "b: two", "c: three", "d: four", "e: five"}
		s.Records = Records{Compared: 1000, Missing: 2, Differ: 42, Field: "Health_Score__c", Changed: 40, ChangedOver: 0.01}
	})
	notices, _ := Judge(s, nil, noon, DefaultPolicy)
	want := map[Kind]string{
		SchemaDrift: `sf_health: schema drift, raised
What:  the destination does not fit the definition any more: a: one; b: two; c: three; and 2 more
Since: 2026-03-02 12:00:00 UTC
Look:  penstock validate --connection
Mend:  penstock apply
See:   docs/operating.md#alert-schema_drift
`,
		Disagreement: `sf_health: destination differs, raised
What:  of 1000 records that were read back 2 are missing at the destination, and in 40 the field Health_Score__c holds another value than was delivered: stop whoever writes there, then have them sent again
Since: 2026-03-02 12:00:00 UTC
Rows:  42 of 1000
Look:  penstock verify sf_health
Mend:  penstock verify sf_health --mend && penstock run sf_health
See:   docs/operating.md#alert-disagreement
`,
	}
	for _, n := range notices {
		if got := n.Text(); got != want[n.Kind] {
			t.Errorf("%s:\n%s", n.Kind, got)
		}
		delete(want, n.Kind)
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
	s.Records.Mended, s.Drift = 42, nil
	over, _ := Judge(s, []Open{{Kind: SchemaDrift}, {Kind: Disagreement}}, noon, DefaultPolicy)
	if len(over) != 2 || over[0].Step != Recovered || over[1].Step != Recovered || !strings.Contains(over[1].Why, "or are sent again") {
		t.Errorf("%+v", over)
	}
}
