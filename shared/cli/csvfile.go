package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// csvFrom is the reader of a CSV file (RFC 4180) in SQL, and its columns. Nothing is
// guessed but the delimiter, which the first line shows: DuckDB's guesses make a
// comment of a value that begins with #, and leave out lines that are too short.
func csvFrom(path string) (from string, columns []string, err error) {
	columns, delimiter, err := csvHeader(path)
	if err != nil {
		return "", nil, err
	}
	typed := make([]string, len(columns))
	for i, c := range columns {
		typed[i] = literal(c) + ": 'VARCHAR'"
	}
	return fmt.Sprintf(`read_csv(%s, auto_detect = false, header = true, delim = %s, quote = '"', escape = '"', comment = '', strict_mode = true, columns = {%s})`,
		literal(path), literal(string(delimiter)), strings.Join(typed, ", ")), columns, nil
}

// csvHeader is what the first line names, and what parts the names.
func csvHeader(path string) ([]string, rune, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read the rows: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	if mark, err := r.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = r.Discard(3) // they are there
	}
	line, err := r.Peek(r.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, fmt.Errorf("read the rows: %w", err)
	}
	first, _, _ := strings.Cut(string(line), "\n")
	var header io.Reader = r
	if before, after, cr := strings.Cut(strings.TrimSuffix(first, "\r"), "\r"); cr && after != "" { // lines that end as on old Macs
		first, header = before, strings.NewReader(before)
	}
	if strings.TrimSpace(first) == "" {
		return nil, 0, fmt.Errorf("%s:1: the first line is empty; it must name the columns", path)
	}
	if !utf8.ValidString(first) && len(first) < r.Size() {
		return nil, 0, fmt.Errorf("%s:1: this line is not UTF-8; save the file as UTF-8", path)
	}
	names := csv.NewReader(header)
	names.Comma = delimiterOf(first)
	columns, err := names.Read()
	if err != nil {
		return nil, 0, fmt.Errorf("%s:1: the first line cannot be read as CSV: a quote may not be closed", path)
	}
	columns, err = named(columns)
	if err != nil {
		return nil, 0, fmt.Errorf("%s:1: %w", path, err)
	}
	return columns, names.Comma, nil
}

// delimiterOf is what stands most often between the names of a line.
func delimiterOf(line string) rune {
	best, most := ',', 0
	for _, d := range ",;\t|" {
		n, quoted := 0, false
		for _, r := range line {
			if r == '"' {
				quoted = !quoted
			} else if r == d && !quoted {
				n++
			}
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

// named gives a name to a column without one, and refuses a name that is there twice:
// it would be left to chance which of the two is sent.
func named(columns []string) ([]string, error) {
	seen := map[string]bool{}
	for i, c := range columns {
		if columns[i] = strings.TrimSpace(c); columns[i] == "" {
			columns[i] = "column" + strconv.Itoa(i+1)
		}
		key := strings.ToLower(columns[i])
		if seen[key] {
			return nil, fmt.Errorf("the column %s is named twice; rename one", columns[i])
		}
		seen[key] = true
	}
	return columns, nil
}

var (
	csvLine  = regexp.MustCompile(`CSV Error on Line: ([0-9]+)`)
	csvCount = regexp.MustCompile(`Expected Number of Columns: ([0-9]+) Found: ([0-9]+)`)
)

// fileFault is what DuckDB says of a file, in one line, without the row that it quotes
// (I6) and without options that nobody here can set.
func fileFault(path string, err error) error {
	text := err.Error()
	line := csvLine.FindStringSubmatch(text)
	switch count := csvCount.FindStringSubmatch(text); {
	case strings.Contains(text, "CSV Parser state machine"):
		return fmt.Errorf("%s: not CSV as RFC 4180 has it: its lines may end in different ways", path)
	case line == nil:
		return fmt.Errorf("read %s: %s", path, strings.TrimSpace(firstLine(err)))
	case count != nil:
		return fmt.Errorf("%s:%s: the first line names %s columns, and this one has %s values", path, line[1], count[1], count[2])
	case strings.Contains(text, "Invalid unicode"):
		return fmt.Errorf("%s:%s: this line is not UTF-8; save the file as UTF-8", path, line[1])
	case strings.Contains(text, "unterminated quote"):
		return fmt.Errorf(`%s:%s: a quote " is not closed, or stands within a value; there it is written twice`, path, line[1])
	default:
		return fmt.Errorf("%s:%s: this line cannot be read as CSV", path, line[1])
	}
}
