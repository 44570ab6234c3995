package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

type verifyCmd struct {
	Sync   string `arg:"" help:"The sync."`
	Sample string `help:"Compare so many records, drawn at random, or all; 1000, or all with --into or --mend, when not given." placeholder:"N"`
	Seed   uint64 `help:"Draw the same records as the verify that printed it." placeholder:"SEED"`
	Mend   bool   `help:"Forget what is known of the records that differ, so that the next run sends them."`
	Into   string `enum:",warehouse,snowflake,redshift,bigquery" default:"" help:"Make a table of what is read, TYPE_OBJECTs, and a view over it: in the embedded warehouse; for the others print the statements." placeholder:"WAREHOUSE"`
	Stack  string `help:"This stack in AWS, with your own credentials, instead of this machine; the connection's secret is read here, or else in the stack." placeholder:"NAME"`
	JSON   bool   `name:"json" help:"Print JSON."`
	asking
}

// sampleAll asks for every record.
const sampleAll = "all"

// verifyPatience is how long a call waits for its share of the quota: windows of seconds
// go by, and that of a day does not.
const verifyPatience = time.Minute

// size is how many records are compared; 0 is all.
func (c *verifyCmd) size() (int, error) {
	if c.Stack != "" && len(c.Endpoint) > 0 {
		return 0, usage("--endpoint is of this machine: a stack's records are read where its rows go")
	}
	if c.Sample == "" {
		c.Sample = strconv.Itoa(verify.DefaultSample)
		if c.Into != "" || c.Mend {
			c.Sample = sampleAll
		}
	}
	if c.Sample == sampleAll {
		return 0, nil
	}
	n, err := strconv.Atoi(c.Sample)
	if err != nil || n < 1 {
		return 0, usage("--sample %s: write a number of records, or %s", c.Sample, sampleAll)
	}
	return n, nil
}

// Run compares, and mends where it is asked to.
func (c verifyCmd) Run(ctx context.Context, s program) (err error) {
	size, err := c.size()
	if err != nil {
		return err
	}
	control, done, err := somewhere{Data: c.Data, Stack: c.Stack}.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	v, err := control.Syncs.Current(ctx, c.Sync)
	if errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("there is no sync %q, or it is not applied: run penstock apply", c.Sync)
	}
	if err != nil {
		return fmt.Errorf("read sync %q: %w", c.Sync, err)
	}
	d, leave, err := c.verifier(ctx, s, &v)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	table := tableOf(&v)
	to, err := c.sink(ctx, s, &table)
	if err != nil {
		return err
	}
	if to != nil {
		defer func() { err = errors.Join(err, to.close()) }()
	}
	if c.Into != "" && c.Into != intoWarehouse {
		s.out = s.err // the statements are what is printed
	}
	if c.Seed == 0 {
		c.Seed = uint64(s.clock.now().UnixNano()/1000%1_000_000) + 1
	}
	q := verify.Request{Sync: c.Sync, Sample: size, Seed: c.Seed, Mend: c.Mend, Found: true, Patience: verifyPatience, Each: table.each(to)}
	if field := v.Definition.FreshnessField(); to != nil && field != "" {
		q.Also = []string{field}
	}
	if !c.JSON {
		q.Told = func(b verify.Budget) error { return s.budget(c.Sync, b, c.Seed) }
	}
	var out verified
	if c.Mend {
		mended, err := control.Mend(ctx, c.Sync, func(ctx context.Context) (int64, error) {
			out.Report, err = d.Verify(ctx, q)
			return out.Mended + out.States[verify.Waits], err
		})
		out.Meanwhile = mended.Run
		if err != nil {
			return verifyError(c.Sync, err)
		}
	} else if out.Report, err = d.Verify(ctx, q); err != nil {
		return verifyError(c.Sync, err)
	}
	if to != nil && out.Stopped == "" {
		if err := to.end(ctx); err != nil {
			return err
		}
	}
	if c.JSON {
		err = printJSON(s.out, out)
	} else {
		c.print(s, &out)
		c.filled(s, &table, &out)
	}
	return errors.Join(err, out.verdict())
}

// verified is what verify --json prints.
type verified struct {
	verify.Report
	// Meanwhile is a run that was begun while records were mended.
	Meanwhile string `json:"begun_meanwhile,omitempty"`
}

// verifier opens the worker that reads the sync's records back; the function closes what
// was opened for it.
func (c verifyCmd) verifier(ctx context.Context, s program, v *syncdef.Version) (*deliver.Deliver, func() error, error) {
	to, known := s.known.find(v.Rules.Type)
	if !known {
		return nil, nil, fmt.Errorf("there is no destination type %q", v.Rules.Type)
	}
	vendor := to.Vendor
	if c.Stack != "" {
		place, err := remote.Look(ctx, c.Stack, s.clock.now)
		if err != nil {
			return nil, nil, err
		}
		return place.Worker(vendor, place.Secrets(ownSecret)), func() error { return nil }, nil
	}
	return c.worker(s, vendor)
}

// verifyError is an error of comparing towards people.
func verifyError(sync string, err error) error {
	if call, is := errors.AsType[*dest.CallError](err); is {
		return fmt.Errorf("the records of %s cannot be read: %s", sync, call.Message)
	}
	return err
}

// verdict is why not all is well; nil when it is.
func (v *verified) verdict() error {
	if v.Stopped != "" {
		return fmt.Errorf("%d of %d records were compared: %s", v.Compared, v.Records(), v.Stopped)
	}
	if n := v.Differ() - v.Mended; n > 0 {
		return rowsError{fmt.Errorf("%s of %s differ from what was delivered", records(n), v.Sync)}
	}
	return nil
}

// Records is how many were to be read.
func (v *verified) Records() int { return v.Budget.Records }
