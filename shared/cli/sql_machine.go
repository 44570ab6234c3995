package cli

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// printCSV prints all rows with a header; null is an empty field.
func printCSV(out io.Writer, columns []duckdb.Column, rows *sql.Rows) error {
	w := csv.NewWriter(out)
	header := make([]string, len(columns))
	for i, c := range columns {
		header[i] = c.Name
	}
	if err := w.Write(header); err != nil {
		return err
	}
	return eachRow(columns, rows, func(values []any) error {
		line := make([]string, len(values))
		for i, v := range values {
			if v != nil {
				line[i] = textOf(v)
			}
		}
		if err := w.Write(line); err != nil {
			return err
		}
		w.Flush()
		return w.Error()
	})
}

// printObjects prints all rows as an array of objects. What is JSON in the warehouse is
// JSON here, with the digits that it has there.
func printObjects(out io.Writer, columns []duckdb.Column, rows *sql.Rows) error {
	n := 0
	err := eachRow(columns, rows, func(values []any) error {
		b := []byte("[\n  {")
		if n > 0 {
			b = []byte(",\n  {")
		}
		for i, v := range values {
			if i > 0 {
				b = append(b, ", "...)
			}
			var err error
			if b, err = jsontext.AppendQuote(b, columns[i].Name); err != nil {
				return err
			}
			if b, err = appendValue(append(b, ": "...), v, columns[i].JSON); err != nil {
				return err
			}
		}
		n++
		_, err := out.Write(append(b, '}'))
		return err
	})
	if err != nil {
		return err
	}
	end := "\n]\n"
	if n == 0 {
		end = "[]\n"
	}
	_, err = io.WriteString(out, end)
	return err
}

// eachRow reads all rows.
func eachRow(columns []duckdb.Column, rows *sql.Rows, each func([]any) error) error {
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// appendValue appends one value as JSON.
func appendValue(b []byte, v any, isJSON bool) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		if (isJSON || nests(x)) && jsontext.Value(x).IsValid(jsontext.AllowDuplicateNames(true)) {
			return append(b, x...), nil
		}
	case *big.Int:
		return x.Append(b, 10), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case time.Time:
		return jsontext.AppendQuote(b, textOf(x))
	default:
		if text, err := json.Marshal(x); err == nil {
			return append(b, text...), nil
		}
	}
	return jsontext.AppendQuote(b, textOf(v))
}

// nests reports whether a text may be a JSON object or array: what the penstock functions
// answer is text to DuckDB, and is printed as what it is.
func nests(s string) bool {
	return strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") || strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]")
}

// textOf is a value as text.
func textOf(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return string(x)
	case time.Time:
		return x.UTC().Format("2006-01-02 15:04:05.999999")
	}
	return fmt.Sprint(v)
}
