package cli

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// A stop in the middle of a call lets the simulator answer it: the row is delivered, and
// nothing holds its connection up.
func TestStopFinishesWhatIsInHand(t *testing.T) {
	dir, syncs := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"connections.yaml": "connections:\n  chat: {type: slack}\n",
		"news.yaml":        "connection: chat\nrecord_id: id\nfield_mappings: [{source: msg, destination: text}]\nslack: {channel: \"#customer-health\"}\n",
	} {
		if err := os.WriteFile(filepath.Join(syncs, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := localCmd{Data: dir, Listen: "127.0.0.1:0", Syncs: syncs, Quiet: time.Second}
	p, err := c.start(t.Context(), program{out: io.Discard, err: io.Discard, known: listed(), clock: clock{now: time.Now, zone: time.UTC}})
	if err != nil {
		t.Fatal(err)
	}
	g := &errgroup.Group{}
	p.run(t.Context(), g)
	_, err = request(http.MethodPost, p.box.Endpoints["slack"]+sandbox.Prefix+"faults", `{"match":"chat.postMessage","count":1,"after_commit":true,"delay_ms":1500}`)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := p.machine.Intake.Push(t.Context(), row.Batch{ID: "b:1", Query: "b", Function: "penstock_push", Rows: []row.Row{{Target: "news", Object: jsontext.Value(`{"id":"1","msg":"hello"}`)}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		records, err := request(http.MethodGet, p.box.Endpoints["slack"]+sandbox.Prefix+"records", "")
		if err != nil || strings.Contains(records, "hello") {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	if err := stop(g, p); err != nil {
		t.Error(err)
	}
	store, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	got, err := machine.Control(store).Status(t.Context(), answers[0].Run)
	if err != nil || len(got.Runs) != 1 || got.Runs[0].Counts.Delivered != 1 {
		t.Errorf("%+v, %v: want 1 delivered", got.Runs, err)
	}
	if pace, err := store.Pace(t.Context(), "chat"); err != nil || pace.Failing() {
		t.Errorf("the connection is held up: %+v, %v", pace, err)
	}
}
