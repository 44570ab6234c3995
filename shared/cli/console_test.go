package cli

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/sqlite"
)

func consoleProgram(out io.Writer) program {
	return program{out: out, err: io.Discard, clock: clock{now: func() time.Time { return noon }, zone: time.UTC}, known: listed()}
}

// What keeps the console from starting is told with what to do about it.
func TestConsoleSaysWhyItDoesNotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, text, _ := net.SplitHostPort(taken.Addr().String())
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	empty, made := t.TempDir(), madeState(t)
	for _, c := range []struct {
		cmd  consoleCmd
		says string
	}{
		{consoleCmd{Port: 0, somewhere: somewhere{Data: empty}}, "there is no state in " + empty},
		{consoleCmd{Port: port, somewhere: somewhere{Data: made}}, "is in use, by another console perhaps: stop it, or give another --port"},
		{consoleCmd{Port: 70000, somewhere: somewhere{Data: made}}, "a port is between 0 and 65535"},
	} {
		if err := c.cmd.Run(t.Context(), consoleProgram(io.Discard)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("it says %v, not %q", err, c.says)
		}
	}
}

// madeState is a folder with a state.
func madeState(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(filepath.Join(dir, stateFile), func() time.Time { return noon })
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The address that is printed opens the page, a live page does not keep the command from
// ending, and nothing answers after.
func TestConsoleServesUntilItIsEnded(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended, dir := make(chan error, 1), madeState(t)
	go func() {
		err := consoleCmd{Port: 0, somewhere: somewhere{Data: dir}}.Run(ctx, consoleProgram(write))
		write.CloseWithError(io.EOF)
		ended <- err
	}()
	var said bytes.Buffer
	for !strings.Contains(said.String(), "Ctrl-C") {
		part := make([]byte, 4096)
		n, err := read.Read(part)
		if err != nil {
			t.Fatal(err, <-ended)
		}
		said.Write(part[:n])
	}
	address := strings.Fields(said.String())[1]
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	get := func(url string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	resp := get(address)
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "No sync is applied yet") {
		t.Fatalf("%d %s, %v", resp.StatusCode, body, err)
	}
	base, _, _ := strings.Cut(address, "/open")
	stream := get(base + "/?live=1")
	defer stream.Body.Close()
	end()
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")); err == nil {
		t.Error("it still answers")
	}
}
