package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/mattn/go-isatty"
	"github.com/peterh/liner"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

type sqlCmd struct {
	Statement string        `arg:"" optional:"" help:"The statement; without one: a prompt."`
	Data      string        `default:"penstock-data" help:"The folder that penstock local or demo --data made." placeholder:"DIR"`
	Gateway   string        `help:"The gateway to call; without it the one of penstock local, or one started for the statement." placeholder:"URL"`
	Wait      time.Duration `default:"1m" help:"How long to wait for rows that were pushed, when the gateway was started for the statement."`
}

// Run runs one statement or a prompt.
func (c sqlCmd) Run(ctx context.Context, s streams) (err error) {
	file := filepath.Join(c.Data, warehouseFile)
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("there is no warehouse in %s: make one with  penstock demo --data %s  or  penstock local --data %s", c.Data, c.Data, c.Data)
	}
	gateway, stopGateway, err := c.gateway(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopGateway()) }()
	w, err := duckdb.Open(ctx, duckdb.Config{Path: file, Gateway: gateway})
	if err != nil {
		return err
	}
	defer w.Close()
	if c.Statement != "" {
		return query(ctx, s.out, w, c.Statement)
	}
	return prompt(ctx, s, w, filepath.Join(c.Data, "history"))
}

// gateway finds the running gateway, or starts one that waits for its rows at
// the end.
func (c sqlCmd) gateway(ctx context.Context, s streams) (string, func() error, error) {
	if c.Gateway != "" {
		return c.Gateway, func() error { return nil }, nil
	}
	if text, err := os.ReadFile(filepath.Join(c.Data, gatewayFile)); err == nil {
		if url := strings.TrimSpace(string(text)); answers(ctx, url) {
			return url, func() error { return nil }, nil
		}
	}
	p, err := localCmd{Data: c.Data, Listen: "127.0.0.1:0", Syncs: "none", Quiet: time.Second}.start(ctx)
	if err != nil {
		return "", nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	p.run(ctx, g)
	return p.machine.URL, func() error {
		c.settle(ctx, s, p)
		return stop(g, p)
	}, nil
}

// gatewayFile holds the URL of a running penstock local.
const gatewayFile = "gateway.url"

// warehouseFile is the embedded warehouse.
const warehouseFile = "warehouse.duckdb"

// answers reports whether a gateway is there.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/status", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return true
}

// settle waits until the runs that the statement started have ended.
func (c sqlCmd) settle(ctx context.Context, s streams, p *place) {
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	said := false
	for {
		open, err := p.machine.Store.OpenRuns(ctx)
		if err != nil || len(open) == 0 {
			return
		}
		if !said {
			fmt.Fprintln(s.err, "waiting for the pushed rows to settle ...")
			said = true
		}
		select {
		case <-ctx.Done():
			fmt.Fprintf(s.err, "%d runs go on at the next start; nothing is lost\n", len(open))
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// query prints a statement's result as a table.
func query(ctx context.Context, out io.Writer, w *duckdb.Warehouse, statement string) error {
	rows, err := w.Query(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	t := newTable(out)
	header := table.Row{}
	for _, c := range columns {
		header = append(header, c)
	}
	t.AppendHeader(header)
	n := 0
	for rows.Next() {
		cells := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &textCell{&cells[i]}
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		line := table.Row{}
		for _, c := range cells {
			if !c.Valid {
				c.String = "NULL"
			}
			line = append(line, c.String)
		}
		if n++; n <= maxShown {
			t.AppendRow(line)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n > 0 {
		t.Render()
	}
	if n > maxShown {
		fmt.Fprintf(out, "(%d rows, the first %d shown)\n", n, maxShown)
	} else {
		fmt.Fprintf(out, "(%d rows)\n", n)
	}
	return nil
}

const maxShown = 200

// textCell reads any column as text.
type textCell struct{ to *sql.NullString }

// Scan implements sql.Scanner.
func (c *textCell) Scan(v any) error {
	switch x := v.(type) {
	case nil:
		*c.to = sql.NullString{}
	case []byte:
		*c.to = sql.NullString{String: string(x), Valid: true}
	case time.Time:
		*c.to = sql.NullString{String: x.UTC().Format("2006-01-02 15:04:05.999999"), Valid: true}
	default:
		*c.to = sql.NullString{String: fmt.Sprint(x), Valid: true}
	}
	return nil
}

func newTable(out io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = 0 // as they are
	return t
}

// prompt reads statements that end with a semicolon, with history.
func prompt(ctx context.Context, s streams, w *duckdb.Warehouse, history string) error {
	if !isatty.IsTerminal(s.in.Fd()) {
		text, err := io.ReadAll(s.in)
		if err != nil {
			return fmt.Errorf("read the statement: %w", err)
		}
		return query(ctx, s.out, w, string(text))
	}
	line := liner.NewLiner()
	defer line.Close()
	line.SetCtrlCAborts(true)
	if f, err := os.Open(history); err == nil {
		_, _ = line.ReadHistory(f) // an unreadable history is an empty one
		f.Close()
	}
	fmt.Fprintln(s.out, `A statement ends with ";". Ctrl-D leaves. Try:  SELECT penstock_status('sf_health');`)
	for statement := ""; ; {
		mark := "penstock> "
		if statement != "" {
			mark = "      ... "
		}
		text, err := line.Prompt(mark)
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			statement = ""
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.out)
			return keep(line, history)
		case err != nil:
			return err
		}
		statement = strings.TrimSpace(statement + "\n" + text)
		if !strings.HasSuffix(statement, ";") {
			continue
		}
		line.AppendHistory(strings.Join(strings.Fields(statement), " "))
		if err := query(ctx, s.out, w, statement); err != nil {
			fmt.Fprintln(s.err, err) // the prompt goes on
		}
		statement = ""
	}
}

func keep(line *liner.State, history string) error {
	f, err := os.OpenFile(history, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the history: %w", err)
	}
	_, err = line.WriteHistory(f)
	return errors.Join(err, f.Close())
}
