package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// stateFile holds a folder's runs, ledger, queue and errors.
const stateFile = "penstock.db"

// defaultData is the folder that commands use when none is named.
const defaultData = "penstock-data"

// somewhere is where a command that starts nothing finds the state.
type somewhere struct {
	Data  string `default:"penstock-data" help:"The folder of this machine's state."`
	Stack string `help:"This stack in AWS, with your own credentials, instead of this machine." placeholder:"NAME"`
}

// open opens the state, also while a penstock local works in it.
func (c somewhere) open(ctx context.Context) (*runs.Control, func() error, error) {
	if c.Stack != "" {
		control, err := remote.Open(ctx, c.Stack)
		return control, func() error { return nil }, err
	}
	store, err := openState(c.Data)
	if err != nil {
		return nil, nil, err
	}
	return machine.Control(store), store.Close, nil
}

// openState opens a folder's state, which must be there: nothing is made.
func openState(dir string) (*sqlite.Store, error) {
	if err := haveState(dir); err != nil {
		return nil, err
	}
	return sqlite.Open(filepath.Join(dir, stateFile), time.Now)
}

// haveState says what to do where a folder has no state.
func haveState(dir string) error {
	_, err := os.Stat(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no state in %s: %s, or name the folder of penstock apply, local or demo with --data", dir, makeState(dir))
	}
	if err != nil {
		return fmt.Errorf("look for the state in %s: %w", dir, err)
	}
	return nil
}

// makeState is how a folder gets a state.
func makeState(dir string) string {
	if dir == defaultData {
		return fmt.Sprintf("make it with  %s apply ", self())
	}
	return fmt.Sprintf("make it with  mkdir -p %s && %s apply --data %[1]s ", dir, self())
}
