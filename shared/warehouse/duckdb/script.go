package duckdb

import "strings"

// A Column is one of a result.
type Column struct {
	Name string
	JSON bool // its texts are JSON values
}

// A StatementError is DuckDB's, of one statement.
type StatementError struct {
	Kind    string // DuckDB's: Parser, Binder, Catalog ...; "" of what a penstock function answered
	Message string // may have several lines
	Offset  int    // of the fault in the statement, of a Parser error in characters, else in bytes; -1 where DuckDB names none
	cause   error
}

// Error implements error.
func (e *StatementError) Error() string {
	if e.Kind == "" {
		return e.Message
	}
	return e.Kind + " Error: " + e.Message
}

// Unwrap is what DuckDB's driver said.
func (e *StatementError) Unwrap() error { return e.cause }

// A Piece is one of several statements, without its semicolon.
type Piece struct {
	Text   string
	Offset int // of the text in the whole, in bytes
}

// Split cuts a text into its statements. Empty ones and comments alone are none. open
// says that the last has no semicolon.
func Split(text string) (pieces []Piece, open bool) {
	begin, empty := 0, true
	add := func(end int) {
		if empty {
			return
		}
		piece := strings.TrimLeft(text[begin:end], " \t\r\n\f\v")
		pieces = append(pieces, Piece{strings.TrimRight(piece, " \t\r\n\f\v"), end - len(piece)})
	}
	for i := 0; i < len(text); {
		n, isCode := token(text[i:], i > 0 && isName(text[i-1]))
		switch {
		case text[i] == ';':
			add(i)
			begin, empty = i+n, true
		case isCode:
			empty = false
		}
		i += n
	}
	add(len(text))
	return pieces, !empty
}
