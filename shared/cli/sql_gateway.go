package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/run"
)

// gatewayFile holds the URL of a running penstock local.
const gatewayFile = "gateway.url"

// gateway starts the road for the statement, to be stopped when its rows have
// settled, or finds the road that a penstock local runs in the folder.
func (c sqlCmd) gateway(ctx context.Context, s program) (string, func() error, error) {
	nothing := func() error { return nil }
	if c.Gateway != "" {
		url := strings.TrimRight(c.Gateway, "/")
		if !answers(ctx, url) {
			return "", nil, fmt.Errorf("no gateway answers at %s: give the address that penstock local prints, http:// included", c.Gateway)
		}
		return url, nothing, nil
	}
	p, err := localCmd{Data: c.Data, Listen: "127.0.0.1:0", Syncs: "none", Quiet: time.Second}.start(ctx, s)
	if errors.Is(err, machine.ErrInUse) {
		if url := noted(c.Data); url != "" && answers(ctx, url) {
			return url, nothing, nil
		}
	}
	if err != nil {
		return "", nil, err
	}
	before, err := openRuns(ctx, p)
	if err != nil {
		return "", nil, errors.Join(err, p.machine.Close(), p.log.Close())
	}
	// The road outlives an interrupted statement until stop: what it has in hand is finished.
	g, running := errgroup.WithContext(context.WithoutCancel(ctx))
	p.run(running, g)
	return p.machine.URL, func() error {
		return errors.Join(c.settle(ctx, s, p, before), stop(g, p))
	}, nil
}

// openRuns are the runs that have not ended, by id.
func openRuns(ctx context.Context, p *place) (map[string]run.Run, error) {
	open, err := p.machine.Store.OpenRuns(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the runs that have not ended: %w", err)
	}
	out := map[string]run.Run{}
	for _, r := range open {
		out[r.ID] = r
	}
	return out, nil
}

// noted is the address that a penstock local left in the folder.
func noted(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, gatewayFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// answers reports whether a gateway is there.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/status", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return true
}

// settle waits until the runs that the statement began or finished have ended, and
// says how, or what they wait for. before are the runs that were open at its start.
func (c sqlCmd) settle(ctx context.Context, s program, p *place, before map[string]run.Run) error {
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	waited := map[string]bool{}
	for {
		open, err := openRuns(ctx, p)
		if ctx.Err() == nil && err != nil {
			return err
		}
		for id, r := range open {
			was, old := before[id]
			// A bracketed run that is open waits for penstock_finish, which only another
			// statement can call.
			if r.Bracketed && r.Status == run.Open || old && was.Status == r.Status {
				delete(open, id)
				continue
			}
			if len(waited) == 0 {
				fmt.Fprintln(s.err, "waiting for the pushed rows to settle ...")
			}
			waited[id] = true
		}
		if len(open) == 0 && ctx.Err() == nil {
			return ended(ctx, s, p, waited)
		}
		select {
		case <-ctx.Done():
			return c.unsettled(context.WithoutCancel(ctx), s, p, waited)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// unsettled says what the runs wait for.
func (c sqlCmd) unsettled(ctx context.Context, s program, p *place, ids map[string]bool) error {
	if len(ids) == 0 {
		return nil
	}
	fmt.Fprintf(s.err, "not all rows have settled; they go on at the next start on %s, nothing is lost\n", c.Data)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		status, err := p.machine.Runs.Status(ctx, id)
		if err != nil {
			return err
		}
		if r := status.Runs[0]; r.Waits != "" {
			fmt.Fprintf(s.err, "%s waits for %s\n", id, r.Waits)
		}
	}
	return nil
}

// ended prints a line for each run.
func ended(ctx context.Context, s program, p *place, ids map[string]bool) error {
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		r, err := p.machine.Store.Run(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "%s %s: %s\n", r.ID, r.Status, outcomes(r.Counts))
	}
	return nil
}

// outcomes lists what became of a run's rows, without the zeros.
func outcomes(c run.Counts) string {
	var parts []string
	for _, x := range []struct {
		n    int64
		name string
	}{{c.Delivered, "delivered"}, {c.Unchanged, "unchanged"}, {c.Rejected, "rejected"}, {c.Blocked, "blocked"}, {c.Superseded, "superseded"}, {c.Failed, "failed"}, {c.Cancelled, "cancelled"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.name))
		}
	}
	return strings.Join(parts, ", ")
}
