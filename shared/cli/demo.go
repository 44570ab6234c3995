package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/sample"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type demoCmd struct {
	Rows  int      `default:"1000" help:"Generated customers."`
	Seed  uint64   `default:"1" help:"Of the generated customers: the same seed makes the same rows."`
	Data  string   `help:"Keep the files in this folder, and go on there when it is used again." placeholder:"DIR"`
	Syncs string   `default:"sample" help:"The folder of sync definitions; sample: those in the program." placeholder:"DIR"`
	Only  []string `help:"Push only these of the sample's syncs." placeholder:"SYNC"`
	Keep  bool     `help:"Stay up at the end, with the console's page, until interrupted."`
	JSON  bool     `name:"json" help:"Print one JSON object instead of tables."`
	Kill  bool     `help:"Run gateway, queue and workers as a process of their own, kill it in the middle of the first pass, and start it again."`
}

// demo is a demo under way.
type demo struct {
	cmd       demoCmd
	s         program
	dir       string
	note      note
	box       *machine.Sandbox
	end       context.CancelFunc // ends box, which the road calls until it has stopped
	road      road
	warehouse *duckdb.Warehouse
	syncs     []pushedSync
	plan      sample.Plan
	fresh     bool // the folder was empty: nothing was delivered before
	wrong     []string
	report    report
}

// faster is how many times faster the windows of the vendors' limits go by in the demo:
// a contact takes four calls of which a vendor allows some thousands a minute.
const faster = 100

// A report is what demo --json prints.
type report struct {
	Rows    int       `json:"rows"`
	Seconds float64   `json:"seconds"`
	Syncs   []syncRun `json:"syncs"`
}

// syncRun is one sync's run of one pass.
type syncRun struct {
	Sync               string  `json:"sync"`
	Destination        string  `json:"destination"`
	Run                string  `json:"run"`
	Pass               int     `json:"pass"`
	Pushed             int64   `json:"pushed"`
	Queued             int64   `json:"queued"`
	Rejected           int64   `json:"rejected"`
	Delivered          int64   `json:"delivered"`
	Unchanged          int64   `json:"unchanged"`
	Superseded         int64   `json:"superseded"`
	Failed             int64   `json:"failed"`
	Filtered           int64   `json:"filtered"`
	APICalls           int64   `json:"api_calls"`
	DestinationRecords int     `json:"destination_records"`
	MatchesWarehouse   bool    `json:"matches_warehouse"`
	Seconds            float64 `json:"seconds"`

	title     string  // the destination's, towards people
	simulator float64 // seconds of CPU that the simulator took
}

// Run runs the sample's pipeline twice and compares its ends.
func (c demoCmd) Run(ctx context.Context, s program) (err error) {
	started := time.Now()
	if c.Rows < 1 {
		return usage("--rows %d: at least 1 is needed", c.Rows)
	}
	d := &demo{cmd: c, s: s}
	if d.syncs, err = c.syncs(); err != nil {
		return err
	}
	if d.dir = c.Data; d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "penstock-demo-"); err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		defer os.RemoveAll(d.dir)
	} else if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	defer func() {
		cancel()
		if stopped := d.close(g); err == nil && !errors.Is(stopped, context.Canceled) {
			err = stopped
		}
	}()
	if err := d.open(ctx, g); err != nil {
		return err
	}
	if err := d.passes(ctx, started); err != nil || !c.Keep {
		return err
	}
	return d.keep(ctx)
}

// open starts the simulators, the road and the warehouse, and loads the rows.
func (d *demo) open(ctx context.Context, g *errgroup.Group) (err error) {
	if err := d.remember(); err != nil {
		return err
	}
	if d.box, err = machine.NewSandbox(machine.SandboxConfig{
		Simulators: d.s.known.simulators(), Dir: d.cmd.Data, Names: d.note.Names, Accept: d.note.AcceptNames, Faster: faster,
	}); err != nil {
		return err
	}
	called, end := context.WithCancel(context.WithoutCancel(ctx))
	d.end = end
	g.Go(func() error { return d.box.Run(called) })
	if d.cmd.Kill {
		d.road, err = newChild(ctx, d)
	} else {
		d.road, err = newEmbedded(ctx, g, d)
	}
	if err != nil {
		return err
	}
	d.warehouse, err = duckdb.Open(ctx, duckdb.Config{
		Path: filepath.Join(d.dir, warehouseFile), Gateway: d.road.url(), MemoryLimit: d.cmd.preparing(), Threads: 2,
	})
	if err != nil {
		return fmt.Errorf("the demo needs the embedded warehouse: %w", err)
	}
	_, known := sample.ReadPlan(ctx, d.warehouse.DB())
	d.fresh = known != nil
	d.plan, err = seedSample(ctx, d.warehouse, d.box, sample.Options{Rows: d.cmd.Rows, Seed: d.cmd.Seed, Now: d.s.clock.now()})
	if err == nil {
		d.introduce()
	}
	return err
}

func (d *demo) close(g *errgroup.Group) error {
	var errs []error
	if d.warehouse != nil {
		errs = append(errs, d.warehouse.Close())
	}
	if d.road != nil {
		errs = append(errs, d.road.stop())
	}
	if d.end != nil {
		d.end()
	}
	return errors.Join(append(errs, g.Wait())...)
}

// pushing is DuckDB's memory while rows are pushed.
const pushing = "96MB"

// preparing is DuckDB's memory while rows are made and compared.
func (c demoCmd) preparing() string { return fmt.Sprintf("%dMB", 128+c.Rows/2000) }

// passes pushes, changes 1% of the rows, pushes again, and reports.
func (d *demo) passes(ctx context.Context, started time.Time) error {
	first := len(d.plan.Passes)
	d.fresh = d.fresh && first == 1
	for pass := first; pass <= first+1; pass++ {
		if pass > first {
			if err := d.rescore(ctx); err != nil {
				return err
			}
		}
		if err := d.pass(ctx, pass); err != nil {
			return err
		}
	}
	differences := d.wrong
	d.report.Rows, d.report.Seconds = d.cmd.Rows, time.Since(started).Seconds()
	if d.cmd.JSON {
		e := json.NewEncoder(d.s.out)
		e.SetIndent("", "  ")
		if err := e.Encode(d.report); err != nil {
			return err
		}
	} else {
		d.closing(differences)
	}
	for _, x := range differences {
		fmt.Fprintln(d.s.err, x)
	}
	if len(differences) > 0 {
		return fmt.Errorf("%d differences between the warehouse and the destinations", len(differences))
	}
	return nil
}
