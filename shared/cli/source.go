package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A relation is what stands in FROM.
type relation struct{ sql string }

func (r relation) limited(n int) relation {
	if n == 0 {
		return r
	}
	return relation{fmt.Sprintf("(SELECT * FROM %s LIMIT %d)", r.sql, n)}
}

func (r relation) count(ctx context.Context, w *duckdb.Warehouse) (n int64, err error) {
	err = w.DB().QueryRowContext(ctx, "SELECT count(*) FROM "+r.sql).Scan(&n)
	return n, err
}

// readable says what to do about a file that is not there or cannot be read.
func readable(path string) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("you may not read %s: give yourself the right (chmod u+r)", path)
	case err != nil:
		return fmt.Errorf("read the rows: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder: name a file (.csv, .parquet, .json or .ndjson)", path)
	}
	return nil
}

// fileRows are the rows of a file, by its name's end.
func fileRows(ctx context.Context, w *duckdb.Warehouse, path string) (relation, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".csv", ".tsv":
		return csvRows(ctx, w, path)
	case ".parquet":
		return checkedFile(ctx, w, path, "read_parquet("+literal(path)+")", "count(*)")
	case ".json", ".ndjson", ".jsonl":
		return jsonRows(path)
	default:
		return relation{}, usage("--from %s: a file that ends with .csv, .tsv, .parquet, .json, .ndjson or .jsonl", path)
	}
}

// checkedFile reads a file's rows once before the first one is sent.
func checkedFile(ctx context.Context, w *duckdb.Warehouse, path, from, what string) (relation, error) {
	_, err := w.DB().ExecContext(ctx, "SELECT "+what+" FROM "+from)
	if err != nil {
		err = fileFault(path, err)
	}
	return relation{from}, err
}

// csvValue are the cells that go as the JSON value that they spell: true, false, and
// numbers that lose no digit by it. So 01234 and 1.10 stay the texts that they are.
const csvValue = `true|false|0|-?[1-9][0-9]{0,17}|-?(0|[1-9][0-9]{0,12})\.[0-9]{0,12}[1-9]`

// csvRows reads a file whose first line names the columns. Each cell is judged by itself,
// and goes with the digits that it has.
func csvRows(ctx context.Context, w *duckdb.Warehouse, path string) (relation, error) {
	from, columns, err := csvFrom(path)
	if err != nil {
		return relation{}, err
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = fmt.Sprintf("CAST(CASE WHEN regexp_full_match(%[1]s, '%[2]s') THEN %[1]s ELSE CAST(to_json(%[1]s) AS VARCHAR) END AS JSON) AS %[1]s", identifier(c), csvValue)
	}
	if _, err := checkedFile(ctx, w, path, from, "count(COLUMNS(*))"); err != nil {
		return relation{}, err
	}
	return relation{"(SELECT " + strings.Join(cells, ", ") + " FROM " + from + ")"}, nil
}

// columnsOf asks which columns a relation has.
func columnsOf(ctx context.Context, w *duckdb.Warehouse, from string) ([]string, error) {
	return modelColumns(ctx, w, "SELECT * FROM "+from)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// literal is a text as SQL writes it.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// identifier is a name as SQL writes it.
func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
