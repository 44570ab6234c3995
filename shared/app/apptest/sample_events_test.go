package apptest

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/wire/sqs"
)

var update = flag.Bool("update", false, "write the sample events that are generated")

// The SQS events hold messages in the envelope's format, of the versions that
// sql/syncs gives: a change of either shows here.
func TestSampleEventsAreWhatTheIntakeQueues(t *testing.T) {
	for _, s := range Samples() {
		golden(t, s.Name, sqs.EncodeEvent(s.NewWorld(t).Queued(t, s), fmt.Sprintf(ARN, s.Function)))
	}
	golden(t, "push-slack", PushSlack())
	golden(t, "push-amplitude", PushAmplitude())
	golden(t, "push-hubspot", PushHubSpot())
	golden(t, "push-intercom", PushIntercom())
}

func golden(t *testing.T, name string, raw []byte) {
	t.Helper()
	v := jsontext.Value(raw)
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatal(err)
	}
	want := append(v, '\n')
	path := "../../../events/" + name + ".json"
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("events/%s.json is not what is queued now (after a change of sql/syncs or of the message format, run this test with -update):\n%s", name, d)
	}
}
