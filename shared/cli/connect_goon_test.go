package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// A test that finds a connection well ends its pause, as it stands in the audit log, where
// it asked what the rows go by: neither a spent quota, nor other settings than are applied,
// nor another address.
func TestConnectTestEndsAPause(t *testing.T) {
	at := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	const file = "connections:\n  crm: {type: salesforce, url: \"https://acme.my.salesforce.com\", quota: {share: 50}}\n"
	for name, c := range map[string]struct {
		file   string // the connection as the folder has it when it is tested
		change func(*pace.State)
		to     string // where rows go; the simulator is asked
		says   string
		ends   bool
	}{
		"a secret that was refused": {file, nil, ownSimulator, "ok state: its rows waited since 2026-11-26 10:00 UTC, just now, and go on now", true},
		"an outage":                 {file, func(s *pace.State) { s.SetUp = false }, ownSimulator, "go on now", true},
		"a spent quota":             {file, func(s *pace.State) { s.SetUp, s.Quota = false, true }, ownSimulator, "refused; its quota is waited out", false},
		"settings of another day":   {strings.Replace(file, "acme.my", "other.my", 1), nil, ownSimulator, "what was tried is not applied yet: run", false},
		"another address":           {file, nil, "http://127.0.0.1:1", "its rows go to another address than was tried", false},
	} {
		t.Run(name, func(t *testing.T) {
			ok := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			t.Chdir(dir)
			ok(os.Mkdir("syncs", 0o700))
			ok(os.Mkdir("d", 0o700))
			write := func(text string) { ok(os.WriteFile(filepath.Join("syncs", "connections.yaml"), []byte(text), 0o600)) }
			write(file)
			set, err := loadFolder("syncs", destinations(listed()).kinds())
			ok(err)
			store, err := sqlite.Open(filepath.Join("d", stateFile), func() time.Time { return at })
			ok(err)
			t.Cleanup(func() { _ = store.Close() })
			ok(store.PutConnection(t.Context(), set.Connections[0]))
			paused := pace.State{}.Fail(at, time.Hour, "invalid_client", "the secret is refused")
			paused.SetUp = true
			if c.change != nil {
				c.change(&paused)
			}
			ok(store.SetPace(t.Context(), "crm", paused))
			ok(note{To: where{"salesforce": c.to}}.write("d"))
			write(c.file)

			var out bytes.Buffer
			s := program{out: &out, err: &out, clock: clock{now: func() time.Time { return at }, zone: time.UTC}, known: listed()}
			test := connectTestCmd{Name: "crm", asking: asking{Data: "d"}}
			if c.to != ownSimulator {
				test.Endpoint = map[string]string{"salesforce": ownSimulator}
			}
			ok(test.Run(runs.As(t.Context(), "ann"), s))
			if said := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(said, c.says) {
				t.Errorf("it does not say %q: %s", c.says, said)
			}
			p, err := store.Pace(t.Context(), "crm")
			ok(err)
			actions, err := store.Actions(t.Context(), time.Now().Add(-time.Hour), 10)
			ok(err)
			if p.Failing() == c.ends || len(actions) == 1 != c.ends {
				t.Errorf("paused: %v, the audit log: %+v", p.Failing(), actions)
			}
			if c.ends && (actions[0].Who != "ann" || actions[0].What != "connect test" || actions[0].On != "crm" || actions[0].Note != "ends its pause: invalid_client") {
				t.Errorf("%+v", actions[0])
			}
		})
	}
}
