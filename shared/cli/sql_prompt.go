package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/peterh/liner"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// promptHelp is what help; prints.
const promptHelp = `A statement ends with ";", may take several lines, and is run when it ends.
  SELECT penstock_syncs();                       the applied syncs
  SELECT penstock_status('SYNC');                how one stands
  SELECT penstock_push('SYNC', to_json(m)) FROM MODEL m;
  CALL penstock_run('SYNC');                     push what changed
  SELECT penstock_errors('RUN');                 what was not delivered, and why
  help;  this.   exit;  leave, as Ctrl-D does.   Ctrl-C drops or stops a statement.`

// prompt reads statements that end with a semicolon, with a history that is kept in a
// file. A statement that fails or is stopped leaves the prompt as it was.
func (r *runner) prompt(ctx context.Context, history string) (err error) {
	line := liner.NewLiner()
	defer func() { err = errors.Join(err, keep(line, history), line.Close()) }()
	line.SetCtrlCAborts(true)
	if f, err := os.Open(history); err == nil {
		_, _ = line.ReadHistory(f) // an unreadable history is an empty one
		f.Close()
	}
	fmt.Fprintln(r.s.out, `A statement ends with ";".  help;  shows what there is,  exit;  leaves.`)
	for {
		text, err := readStatement(line)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil: // SIGTERM, or nobody reads the output
			return ctx.Err()
		}
		if word(text) == "help" {
			fmt.Fprintln(r.s.out, promptHelp)
			continue
		}
		if err := r.interruptible(ctx, text); err != nil {
			fmt.Fprintln(r.s.err, plain(err)) // the prompt goes on
		}
	}
}

// interruptible runs the statements of a text; Ctrl-C stops them alone.
func (r *runner) interruptible(ctx context.Context, text string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer r.s.signals.take(cancel)()
	err := r.script(ctx, script{text: text})
	if err != nil && ctx.Err() != nil && interrupted(err) {
		r.did.take()
		return errors.New("stopped; what was queued goes on")
	}
	return err
}

// word is a statement of one word, in lower case.
func word(text string) string {
	return strings.ToLower(strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text), ";")))
}

// readStatement reads lines up to one that ends a statement, and puts them into the
// history. io.EOF is the wish to leave.
func readStatement(line *liner.State) (string, error) {
	statement := ""
	for {
		mark := "penstock> "
		if statement != "" {
			mark = "      ... "
		}
		text, err := line.Prompt(mark)
		if errors.Is(err, liner.ErrPromptAborted) {
			statement = ""
			continue
		}
		if err != nil {
			return "", err
		}
		statement = strings.TrimSpace(statement + "\n" + text)
		switch word(statement) {
		case "exit", "quit":
			return "", io.EOF
		case "help":
			return statement, nil
		}
		if pieces, open := duckdb.Split(statement); len(pieces) > 0 && !open {
			line.AppendHistory(strings.Join(strings.Fields(statement), " "))
			return statement, nil
		}
	}
}

// keep writes the history for the next prompt.
func keep(line *liner.State, history string) error {
	f, err := os.OpenFile(history, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the history: %w", err)
	}
	_, err = line.WriteHistory(f)
	return errors.Join(err, f.Close())
}
