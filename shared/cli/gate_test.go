package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// at is a machine that works in a folder of its own until the test ends.
func at(t *testing.T) (dir, url string) {
	t.Helper()
	dir = t.TempDir()
	m, err := machine.New(machine.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return dir, m.URL
}

// A command acts at the gateway of its folder alone, whoever listens at the noted address.
func TestWorking(t *testing.T) {
	first, firstURL := at(t)
	second, secondURL := at(t)
	nobodys := t.TempDir()
	for name, c := range map[string]struct{ dir, noted, want string }{
		"its own": {first, firstURL, firstURL},
		"another folder's, while a command has this": {second, firstURL, ""},
		"another folder's, while nobody has this":    {nobodys, secondURL, ""},
		"nobody's": {first, "http://127.0.0.1:1", ""},
	} {
		if err := noteGateway(c.dir, c.noted, ""); err != nil {
			t.Fatal(err)
		}
		if got := working(t.Context(), c.dir); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What an earlier gateway noted is gone while another one works, and what this one notes
// when it has ended.
func TestNotedWhileAtWork(t *testing.T) {
	dir := t.TempDir()
	there := func() bool {
		_, err := os.Stat(filepath.Join(dir, gatewayFile))
		_, other := os.Stat(filepath.Join(dir, tokenFile))
		if errors.Is(err, fs.ErrNotExist) != errors.Is(other, fs.ErrNotExist) {
			t.Errorf("one of the two: %v, %v", err, other)
		}
		return err == nil
	}
	note := func() {
		if err := noteGateway(dir, "http://127.0.0.1:1", "0123456789abcdef"); err != nil {
			t.Fatal(err)
		}
	}
	note()
	p, err := localCmd{Data: dir, Listen: "127.0.0.1:0", Syncs: "none", Bare: true}.start(t.Context(), program{out: io.Discard, err: io.Discard, known: listed()})
	if err != nil {
		t.Fatal(err)
	}
	if there() {
		t.Error("an earlier gateway's note is there")
	}
	g := &errgroup.Group{}
	p.run(t.Context(), g)
	note()
	if err := stop(g, p); err != nil {
		t.Error(err)
	}
	if there() {
		t.Error("the note outlives its gateway")
	}
}

// simulating are a folder's simulators, served until the test ends.
func simulating(t *testing.T, dir string) map[string]string {
	t.Helper()
	box, err := machine.NewSandbox(machine.SandboxConfig{Simulators: destinations(listed()).simulators(), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return box.Endpoints
}

// A folder's simulators are asked alone, whoever listens at the noted addresses; so is their
// mailbox.
func TestNotedSimulators(t *testing.T) {
	first, second, nobodys := t.TempDir(), t.TempDir(), t.TempDir()
	own, others := simulating(t, first), simulating(t, second)
	mixed := maps.Clone(others)
	mixed["slack"] = own["slack"]
	s := program{out: io.Discard, err: io.Discard, known: listed()}
	for _, c := range []struct {
		name, dir string
		noted     map[string]string
		theirs    bool
	}{
		{"its own", first, own, true},
		{"another folder's, while a command has this", second, own, false},
		{"some of another folder's", second, mixed, false},
		{"another folder's, while nobody has this", nobodys, others, false},
		{"nobody's", first, map[string]string{"slack": "http://127.0.0.1:1"}, false},
	} {
		const mailbox = "smtp://127.0.0.1:1"
		c.noted = maps.Clone(c.noted)
		c.noted[syncdef.NotifyEmail] = mailbox
		text, err := json.Marshal(c.noted)
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, simulatorsFile), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := notedSimulators(t.Context(), c.dir)[syncdef.NotifyEmail]; (got == mailbox) != c.theirs {
			t.Errorf("%s: the mailbox %q", c.name, got)
		}
		if c.dir == nobodys {
			continue // they are opened
		}
		_, urls, err := simulatorsOf(s, c.dir, note{}, "slack")
		if c.theirs != (err == nil && urls["slack"] == c.noted["slack"]) || !c.theirs && !strings.Contains(err.Error(), "does not say where its simulators are") {
			t.Errorf("%s: %v, %v", c.name, urls, err)
		}
	}
}
