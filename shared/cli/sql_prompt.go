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

// prompt reads statements that end with a semicolon, with a history that is kept
// in a file.
func prompt(ctx context.Context, s program, w *duckdb.Warehouse, history string) (err error) {
	line := liner.NewLiner()
	defer func() { err = errors.Join(err, keep(line, history), line.Close()) }()
	line.SetCtrlCAborts(true)
	if f, err := os.Open(history); err == nil {
		_, _ = line.ReadHistory(f) // an unreadable history is an empty one
		f.Close()
	}
	fmt.Fprintln(s.out, `A statement ends with ";". Ctrl-C drops it, Ctrl-D leaves. Try:  SELECT penstock_status('sf_health');`)
	for {
		statement, err := readStatement(line)
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.out)
			return nil
		case err != nil:
			return err
		}
		if err := query(ctx, s.out, w, statement); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			fmt.Fprintln(s.err, plain(err)) // the prompt goes on
		}
	}
}

// readStatement reads lines up to a semicolon, and puts them into the history.
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
		if statement == "exit" || statement == "quit" {
			return "", io.EOF
		}
		if strings.HasSuffix(statement, ";") {
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
