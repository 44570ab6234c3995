package env_test

import (
	"maps"
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
	got, err := env.Load("worker", []string{env.StateTable, env.Quiet}, lookup(map[string]string{
		"PENSTOCK_STATE_TABLE":  "state",
		"PENSTOCK_QUIET":        "2m",
		"PENSTOCK_LEDGER_TABLE": "nobody asked for it",
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
	got, err := env.Load("crm", env.Worker("crm"), lookup(map[string]string{
		"PENSTOCK_STATE_TABLE":  "state",
		"PENSTOCK_ERRORS_TABLE": "", // empty is as good as absent
	}))
	if got != nil {
		t.Errorf("values = %v, want none with an error", got)
	}
	if err == nil {
		t.Fatal("want an error")
	}
	for _, name := range []string{`"crm"`, "PENSTOCK_LEDGER_TABLE", "PENSTOCK_ERRORS_TABLE", "PENSTOCK_QUEUE_CRM", "PENSTOCK_SECRET_PREFIX", "PENSTOCK_VISIBILITY"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("error %q does not name %s", err, name)
		}
	}
	if strings.Contains(err.Error(), "PENSTOCK_STATE_TABLE") {
		t.Errorf("error %q names a variable that is set", err)
	}
}

func TestQueues(t *testing.T) {
	got, err := env.Queues([]string{
		"PENSTOCK_QUEUE_CRM=https://sqs/crm.fifo?a=b", "PENSTOCK_QUEUE_CHAT=https://sqs/chat.fifo",
		"PENSTOCK_QUEUE_EMPTY=", "PENSTOCK_STATE_TABLE=state", "PATH=/bin",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"crm": "https://sqs/crm.fifo?a=b", "chat": "https://sqs/chat.fifo"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Queues (-want +got):\n%s", d)
	}
	if _, err := env.Queues([]string{"PATH=/bin"}); err == nil || !strings.Contains(err.Error(), "PENSTOCK_QUEUE_") {
		t.Errorf("no queue: %v", err)
	}
}

func TestQueueOf(t *testing.T) {
	if got := env.QueueOf("crm"); got != "PENSTOCK_QUEUE_CRM" {
		t.Errorf("%s", got)
	}
}

// What the functions of all queues are is a part of what there is.
func TestAllQueuesAreFunctions(t *testing.T) {
	for _, function := range env.AllQueues {
		if _, ok := env.Functions[function]; !ok {
			t.Errorf("%s sends to all queues and is no function", function)
		}
	}
}

func TestFunctionsListNoVariableTwice(t *testing.T) {
	lists := maps.Clone(env.Functions)
	lists["a worker"] = env.Worker("crm")
	for function, names := range lists {
		sorted := slices.Sorted(slices.Values(names))
		if len(slices.Compact(sorted)) != len(names) {
			t.Errorf("%s lists a variable twice: %v", function, names)
		}
	}
}
