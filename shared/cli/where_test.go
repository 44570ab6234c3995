package cli

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// kept is a folder whose rows go to a place, with connections of one type.
type kept struct {
	*testing.T
	dir   string
	store *sqlite.Store
}

func newKept(t *testing.T, to string, connections ...string) kept {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(filepath.Join(dir, stateFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range connections {
		if err := store.PutConnection(t.Context(), syncdef.Connection{Name: name, Type: "amplitude"}); err != nil {
			t.Fatal(err)
		}
	}
	k := kept{t, dir, store}
	if err := k.move(to); err != nil {
		t.Fatal(err)
	}
	return k
}

// move has the rows go to a place, as a start does.
func (k kept) move(to string) error {
	return note{To: where{"amplitude": to}, Names: map[string]string{}}.keep(k.Context(), k.dir, k.store)
}

// deliver notes of a connection that a row is at its destination.
func (k kept) deliver(connection string) {
	k.Helper()
	c, err := k.store.Connection(k.Context(), connection)
	if err != nil {
		k.Fatal(err)
	}
	d := syncdef.Definition{Sync: "of_" + connection, Connection: connection, Object: "user"}
	if _, err := k.store.Commit(k.Context(), ledger.Target(&d, &syncdef.Rules{Type: "amplitude"}, c.Epoch), []ledger.Entry{{Key: "k"}}); err != nil {
		k.Fatal(err)
	}
}

// accept lets a connection deliver to another account, as connect --accept-account does.
func (k kept) accept(connection string) {
	k.Helper()
	err := connectShowCmd{Name: connection, AcceptAccount: true, somewhere: somewhere{Data: k.dir}}.Run(k.Context(), program{out: k.Output(), err: k.Output()})
	if err != nil {
		k.Fatal(err)
	}
}

// Rows go to another place when no connection of their type has any at the one before.
func TestAnotherPlace(t *testing.T) {
	const other = "http://127.0.0.1:1"
	refused := func(k kept, to string, connections ...string) {
		t.Helper()
		err := k.move(to)
		if (err == nil) != (len(connections) == 0) {
			t.Fatalf("%v, want the connections %v told", err, connections)
		}
		for _, name := range []string{"amp_a", "amp_b"} {
			told := err != nil && strings.Contains(err.Error(), "penstock connect "+name+" --accept-account --data "+k.dir)
			if told != strings.Contains(strings.Join(connections, " "), name) {
				t.Errorf("of the connections %v is told: %v", connections, err)
			}
		}
	}

	// Each of the connections has rows there, and each is accepted by itself. Where their
	// rows go meanwhile stays noted.
	k := newKept(t, ownSimulator, "amp_a", "amp_b")
	k.deliver("amp_a")
	k.deliver("amp_b")
	refused(k, other, "amp_a", "amp_b")
	k.accept("amp_a")
	if n, err := readNote(k.dir); err != nil || n.To["amplitude"] != ownSimulator {
		t.Errorf("the rows go to %v, %v", n.To, err)
	}
	refused(k, other, "amp_b")
	k.accept("amp_b")

	// A connection whose rows went on to the place before has some there again.
	k.deliver("amp_a")
	refused(k, other, "amp_a")
	k.accept("amp_a")
	refused(k, other)
	k.deliver("amp_a")
	refused(k, ownSimulator, "amp_a")
	refused(k, other)

	// One that knows its account speaks for itself alone.
	k = newKept(t, ownSimulator, "amp_a", "amp_b")
	k.deliver("amp_a")
	k.deliver("amp_b")
	if _, err := k.store.PinAccount(t.Context(), "amp_a", "1"); err != nil {
		t.Fatal(err)
	}
	refused(k, other, "amp_b")

	// One that was of another type meanwhile believes nothing of what it held before.
	k = newKept(t, ownSimulator, "amp_a")
	k.deliver("amp_a")
	for _, kind := range []string{"hubspot", "amplitude"} {
		if err := k.store.PutConnection(t.Context(), syncdef.Connection{Name: "amp_a", Type: kind}); err != nil {
			t.Fatal(err)
		}
		refused(k, other)
	}
	if c, err := k.store.Connection(t.Context(), "amp_a"); err != nil || c.Epoch == 0 {
		t.Errorf("its ledger is that of before: %+v, %v", c, err)
	}
	k.deliver("amp_a")
	refused(k, ownSimulator, "amp_a")

	// Where no row ever went, every place is as good.
	k = newKept(t, "http://mistyped.invalid", "amp_a")
	refused(k, other)
}

// Another folder's gateway at the address that this one noted changes nothing of that.
func TestAnotherPlaceBesideAnotherFolder(t *testing.T) {
	_, url := at(t)
	k := newKept(t, ownSimulator, "amp_a")
	k.deliver("amp_a")
	if err := noteGateway(k.dir, url, ""); err != nil {
		t.Fatal(err)
	}
	k.accept("amp_a")
	if err := k.move("http://127.0.0.1:1"); err != nil {
		t.Error(err)
	}
	if machine.InUse(k.dir) {
		t.Error("the folder is in use")
	}
}

// An endpoint is told where it is no place to call, and never with what may log in there.
func TestEndpoints(t *testing.T) {
	const login, shape, query = "without a name and password", "write a URL with its host", "without a query and a fragment"
	for to, want := range map[string]string{
		"http://127.0.0.1:1":                "",
		"https://x.example/a@b/":            "",
		"https://x.example/a%40b":           "",
		ownSimulator:                        "",
		ownURL:                              "",
		"127.0.0.1:1":                       shape,
		"ftp://x.example":                   shape,
		"http://bob:hunter2@127.0.0.1:1":    login,
		"http://hunter2@127.0.0.1:1":        login,
		"http://bob:hunter2%c@127.0.0.1":    login,
		"bob:hunter2@x.example":             login,
		"bob:hunter2@x.example:8080":        login,
		"https:bob:hunter2@x.example":       login,
		"https:/bob:hunter2@x.example/":     login,
		"//bob:hunter2@x.example":           login,
		"ftp://bob:hunter2@x.example/":      login,
		"https://bob:hunter2/@x.example":    login,
		"https://bob:hunter2%40x.example":   "without a percent sign before its path",
		"https://x.example/?key=hunter2":    query,
		"https://x.example?key=hunter2@b":   query,
		"https://x.example/a@b#hunter2":     query,
		"x.example?key=hunter2":             query,
		"https://bob:hunter2@x.example?a=b": login,
	} {
		for _, kind := range []string{"amplitude", "nosuch", "https://bob:hunter2@x.example/?a", "https://bob:hunter2"} {
			endpoint := map[string]string{kind: to}
			_, done, asked := asking{Data: t.TempDir(), Endpoint: endpoint}.asker(program{known: listed()})
			if asked == nil {
				asked = done()
			}
			want := want
			switch {
			case strings.Contains(kind, ":"), kind == "nosuch" && want != "" && want != shape:
				want = "write TYPE=URL"
			case kind == "nosuch":
				want = `there is no destination type "nosuch"`
			}
			for _, err := range []error{localCmd{Endpoint: endpoint}.checkEndpoints(listed()), asked} {
				if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "bob") || strings.Contains(err.Error(), "hunter2")) {
					t.Errorf("%s=%s: %v", kind, to, err)
				}
			}
		}
		if want == "" || want == shape {
			continue
		}
		if _, err := (gated{Gateway: to}).control(t.Context(), program{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "bob") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the gateway %s: %v", to, err)
		}
	}
	if err := (localCmd{Endpoint: map[string]string{"amplitude": ownSimulator}, Bare: true}).checkEndpoints(listed()); err == nil {
		t.Error("a simulator without simulators")
	}
}

// Endpoints are read as TYPE=URL, one or several, and nothing else is repeated.
func TestEndpointFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want endpoints // nil: refused
	}{
		{[]string{"--endpoint", "amplitude=http://x.example/a=b"}, endpoints{"amplitude": "http://x.example/a=b"}},
		{[]string{"--endpoint", "amplitude=simulator;slack=connection"}, endpoints{"amplitude": "simulator", "slack": "connection"}},
		{[]string{"--endpoint=amplitude=simulator", "--endpoint=slack=connection"}, endpoints{"amplitude": "simulator", "slack": "connection"}},
		{[]string{"--endpoint", "https://bob:hunter2@x.example"}, nil},
		{[]string{"--endpoint", "amplitude=https://bob;hunter2@x.example"}, nil},
		{[]string{"--endpoint"}, nil},
	} {
		var flags asking
		parser, err := kong.New(&flags)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse(c.args)
		if (err == nil) != (c.want != nil) || err == nil && !maps.Equal(flags.Endpoint, c.want) {
			t.Errorf("%v: %v, %v", c.args, flags.Endpoint, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "TYPE=URL") || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

// A slash at the end is no other place, whether it is noted with it or without.
func TestOnePlace(t *testing.T) {
	for _, was := range []string{"http://127.0.0.1:1", "http://127.0.0.1:1/"} {
		k := newKept(t, was, "amp_a")
		k.deliver("amp_a")
		for _, is := range []string{"http://127.0.0.1:1", "http://127.0.0.1:1/"} {
			n, err := localCmd{simulated: simulated{}, Data: k.dir, Endpoint: map[string]string{"amplitude": is}}.note(listed())
			if err == nil {
				err = n.keep(t.Context(), k.dir, k.store)
			}
			if err != nil {
				t.Errorf("%s after %s: %v", is, was, err)
			}
		}
	}
}
