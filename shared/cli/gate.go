package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/shared/wire"
)

// gatewayFile holds the URL of a running penstock local.
const gatewayFile = "gateway.url"

// gated are the flags of commands that call the penstock functions.
type gated struct {
	Data    string        `default:"penstock-data" help:"The folder of this machine's state."`
	Gateway string        `help:"The gateway to call; without it the one of penstock local, or one started for the command." placeholder:"URL"`
	Token   string        `env:"PENSTOCK_TOKEN" help:"The token of a gateway that was started with --token; the folder's own is known." placeholder:"TOKEN"`
	Wait    time.Duration `default:"1m" help:"How long to wait for the rows to settle; what is left goes on at the next start."`

	// accept lets the folder's simulators take objects, fields and channels of one's own:
	// whoever pushes rows of their own has no file of names yet.
	accept bool
}

// A gate is the gateway that a command calls: its own, or another process's; or a stack
// that it acts at without one.
type gate struct {
	url     string
	token   string // of the gateway; at a stack the command's own, which no other command has
	wait    time.Duration
	at      somewhere
	own     *place        // nil where another process works
	control *runs.Control // of a stack; else nil
	group   *errgroup.Group
}

// enter finds the gateway, or starts one with its queue, workers and simulators, to be
// left with leave.
func (c gated) enter(ctx context.Context, s program) (*gate, error) {
	g := &gate{wait: c.Wait, at: somewhere{Data: c.Data}, token: c.token()}
	if c.Gateway != "" {
		if unfit := unfit(c.Gateway); unfit != "" {
			return nil, usage("--gateway: write its URL without %s: what lets in is --token", unfit)
		}
		g.url = strings.TrimRight(c.Gateway, "/")
		if !answers(ctx, g.url) {
			return nil, fmt.Errorf("no gateway answers at %s: give the address that penstock local prints, http:// included", c.Gateway)
		}
		return g, nil
	}
	if err := haveFolder(c.Data); err != nil {
		return nil, err
	}
	if g.url = working(ctx, c.Data); g.url != "" {
		return g, nil
	}
	road := localCmd{Data: c.Data, Listen: "127.0.0.1:0", Syncs: "none", Quiet: time.Second}
	road.AcceptNames = c.accept
	p, err := road.start(ctx, s)
	if err != nil {
		return nil, err
	}
	// The road outlives an interrupted statement until leave: what it has in hand is finished.
	var running context.Context
	g.group, running = errgroup.WithContext(context.WithoutCancel(ctx))
	p.run(running, g.group)
	g.own, g.url = p, p.machine.URL
	return g, nil
}

// haveFolder says what to do where the data folder is not there: a mistyped name makes
// no new one.
func haveFolder(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s: %s, or name the folder of penstock apply, local or demo with --data", dir, makeState(dir))
	}
	return nil
}

// leave stops what enter started.
func (g *gate) leave() error {
	if g.own == nil {
		return nil
	}
	return stop(g.group, g.own)
}

// call calls a penstock function and reads its answer.
func (g *gate) call(ctx context.Context, function string, into any, args ...any) error {
	values := make([]jsontext.Value, len(args))
	for i, a := range args {
		text, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("encode an argument of %s: %w", function, err)
		}
		values[i] = text
	}
	answer, err := duckdb.Call(ctx, duckdb.Config{Gateway: g.url, Token: g.token}, function, values...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", function, err)
	}
	return nil
}

// status asks for one run, its sync's state around it.
func (g *gate) status(ctx context.Context, id string) (s runs.SyncStatus, err error) {
	switch {
	case g.own != nil:
		s, err = g.own.machine.Runs.Status(ctx, id)
	case g.control != nil:
		s, err = g.control.Status(ctx, id)
	default:
		err = g.call(ctx, wire.Status, &s, id)
	}
	if err == nil && len(s.Runs) == 0 {
		err = fmt.Errorf("penstock_status(%q) knows no run", id)
	}
	return s, err
}

// noted is the address that a penstock local left in the folder.
func noted(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, gatewayFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// working is the address of the penstock local that works in the folder; "" without one.
// The noted address alone proves nothing: its process may be gone and another folder's be
// there, while a command with a gateway of its own works here.
func working(ctx context.Context, dir string) string {
	url, holder := noted(dir), machine.Holder(dir)
	if url == "" || holder == "" {
		return ""
	}
	if by, there := holderAt(ctx, url+"/status"); !there || by != holder {
		return ""
	}
	return url
}

// answers reports whether a gateway is there.
func answers(ctx context.Context, url string) bool {
	_, there := holderAt(ctx, url+"/status")
	return there
}

// holderAt asks an address whether a server is there, and which process's it is
// (machine.HeaderHolder).
func holderAt(ctx context.Context, address string) (holder string, there bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", false
	}
	response.Body.Close()
	return response.Header.Get(machine.HeaderHolder), true
}
