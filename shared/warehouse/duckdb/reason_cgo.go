//go:build cgo

package duckdb

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	statements "github.com/penstock-data/penstock/sql"
)

// stepWord is the first word of a step's name.
func stepWord(name statements.StepName) (before, after string, found bool) {
	return strings.Cut(string(name), " ")
}

// answered is how a gateway's refusal stands in a statement's error.
var answered = regexp.MustCompile(`penstock_[a-z]+: the gateway answered [0-9]{3}`)

// reason is why a run is cancelled, for Penstock: which step, of which model, and
// what kind of failure. The error itself may quote a row's value (I6), unless the
// statement was refused before it read one.
func (r *runner) reason(err error) string {
	what := "it failed"
	var e *duck.Error
	switch {
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
	text := fmt.Sprintf("penstock_run: %s: %s; the statement's own error was shown to who called it", of, what)
	return strings.ToValidUTF8(text[:min(len(text), 480)], "") // Penstock keeps 500 bytes
}
