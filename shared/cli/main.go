// Package cli is the command line over the product: what a person types, what it
// prints, and its exit codes. It is given the destination types that there are.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/penstock-data/penstock/shared/app/machine"
)

// cli is the command line; the tags are its help.
type cli struct {
	Demo     demoCmd     `cmd:"" help:"Run the whole road on this machine: DuckDB models go to simulated destinations."`
	Local    localCmd    `cmd:"" help:"Start gateway, queue, workers, simulators and warehouse on this machine, and stay up until interrupted."`
	SQL      sqlCmd      `cmd:"" name:"sql" help:"Run SQL on the embedded warehouse, with the penstock functions; without a statement: a prompt."`
	Retry    retryCmd    `cmd:"" help:"Send a run's open errors again."`
	Cancel   cancelCmd   `cmd:"" help:"End a run: what is not delivered yet is not sent."`
	Reset    resetCmd    `cmd:"" help:"Clear a sync's watermark: the next run selects all rows."`
	Connect  connectCmd  `cmd:"" help:"Show which account a connection delivers to, or let it deliver to another one."`
	Sandbox  sandboxCmd  `cmd:"" help:"Run the simulated destinations alone."`
	Init     initCmd     `cmd:"" help:"Start a project of your own: a folder with one sync, its model and its connection."`
	Validate validateCmd `cmd:"" help:"Check sync definitions and report every fault with its place."`
	Apply    applyCmd    `cmd:"" help:"Store sync definitions as versions; shows the difference first."`
	Setup    setupCmd    `cmd:"" name:"sql-setup" help:"Print the statements that set up a warehouse."`

	Version     versionCmd     `cmd:"" help:"Print the version, the commit, Go's version, and whether DuckDB is in."`
	CheckModels checkModelsCmd `cmd:"" name:"check-models" hidden:"" help:"Check models as validate asks."`
}

// program is what every command is given: where it reads and writes, and the
// destination types that there are.
type program struct {
	out, err io.Writer
	in       *os.File
	known    destinations
}

// Main runs the command line of a program that knows these destination types, and
// returns the exit code: 0, 1 for a failure, 2 for a wrong command line, 130 for
// one that was interrupted.
func Main(args []string, known []Destination) int {
	var c cli
	c.Local.offer(known, 0)
	c.Sandbox.offer(known, 8788)
	parser, err := kong.New(&c, kong.Name("penstock"), kong.Description("Reverse ETL from SQL, in your own cloud account."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "penstock:", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args) // --help ends the process
	if err != nil {
		fmt.Fprintf(os.Stderr, "penstock: %v (%s)\n", err, helpFor(err))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // a second Ctrl-C ends at once
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(program{out: os.Stdout, err: os.Stderr, in: os.Stdin, known: known})
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil && interrupted(err):
		fmt.Fprintln(os.Stderr, "penstock: interrupted"+after(parsed.Command()))
		return 130
	}
	fmt.Fprintln(os.Stderr, "penstock:", plain(err))
	return 1
}

// after says what becomes of rows when a command is interrupted.
func after(command string) string {
	name, _, _ := strings.Cut(command, " ")
	if name == "demo" || name == "sql" || name == "retry" {
		return "; what was queued goes on at the next start with the same --data"
	}
	return ""
}

// helpFor names the help that fits a wrong command line.
func helpFor(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context.Command() != "" {
		name, _, _ := strings.Cut(wrong.Context.Command(), " ")
		return "see penstock " + name + " --help"
	}
	return "penstock --help lists the commands"
}

// interrupted reports whether an error says no more than that a person ended it.
// DuckDB has an error of its own for it.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "INTERRUPT") || strings.Contains(err.Error(), "context canceled")
}

// plain is an error's text for people: what a function of ours answered, without
// the driver's words around it, and what to do where that is known.
func plain(err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return err.Error() + ": another penstock may be running there; stop it, or give another address"
	}
	if errors.Is(err, machine.ErrInUse) {
		return err.Error() + " (another penstock): stop it, or give another --data"
	}
	text := err.Error()
	if _, answer, ok := strings.Cut(text, "database/sql/driver: API error: "); ok {
		text = answer
	}
	return strings.TrimRight(text, "\n")
}
