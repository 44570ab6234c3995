package apptest

import (
	"fmt"
	"testing"
)

// A number that a record is matched by is one, however a warehouse writes it: a column that
// becomes a FLOAT makes no record anew, whether it is upserted by the vendor's own key or
// looked for.
func TestNumberKeys(t *testing.T) {
	for _, c := range [][3]string{{"external_id", "Customer_ID__c", ""}, {"field", "AccountNumber", ""}, {"field", "AccountNumber", "  - {source: k, destination: AccountNumber}\n"}} {
		strategy, field, mapped := c[0], c[1], c[2]
		t.Run(strategy+map[bool]string{true: ", mapped"}[mapped != ""], func(t *testing.T) {
			w := salesforceOf(t, fmt.Sprintf("destination_object: Account\nmatching_strategy: %s\non_missing: create\nmatch: {source: k, destination: %s}\nfield_mappings:\n  - {source: name, destination: Name}\n%s", strategy, field, mapped))
			for n, key := range []string{"100", "100.0", "1e2", "1.000000000000000e+02", `"100"`} {
				if got := w.delivered(t, "main", fmt.Sprintf("q%d", n), fmt.Sprintf(`{"k":%s,"name":"Name %d"}`, key, n)); got != "1 delivered, 0 unchanged" {
					t.Errorf("%s, %s: %s", strategy, key, got)
				}
			}
			if all := w.records("Account", field, "Name"); len(all) != 1 || all[0][field] != "100" || all[0]["Name"] != "Name 4" {
				t.Errorf("%s: %v", strategy, all)
			}
			if got := w.delivered(t, "main", "last", `{"k":100.00,"name":"Name 4"}`); got != "0 delivered, 1 unchanged" {
				t.Errorf("%s, once more: %s", strategy, got)
			}
		})
	}
}
