// Command penstock runs Penstock on one machine, checks and applies sync
// definitions, and prints what a warehouse needs to call it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line; the tags are its help.
type cli struct {
	Demo     demoCmd     `cmd:"" help:"Run the whole road on this machine: a DuckDB model goes to a simulated Salesforce and Slack."`
	Local    localCmd    `cmd:"" help:"Start the same and stay up until interrupted."`
	SQL      sqlCmd      `cmd:"" name:"sql" help:"Run SQL on the embedded warehouse, with the penstock functions; without a statement: a prompt."`
	Sandbox  sandboxCmd  `cmd:"" help:"Run the simulated destinations alone."`
	Validate validateCmd `cmd:"" help:"Check sync definitions and report every fault with its place."`
	Apply    applyCmd    `cmd:"" help:"Store sync definitions as versions; shows the difference first."`
	Setup    setupCmd    `cmd:"" name:"sql-setup" help:"Print the statements that set up a warehouse."`
}

// streams are where a command writes.
type streams struct {
	out, err io.Writer
	in       *os.File
}

func main() { os.Exit(Main(os.Args[1:])) }

// Main runs the command line and returns the exit code: 0, 1 for a failure, 2
// for a wrong command line.
func Main(args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("penstock"), kong.UsageOnError(), kong.Exit(func(int) { panic(exitHelp{}) }),
		kong.Description("Reverse ETL from SQL, in your own cloud account."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "penstock:", err)
		return 2
	}
	code, parsed := 0, (*kong.Context)(nil)
	func() {
		defer func() {
			if r := recover(); r != nil {
				if _, help := r.(exitHelp); !help {
					panic(r)
				}
				code = -1
			}
		}()
		parsed, err = parser.Parse(args)
	}()
	if code == -1 {
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "penstock: %v (penstock --help lists the commands)\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(streams{out: os.Stdout, err: os.Stderr, in: os.Stdin})
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "penstock: interrupted")
		return 1
	}
	fmt.Fprintln(os.Stderr, "penstock:", err)
	return 1
}

// exitHelp unwinds from kong after --help.
type exitHelp struct{}
