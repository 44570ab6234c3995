// Package modelcheck asks DuckDB what a model selects without trusting the model:
// exactly one SELECT, which is bound and never run, on a database that can reach no
// file and no setting. Its inputs are a model's text and the tables that it may
// read; it knows no sync.
//
// Binding alone can take long and much memory, since constants are computed then,
// whatever DuckDB's own limits: so a Checker belongs in a process of its own,
// with limits, which shared/cli starts.
package modelcheck

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Source says which tables models may read. The zero value has none.
type Source struct {
	// Path is a DuckDB file, which is attached for reading only; "" is none.
	Path string `json:"path,omitempty"`
	// Script makes tables in a database in memory, and is trusted.
	Script string `json:"script,omitempty"`
}

// A Result is what is known of one model.
type Result struct {
	// Columns are those that the model selects, in order; nil when they are not known.
	Columns []string `json:"columns,omitempty"`
	// Aliases are columns that are called by the word behind them, without AS: a comma
	// may be missing between, and most likely is where the word is on the next line.
	Aliases []Alias `json:"aliases,omitempty"`
	// Uses are the columns that the model's own text names, with what each is made of.
	Uses []Use `json:"uses,omitempty"`
	// Fault says why the model is refused, nil when it is not.
	Fault *Fault `json:"fault,omitempty"`
	// Missing is the table, function or type that the database does not have, nil for
	// none. Columns then come from the text alone.
	Missing *Missing `json:"missing,omitempty"`
	// Reads is a file that the model reads, nil for none. A check opens none, so that
	// Columns come from the text alone, and whether all is there nobody knows.
	Reads *Read `json:"reads,omitempty"`
}

// Read is a file that a model reads.
type Read struct {
	What string `json:"what"` // the function or the file, as the model names it
	Place
}

// Missing is what a model reads or calls and the database does not have.
type Missing struct {
	What string `json:"what"` // table, scalar function, type
	Name string `json:"name"`
	Near string `json:"near,omitempty"` // the table that was meant, "" where none is near
	Place
}

// An Alias is a column with the word that it is called by.
type Alias struct {
	Column string `json:"column"`
	As     string `json:"as"`
	Below  bool   `json:"below,omitempty"` // the word is on another line
	Place
}

// A Fault is what is wrong with a model, and where.
type Fault struct {
	Message string `json:"message"`
	Place
}

// A Place is a line and a column of a text, both from 1, in characters.
type Place struct {
	Line int `json:"line"`
	Col  int `json:"col"`
}

// placeOf is the place of a byte.
func placeOf(text string, offset int) Place {
	offset = max(0, min(offset, len(text)))
	begin := strings.LastIndexByte(text[:offset], '\n') + 1
	return Place{strings.Count(text[:offset], "\n") + 1, utf8.RuneCountInString(text[begin:offset]) + 1}
}

func faultAt(text string, offset int, format string, args ...any) *Fault {
	return &Fault{fmt.Sprintf(format, args...), placeOf(text, offset)}
}
