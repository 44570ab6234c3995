package runs

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

// An answer holds cursors as the JSON that they are, calls a run's id run, and reads back.
func TestAnswers(t *testing.T) {
	in := SyncStatus{Sync: "s", Watermark: `"2026-01-01"`, Runs: []RunStatus{
		{Run: run.Run{ID: "s.r1", Sync: "s", From: "1", Cursor: `"a"`, Hold: "9007199254740993"}, Waits: "rows"},
		{Run: run.Run{ID: "s.r0", Sync: "s"}},
	}}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var raw struct {
		Watermark json.RawMessage              `json:"watermark"`
		Runs      []map[string]json.RawMessage `json:"runs"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"run": `"s.r1"`, "from": "1", "cursor": `"a"`, "hold": "9007199254740993", "waits_for": `"rows"`, "id": ""} {
		if got := string(raw.Runs[0][name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if _, there := raw.Runs[1]["hold"]; there || string(raw.Watermark) != `"2026-01-01"` {
		t.Errorf("%s", b)
	}
	var out SyncStatus
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(in, out); d != "" {
		t.Error(d)
	}
	if b, err = json.Marshal(SyncStatus{}); err != nil || json.Unmarshal(b, &out) != nil || out.Watermark != "" {
		t.Errorf("%s %v %q", b, err, out.Watermark)
	}
}
