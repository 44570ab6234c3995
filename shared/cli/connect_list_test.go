package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A connection is listed with the account that its rows went to, and with why it waits,
// also where the folder of definitions is not at hand.
func TestConnectList(t *testing.T) {
	data := t.TempDir()
	at := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(filepath.Join(data, stateFile), func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"crm", "chat"} {
		d := syncdef.Definition{Sync: name + "_sync", Connection: name, Object: "x", Operation: syncdef.Insert}
		if err := store.PutConnection(t.Context(), syncdef.Connection{Name: name, Type: "cards"}); err != nil {
			t.Fatal(err)
		}
		if err := store.Apply(t.Context(), syncdef.NewVersion(d, syncdef.Rules{Type: "cards"}, at)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.PinAccount(t.Context(), "crm", "org-1"); err != nil {
		t.Fatal(err)
	}
	paused := pace.State{}.Fail(at, time.Hour, "secret", "the secret is refused: mend it")
	paused.SetUp = true
	if err := store.SetPace(t.Context(), "chat", paused); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // no definitions here
	var out bytes.Buffer
	s := program{out: &out, err: os.Stderr, clock: clock{now: func() time.Time { return at }, zone: time.UTC}}
	if err := (connectListCmd{somewhere: somewhere{Data: data}}).Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"crm        cards org-1                    ok\n", "chat       cards not known yet            paused\n", "chat is paused since ", "the secret is refused"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := (connectListCmd{somewhere: somewhere{Data: data}, JSON: true}).Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	var got struct{ Connections []listedConnection }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Connections) != 2 {
		t.Fatal(err, out.String())
	}
	if c := got.Connections[0]; c.Connection != "chat" || c.State != connectionPaused || !c.Person || !c.Until.Equal(at.Add(time.Hour)) || c.Syncs[0] != "chat_sync" {
		t.Errorf("%+v", c)
	}
	if c := got.Connections[1]; c.Account != "org-1" || c.State != connectionOK || c.Reason != "" {
		t.Errorf("%+v", c)
	}
}
