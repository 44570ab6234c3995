package sql

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is looked for, granted and refreshed is all that the script makes.
func TestMonitoringNames(t *testing.T) {
	script, err := MonitoringTables()
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, m := range creates.FindAllStringSubmatch(script, -1) {
		made = append(made, m[1])
	}
	want := MonitoringNames()
	slices.Sort(made)
	slices.Sort(want)
	if d := cmp.Diff(made, want); d != "" {
		t.Error(d)
	}
}
