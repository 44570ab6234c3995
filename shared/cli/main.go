// Package cli is the command line over the product: what a person types, what it
// prints, and its exit codes. It is given the destination types that there are.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// cli is the command line; the tags are its help.
type cli struct {
	Demo     demoCmd     `cmd:"" help:"Run the whole road on this machine: DuckDB models go to simulated destinations."`
	Local    localCmd    `cmd:"" help:"Start gateway, queue, workers, simulators and warehouse on this machine, and stay up until interrupted."`
	SQL      sqlCmd      `cmd:"" name:"sql" help:"Run SQL on the embedded warehouse, with the penstock functions; without a statement: a prompt."`
	Push     pushCmd     `cmd:"" help:"Push rows of the embedded warehouse, or of a file, to a sync's destination."`
	Run      runCmd      `cmd:"" help:"Run a sync: select what changed, push it, and move the watermark."`
	Plan     planCmd     `cmd:"" help:"Say what a run would do and cost, and do nothing: create, update, calls, quota, time, AWS."`
	Status   statusCmd   `cmd:"" help:"Show how syncs stand: last run, watermark, what is held up and why."`
	Runs     runsCmd     `cmd:"" help:"List runs, the newest first."`
	Errors   errorsCmd   `cmd:"" help:"List the rows that were not delivered, each with its reason."`
	Retry    retryCmd    `cmd:"" help:"Send a run's open errors again."`
	Cancel   cancelCmd   `cmd:"" help:"End a run: what is not delivered yet is not sent."`
	Reset    resetCmd    `cmd:"" help:"Clear a sync's watermark: the next run selects all rows."`
	Verify   verifyCmd   `cmd:"" help:"Read records back from the destination and compare them with what was delivered; have those that differ sent again."`
	Pause    pauseCmd    `cmd:"" help:"Let a sync take nothing on: its runs wait, rows pushed to it are blocked, its schedule skips."`
	Resume   resumeCmd   `cmd:"" help:"Let a paused sync go on."`
	Remove   removeCmd   `cmd:"" help:"End a sync: it takes no more rows, and is not run any more."`
	Cost     costCmd     `cmd:"" help:"Estimate what a run cost at AWS, or a month of a sync's runs."`
	Audit    auditCmd    `cmd:"" help:"List what people did: pause, resume, retry, cancel, reset, apply, remove, another account."`
	Forget   forgetCmd   `cmd:"" help:"Delete what is stored of a person: ledger entries, stored errors with their rows; says what is left."`
	Doctor   doctorCmd   `cmd:"" help:"Examine this machine or a stack: credentials, state, queues, definitions, clock; each with its remedy."`
	Console  consoleCmd  `cmd:"" help:"Serve a web page over the state on this machine: overview, runs as they go, errors, and what mends them."`
	Logs     logsCmd     `cmd:"" help:"Show this machine's log."`
	Alert    alertCmd    `cmd:"" help:"Show what people were told of a sync, or send them a test notice."`
	Connect  connectCmd  `cmd:"" help:"Show, list and test connections; let one deliver to another account."`
	Fields   fieldsCmd   `cmd:"" help:"List the fields of a destination's object, with types and limits."`
	Sandbox  sandboxCmd  `cmd:"" help:"Run the simulated destinations alone."`
	Init     initCmd     `cmd:"" help:"Start a project of your own: a folder with one sync, its model and its connection."`
	Validate validateCmd `cmd:"" help:"Check sync definitions and report every fault with its place."`
	Apply    applyCmd    `cmd:"" help:"Store sync definitions as versions; shows the difference first."`
	Setup    setupCmd    `cmd:"" name:"sql-setup" help:"Print the statements that set up a warehouse."`

	Version     versionCmd     `cmd:"" help:"Print the version, the commit, Go's version, and whether DuckDB is in."`
	CheckModels checkModelsCmd `cmd:"" name:"check-models" hidden:"" help:"Check models as validate asks."`
	Completion  completionCmd  `cmd:"" help:"Print a script that completes commands and flags in your shell."`
	Help        helpCmd        `cmd:"" help:"Show help, of one command where it is named."`
}

// program is what every command is given: where it reads and writes, the time, and
// the destination types that there are.
type program struct {
	out, err io.Writer
	in       *os.File
	clock    clock
	signals  *signals
	known    destinations
}

// Main runs the command line of a program that knows these destination types, and
// returns the exit code: 0 all well, 1 failed, 2 wrong usage, 3 some rows were
// rejected, failed or have not settled; 130 and 141 where it was interrupted, by a
// person or because nobody reads the output any more.
func Main(args []string, known []Destination) int {
	var c cli
	c.Local.offer(known, 0)
	c.Sandbox.offer(known, 8788)
	parser, err := newParser(&c)
	if err != nil {
		fmt.Fprintln(os.Stderr, "penstock:", err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(statements(args)) // --help ends the process
	if err != nil {
		fmt.Fprintf(os.Stderr, "penstock: %v (%s)\n", err, helpFor(err))
		return exitUsage
	}
	if err := elsewhere(parsed); err != nil {
		fmt.Fprintln(os.Stderr, "penstock:", err)
		return exitUsage
	}
	if parsed.Selected() == nil || parsed.Selected().Name != "init" { // whose files are for others, too
		ownerOnly()
	}
	ctx, sig := watchSignals(context.Background())
	defer sig.stop()
	ctx = runs.As(ctx, machine.Login())
	gone := new(atomic.Bool)
	out := printerOf(os.Stdout, gone, sig.cancel)
	s := program{
		out: out, err: printerOf(os.Stderr, gone, sig.cancel), in: os.Stdin,
		clock: clock{now: time.Now, zone: time.Local}, signals: sig, known: known,
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(s)
	if lost := out.lost.Load(); lost != nil && !errors.Is(err, *lost) {
		err = errors.Join(err, *lost)
	}
	switch {
	case gone.Load():
		return exitPipe
	case err != nil && ctx.Err() != nil && interrupted(err):
		fmt.Fprintln(s.err, "penstock: interrupted"+after(parsed.Command(), given(parsed, "stack")))
		return exitInterrupted
	case err != nil:
		fmt.Fprintln(s.err, "penstock:", plain(err))
	}
	return codeOf(err)
}

// flagForm is how a long flag is written.
var flagForm = regexp.MustCompile(`^--[a-z][a-z-]*(=|$)`)

// statements are the arguments, those of sql that begin with a comment moved by a
// space: with two dashes in front they would be flags.
func statements(args []string) []string {
	args = slices.Clone(args)
	for i, a := range args {
		if args[0] == "sql" && strings.HasPrefix(a, "--") && strings.ContainsAny(a, " \t\r\n") && !flagForm.MatchString(a) {
			args[i] = " " + a
		}
	}
	return args
}

// newParser makes the parser of the command line.
func newParser(c *cli, more ...kong.Option) (*kong.Kong, error) {
	return kong.New(c, append(more, kong.Name("penstock"), kong.Description("Reverse ETL from SQL, in your own cloud account.\n\n"+exitHelp),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: widest}))...)
}

// after says what becomes of rows when a command is interrupted.
func after(command string, stack bool) string {
	name, _, _ := strings.Cut(command, " ")
	if stack {
		if name == "retry" {
			return "; what was queued is delivered by the stack's workers"
		}
		return ""
	}
	switch name {
	case "demo", "sql", "retry", "push", "run":
		return "; what was queued goes on at the next start with the same --data"
	}
	return ""
}

// given reports whether the command line names a flag.
func given(parsed *kong.Context, flag string) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == flag })
}

// elsewhere refuses flags of this machine beside --stack: one of the two is not meant.
func elsewhere(parsed *kong.Context) error {
	if !given(parsed, "stack") {
		return nil
	}
	command, _, _ := strings.Cut(parsed.Command(), " ")
	for _, flag := range []string{"data", "gateway", "endpoint"} {
		if given(parsed, flag) && !slices.Contains(atStacks[command], flag) {
			return usage("--%s is of this machine, and --stack names a stack in AWS: give one of the two", flag)
		}
	}
	return nil
}

// atStacks are the flags of this machine that mean something at a stack, by command: verify
// may fill the warehouse here, and doctor ask another address than a connection's.
var atStacks = map[string][]string{"verify": {"data"}, "doctor": {"endpoint"}}

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
