package cli

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// looked is how many rows of a file are looked at for its columns' types.
const looked = 1000

// readColumns reads the header of a CSV file, and tells its columns' types by its
// first rows.
func readColumns(path string) ([]syncdef.Column, error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".csv" && ext != ".tsv" {
		return nil, fmt.Errorf("--from %s: the columns of a .csv or .tsv file can be read here", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the columns: %w", err)
	}
	defer f.Close()
	begin := make([]byte, 64<<10)
	n, err := io.ReadFull(f, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the columns of %s: %w", path, err)
	}
	begin = bytes.TrimPrefix(begin[:n], []byte("\ufeff"))
	r := csv.NewReader(io.MultiReader(bytes.NewReader(begin), io.LimitReader(f, 16<<20)))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = separator(begin), -1, true, true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s has no header: its first line must name the columns", path)
	}
	types := make([]typing, len(header))
	columns := make([]syncdef.Column, len(header))
	seen := map[string]bool{}
	for i, name := range header {
		columns[i].Name = strings.TrimSpace(name)
		folded := strings.ToLower(columns[i].Name)
		if folded == "" || seen[folded] {
			return nil, fmt.Errorf("%s: column %d of the header has no name of its own; name each once", path, i+1)
		}
		seen[folded] = true
	}
	for range looked {
		values, err := r.Read()
		if err != nil {
			break // the end, or what a push will tell
		}
		for i, v := range values[:min(len(values), len(types))] {
			types[i].add(v)
		}
	}
	for i := range columns {
		columns[i].Type = types[i].of(columns[i].Name)
	}
	return columns, nil
}

// separator is what the first line has most of.
func separator(begin []byte) rune {
	line, _, _ := bytes.Cut(begin, []byte("\n"))
	best := ','
	for _, c := range ";\t|" {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}

// A typing counts which types a column's values fit.
type typing struct {
	values int
	fits   map[syncdef.Type]int
}

// forms are how values of a type are written, the narrower type first. A number with
// a leading zero is a code.
var forms = []struct {
	kind syncdef.Type
	fits func(string) bool
}{
	{syncdef.Boolean, regexp.MustCompile(`^(?i:true|false)$`).MatchString},
	{syncdef.Integer, regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})$`).MatchString},
	{syncdef.Number, regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,14})?$`).MatchString},
	{syncdef.Date, func(v string) bool { _, err := time.Parse(time.DateOnly, v); return err == nil }},
	{syncdef.DateTime, isTime},
	{syncdef.Email, regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@.]+$`).MatchString},
}

func isTime(v string) bool {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04:05Z07:00"} {
		if _, err := time.Parse(layout, v); err == nil {
			return true
		}
	}
	return false
}

func (t *typing) add(value string) {
	if value == "" {
		return
	}
	if t.fits == nil {
		t.fits = map[syncdef.Type]int{}
	}
	t.values++
	for _, f := range forms {
		if f.fits(value) {
			t.fits[f.kind]++
		}
	}
}

// of is the narrowest type that all values fit, string when there is none. An
// address is an email only in a column of that name.
func (t *typing) of(name string) syncdef.Type {
	for _, f := range forms {
		if t.values == 0 || t.fits[f.kind] < t.values || f.kind == syncdef.Email && !strings.Contains(strings.ToLower(name), "mail") {
			continue
		}
		return f.kind
	}
	return syncdef.String
}

// onlyCSV is the one CSV file of a folder, "" where there is none. Of several one has
// to be named.
func onlyCSV(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(globless(dir), "*.csv"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	if len(files) > 1 {
		return "", usage("%s has %d CSV files: name the one whose columns are mapped with --from, such as --from %s", dir, len(files), shellWord(files[0]))
	}
	return filepath.Join(dir, filepath.Base(files[0])), nil
}

// globless is a path whose characters mean themselves in a pattern.
func globless(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
