package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/sample"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type localCmd struct {
	Data   string `default:"penstock-data" help:"The folder of this machine's state."`
	Listen string `default:"127.0.0.1:8787" help:"The gateway's address; one that others can reach needs a token."`
	Token  string `env:"PENSTOCK_TOKEN" help:"Let in only who sends this token, as Authorization: Bearer TOKEN: 16 characters at least." placeholder:"TOKEN"`
	simulated
	Syncs    string        `help:"The folder of definitions to apply at the start: syncs, or else sql/syncs, or else the sample's; none: apply nothing." placeholder:"DIR"`
	Rows     int           `default:"1000" help:"Generated customers, when the warehouse is made."`
	Seed     uint64        `default:"1" help:"Of the generated customers."`
	Quiet    time.Duration `default:"2s" help:"How long after its last batch a query's run is closed."`
	Endpoint endpoints     `help:"Talk to this URL instead of this type's simulator, with its secret from the environment or a file; the folder remembers it. TYPE=simulator goes back." placeholder:"TYPE=URL"`
	Schedule bool          `default:"true" negatable:"" env:"PENSTOCK_SCHEDULE" help:"Run the syncs that have a sync_frequency when they are due, in the folder's warehouse."`
	Console  int           `default:"8790" help:"The port of the console's page, or any free one where it is in use; 0 is any, -1 is none." placeholder:"PORT"`
	Bare     bool          `help:"Only gateway, queue, workers and state: no simulators, no warehouse."`
	tells    bool          // people are told of what is wrong
	Faster   int           `hidden:"" help:"How many times faster the windows of the vendors' limits go by: for simulators that do so."`
	Leash    bool          `hidden:"" help:"End when the standard input ends: for a parent that may be killed."`
}

// Run starts everything and stays up.
func (c localCmd) Run(ctx context.Context, s program) error {
	c.tells = true
	p, err := c.start(ctx, s)
	if err != nil {
		return err
	}
	if c.Leash {
		ctx = leashed(ctx, s.in)
	}
	g, ctx := errgroup.WithContext(ctx)
	p.run(ctx, g)
	err = c.console(ctx, s, p, g)
	if err == nil {
		err = c.announce(ctx, s, p)
	}
	if err != nil {
		return errors.Join(err, stop(g, p))
	}
	err = errors.Join(g.Wait(), p.log.Close())
	if err == nil {
		fmt.Fprintln(s.out, "\nStopped; the next start in", c.Data, "goes on.")
	}
	return err
}

// leashed ends with the standard input. The read outlives the command when the
// command ends first: nothing can interrupt it.
func leashed(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in) // how it ends says nothing
	}()
	return ctx
}

// announce makes the warehouse, prints the addresses, and notes the gateway's for
// penstock sql.
func (c localCmd) announce(ctx context.Context, s program, p *place) error {
	fmt.Fprintf(s.out, "Gateway     %s  (the penstock functions, in Snowflake's protocol)\n", p.machine.URL)
	for _, d := range s.known {
		switch to := p.to[d.Vendor.Name]; to {
		case ownSimulator:
		case ownURL:
			fmt.Fprintf(s.out, "%-11s the connection's own url\n", d.Vendor.Title)
		default:
			fmt.Fprintf(s.out, "%-11s %s  where the rows of %s are\n", d.Vendor.Title, to, c.Data)
		}
	}
	if p.box != nil {
		printSandbox(s.out, p.box)
	}
	if url := p.post.url(); url != "" {
		fmt.Fprintf(s.out, "Mail        %s  what alerts sent; %s takes its place\n", url, mailServer)
	}
	fmt.Fprintf(s.out, "State       %s\n", c.Data)
	if p.page != nil {
		fmt.Fprintf(s.out, "Console     %s\n", p.page.url())
	}
	if !c.Bare {
		if err := c.warehouse(ctx, s, p); err != nil {
			if ctx.Err() != nil {
				return err
			}
			fmt.Fprintln(s.err, "no embedded warehouse:", plain(err))
		}
	}
	if err := noteGateway(c.Data, p.machine.URL, c.Token); err != nil {
		return err
	}
	if err := p.noteSimulators(c.Data); err != nil {
		return err
	}
	if p.due != nil {
		p.due.ready.Store(true)
	}
	if n := frequent(p.set); n > 0 && p.due != nil {
		fmt.Fprintf(s.out, "Schedule    %s when due:  %s status --data %s\n", english.Plural(n, "sync runs", "syncs run"), self(), c.Data)
	}
	fmt.Fprintln(s.out, "Up. Ctrl-C ends it; nothing that was queued is lost.")
	return nil
}

func (c localCmd) warehousePath() string { return filepath.Join(c.Data, warehouseFile) }

// warehouse makes the sample's tables and rows where there are none, and closes
// the file again for penstock sql.
func (c localCmd) warehouse(ctx context.Context, s program, p *place) error {
	path := c.warehousePath()
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, Files: cmp.Or(c.Syncs, syncsFolder())})
	if err != nil {
		return err
	}
	if _, sampled := p.set.Find(sample.AccountHealth); !sampled && len(p.set.Syncs) > 0 {
		return c.ownWarehouse(ctx, s, p, w)
	}
	_, err = seedSample(ctx, w, p.box, sample.Options{Rows: c.Rows, Seed: c.Seed, Now: s.clock.now()})
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Warehouse   %s\n  %s sql --data %s \"%s\"\n", path, self(), c.Data, sampleSyncs[0].statement())
	return nil
}

// ownWarehouse makes what a project of one's own needs in the warehouse: the tables
// of runs and monitoring, and a view for each model whose tables are there.
func (c localCmd) ownWarehouse(ctx context.Context, s program, p *place, w *duckdb.Warehouse) error {
	err := sampleTables(ctx, w)
	for _, y := range p.set.Syncs {
		if err != nil || y.ModelFile == "" {
			continue
		}
		why := w.SetModel(ctx, y.Definition.Relation(), y.Model)
		if why == nil {
			why = w.SetViews(ctx, &y.Definition)
		}
		if why != nil {
			line, _, _ := strings.Cut(why.Error(), "\n")
			fmt.Fprintf(s.err, "%s: no view of it yet: %s\n", y.ModelFile, line)
		}
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Warehouse   %s\n  %s sql --data %s\n", c.warehousePath(), self(), c.Data)
	return nil
}
