package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type sqlCmd struct {
	Statement string        `arg:"" optional:"" help:"The statement; without one: a prompt, or the standard input."`
	Data      string        `default:"penstock-data" help:"The folder that penstock local or demo --data made."`
	Gateway   string        `help:"The gateway to call; without it the one of penstock local, or one started for the statement." placeholder:"URL"`
	Token     string        `env:"PENSTOCK_TOKEN" help:"The token of a gateway that was started with --token; the folder's own is known." placeholder:"TOKEN"`
	As        string        `help:"Call as this role, as a warehouse tells it: what allow lets it do." placeholder:"ROLE"`
	Wait      time.Duration `default:"1m" help:"How long to wait for rows that were pushed, when the gateway was started for the statement."`
}

// warehouseFile is the embedded warehouse.
const warehouseFile = "warehouse.duckdb"

// Run runs one statement or a prompt.
func (c sqlCmd) Run(ctx context.Context, s program) (err error) {
	file := filepath.Join(c.Data, warehouseFile)
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("there is no warehouse in %s: make one with  %s demo --data %[1]s  or  %[2]s local --data %[1]s", c.Data, self())
	}
	gateway, stopGateway, err := c.gateway(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopGateway()) }()
	w, err := duckdb.Open(ctx, duckdb.Config{Path: file, Gateway: gateway, Token: c.token(), Role: c.As})
	if err != nil {
		return inUse(err, c.Data)
	}
	defer w.Close()
	if c.Statement != "" {
		return query(ctx, s.out, w, c.Statement)
	}
	if isatty.IsTerminal(s.in.Fd()) {
		return prompt(ctx, s, w, filepath.Join(c.Data, "history"))
	}
	text, err := io.ReadAll(s.in)
	if err != nil {
		return fmt.Errorf("read the statement: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return errors.New("no statement: give one as the argument or on the standard input")
	}
	return query(ctx, s.out, w, string(text))
}

// inUse says in one line what DuckDB says about a file that another process has
// open: only one process at a time can open it.
func inUse(err error, dir string) error {
	if strings.Contains(err.Error(), "Could not set lock on file") {
		return fmt.Errorf("the warehouse in %s is open in another process (penstock sql or demo): only one at a time can have it", dir)
	}
	return err
}
