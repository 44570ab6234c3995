//go:build cgo

package duckdb

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/penstock-data/penstock/shared/run"
	statements "github.com/penstock-data/penstock/sql"
)

// stepWord is the first word of a step's name.
func stepWord(name statements.StepName) string {
	word, _, _ := strings.Cut(string(name), " ")
	return word
}

// answered is how a gateway's refusal stands in a statement's error.
var answered = regexp.MustCompile(`penstock_[a-z]+: the gateway answered [0-9]{3}`)

// plain is a statement's error without the place in a text that the caller did not
// write, and in the caller's words where only this package's would be known.
func (r *runner) plain(err error) error {
	var e *duck.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Type == duck.ErrorTypeBinder && strings.Contains(e.Msg, "resulted in an empty set of columns") {
		if r.begun.Created != "" {
			return fmt.Errorf("%w: the model has no column %v, or no column %v, which incremental.cursor and created name", errNoCursor, r.begun.Cursor, r.begun.Created)
		}
		return fmt.Errorf("%w: the model has no column %v, which incremental.cursor names", errNoCursor, r.values["cursor"])
	}
	text, _, _ := strings.Cut(e.Msg, "\n\nLINE ")
	if i := strings.Index(text, ": penstock_"); i >= 0 && e.Type == duck.ErrorTypeInvalidInput {
		text = text[i+2:] // a function's own error, as it wrote it
	}
	return &duck.Error{Type: e.Type, Msg: text}
}

var errNoCursor = errors.New("the watermark cannot be compared")

// reason is why a run is cancelled, for Penstock: which step, of which model, and
// what kind of failure. The error itself may quote a row's value (I6), unless the
// statement was refused before it read one.
func (r *runner) reason(err error) string {
	what := "it failed"
	var e *duck.Error
	switch {
	case errors.Is(err, errNoCursor):
		_, what, _ = strings.Cut(err.Error(), errNoCursor.Error()+": ")
	case errors.Is(err, errStale):
		what = err.Error()
	case answered.MatchString(err.Error()):
		what = answered.FindString(err.Error())
	case errors.As(err, &e) && (e.Type == duck.ErrorTypeCatalog || e.Type == duck.ErrorTypeBinder):
		what, _, _ = strings.Cut(e.Msg, "\n")
	case errors.As(err, &e):
		what, _, _ = strings.Cut(e.Msg, ":") // the kind: Conversion Error
	}
	of := r.step
	if r.step == "push" {
		of += " of the model " + r.begun.Model
	}
	text := fmt.Sprintf(run.BrokeOff+"%s: %s; the statement's own error was shown to who called it", of, what)
	return strings.ToValidUTF8(text[:min(len(text), 480)], "") // Penstock keeps 500 bytes
}
