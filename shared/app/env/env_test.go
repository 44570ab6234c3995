package env_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/env"
)

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func TestLoad(t *testing.T) {
	got, err := env.Load("sweep", lookup(map[string]string{
		"PENSTOCK_STATE_TABLE":  "state",
		"PENSTOCK_QUIET":        "2m",
		"PENSTOCK_LEDGER_TABLE": "not read by sweep",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"PENSTOCK_STATE_TABLE": "state", "PENSTOCK_QUIET": "2m"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Load (-want +got):\n%s", d)
	}
}

func TestLoadNamesEveryMissingVariable(t *testing.T) {
	got, err := env.Load("slack", lookup(map[string]string{
		"PENSTOCK_STATE_TABLE":  "state",
		"PENSTOCK_ERRORS_TABLE": "", // empty is as good as absent
	}))
	if got != nil {
		t.Errorf("values = %v, want none with an error", got)
	}
	if err == nil {
		t.Fatal("want an error")
	}
	for _, name := range []string{"PENSTOCK_LEDGER_TABLE", "PENSTOCK_ERRORS_TABLE", "PENSTOCK_QUEUE_SLACK", "PENSTOCK_SECRET_PREFIX"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("error %q does not name %s", err, name)
		}
	}
	if strings.Contains(err.Error(), "PENSTOCK_STATE_TABLE") {
		t.Errorf("error %q names a variable that is set", err)
	}
}

func TestLoadUnknownFunction(t *testing.T) {
	if _, err := env.Load("nope", lookup(nil)); err == nil || !strings.Contains(err.Error(), `"nope"`) {
		t.Errorf("err = %v, want one that names the function", err)
	}
}

func TestFunctionsListNoVariableTwice(t *testing.T) {
	for function, names := range env.Functions {
		sorted := slices.Sorted(slices.Values(names))
		if len(slices.Compact(sorted)) != len(names) {
			t.Errorf("%s lists a variable twice: %v", function, names)
		}
	}
}
