package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/app/machine"
)

// keep serves the console's page over the demo's state until it is interrupted.
func (d *demo) keep(ctx context.Context) (err error) {
	var page *consolePage
	if e, ok := d.road.(*embedded); ok {
		page, err = e.place.machinePage(d.s, d.dir)
	} else {
		store, openErr := openState(d.dir)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		page, err = newConsole(newActs(d.s, machine.Control(store), somewhere{Data: d.dir}))
	}
	if err == nil {
		err = page.listen(consolePort, true)
	}
	if err != nil {
		return err
	}
	out := d.s.out
	if d.cmd.JSON { // whose output is the report alone
		out = d.s.err
	}
	fmt.Fprintf(out, "\nConsole  %s\nUp until Ctrl-C.\n", page.url())
	return page.serve(ctx)
}
