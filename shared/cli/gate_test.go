package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
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
