package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	slacksim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

var simulators = []sandbox.Simulator{salesforcesim.Sandbox, slacksim.Sandbox}

func newMachine(t *testing.T, dir string) *Machine {
	t.Helper()
	m, err := New(Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOneMachineAFolder(t *testing.T) {
	dir := t.TempDir()
	first := newMachine(t, dir)
	if _, err := New(Config{Dir: dir}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second machine: %v, want ErrInUse with the folder", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := newMachine(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOneSandboxAFolder(t *testing.T) {
	dir := t.TempDir()
	first, err := NewSandbox(SandboxConfig{Simulators: simulators, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewSandbox(SandboxConfig{Simulators: simulators, Dir: dir}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second sandbox: %v, want ErrInUse", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := NewSandbox(SandboxConfig{Simulators: simulators, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOneSimulatorOff(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSandbox(SandboxConfig{Simulators: simulators, Dir: dir, Listen: map[string]string{"salesforce": Off}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Simulated["salesforce"] != nil || s.Simulated["slack"] == nil || len(s.Endpoints) != 1 || s.Endpoints["slack"] == "" {
		t.Errorf("got %+v, want only Slack", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "sandbox-salesforce.journal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal of the one that is off: %v", err)
	}
}

// A taken address must not leave the folder locked.
func TestTakenAddress(t *testing.T) {
	first := newMachine(t, t.TempDir())
	defer first.Close()
	dir := t.TempDir()
	if _, err := New(Config{Dir: dir, Listen: strings.TrimPrefix(first.URL, "http://")}); err == nil {
		t.Fatal("two machines listen on one address")
	}
	if err := newMachine(t, dir).Close(); err != nil {
		t.Error(err)
	}
}

// What a killed machine had in hand is handed out again at the next start, and
// its first receive is remembered.
func TestTakesUpWhatWasInHand(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	killed := newMachine(t, dir)
	if _, err := killed.Store.Send(ctx, "salesforce", []envelope.Message{{Group: "g", Dedup: "1", Body: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	receive := func(m *Machine) []envelope.Delivery {
		t.Helper()
		got, err := m.Store.Receive(ctx, "salesforce", 10, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := receive(killed); len(got) != 1 {
		t.Fatalf("received %d messages, want 1", len(got))
	}
	if got := receive(killed); len(got) != 0 {
		t.Fatalf("received %d messages while it is in hand, want 0", len(got))
	}
	if err := killed.Close(); err != nil {
		t.Fatal(err)
	}
	next := newMachine(t, dir)
	defer next.Close()
	if got := receive(next); len(got) != 1 || got[0].Receives != 2 {
		t.Errorf("received %+v, want the message for the second time", got)
	}
}

// A client that has sent a part of its request, and neither goes on nor away, holds up no
// end: the folder is free for the next machine.
func TestEndsBesideAStuckClient(t *testing.T) {
	dir := t.TempDir()
	m := newMachine(t, dir)
	m.grace = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	at := strings.TrimPrefix(m.URL, "http://")
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := fmt.Fprintf(client, "POST /status HTTP/1.1\r\nHost: %s\r\nContent-Length: 40\r\nExpect: 100-continue\r\n%s: b\r\n\r\n", at, snowflake.HeaderBatchID); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(client).ReadString('\n') // the gateway reads the request
	if err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := client.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err = <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the machine waits for the client")
	}
	if err != nil {
		t.Error(err)
	}
	if err := newMachine(t, dir).Close(); err != nil {
		t.Error(err)
	}
}

// Every answer says which machine or simulator it is of, as the folder's lock does; also one
// that lets nobody in.
func TestHolder(t *testing.T) {
	box := func(dir string) (string, string) {
		s, err := NewSandbox(SandboxConfig{Simulators: simulators, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		return s.Endpoints["slack"], SandboxHolder(dir)
	}
	open, guarded := running(t, Config{}), running(t, Config{Token: token})
	simulated, boxID := box(t.TempDir())
	seen := map[string]bool{"": true}
	for name, c := range map[string]struct {
		url, id string
		status  int
	}{
		"a gateway":             {open.URL + "/status", Holder(open.cfg.Dir), http.StatusOK},
		"a gateway with a door": {guarded.URL + "/status", Holder(guarded.cfg.Dir), http.StatusUnauthorized},
		"a simulator":           {simulated + sandbox.Prefix + "calls", boxID, http.StatusOK},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get(HeaderHolder); got != c.id || seen[got] || (resp.StatusCode == http.StatusUnauthorized) != (c.status == http.StatusUnauthorized) {
			t.Errorf("%s: %d of %q, want %d of %q, and of nobody else", name, resp.StatusCode, got, c.status, c.id)
		}
		seen[c.id] = true
	}
	dir := t.TempDir()
	if err := newMachine(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if got := Holder(dir); got != "" || InUse(dir) {
		t.Errorf("%q holds a folder in which nobody works", got)
	}
}
