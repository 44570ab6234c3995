package salesforce

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

var (
	errShape     = errors.New("it has another shape than documented")
	errNoSuccess = errors.New("a result does not say whether its record was taken")
	errNoID      = errors.New("a record was taken, but its result has no id")
	errOtherID   = errors.New("a result is of another record than was asked for")
)

// members walks an object; each is told every member, and its error ends the walk.
// What walks a body has asked whole before.
func members(v jsontext.Value, each func(name string, v jsontext.Value) error) error {
	w := rawjson.Members(v).AnyDepth()
	for w.Next() {
		if err := each(string(w.Name()), w.Value()); err != nil {
			return err
		}
	}
	if w.Err() != nil {
		return errShape
	}
	return nil
}

// elements walks an array in the same way.
func elements(v jsontext.Value, each func(v jsontext.Value) error) error {
	w := rawjson.Elements(v).AnyDepth()
	for w.Next() {
		if err := each(w.Value()); err != nil {
			return err
		}
	}
	if w.Err() != nil {
		return errShape
	}
	return nil
}

// whole reports whether a body is one JSON value to its end, without a name twice in
// an object and without broken text.
func whole(body []byte) error {
	var quick rawjson.Checker
	if !quick.Sure(body) && !jsontext.Value(body).IsValid() {
		return errors.New("it is no whole JSON")
	}
	return nil
}

// decodeOutcomes reads the results of a write: an array in the records' order. The
// error says why the answer does not tell what became of them: a number of results
// other than the records', a result that says neither yes nor no, or the id of
// another record than was asked for.
func (d *destination) decodeOutcomes(kind int, body []byte, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if err := whole(body); err != nil {
		return nil, err
	}
	n := len(c.Records)
	out := make([]dest.Outcome, 0, n)
	err := elements(body, func(v jsontext.Value) error {
		if len(out) == n {
			return fmt.Errorf("it has more results than the %d records", n)
		}
		o, err := d.decodeResult(v, kind, &b.Records[c.Records[len(out)]])
		out = append(out, o)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(out) != n:
		return nil, fmt.Errorf("it has %d results for %d records", len(out), n)
	}
	return out, nil
}

// A result is {"id","success","created","errors"}.
type result struct {
	id      jsontext.Value
	said    bool // success says yes or no
	success bool
	created bool
	errs    []vendorError
}

func readResult(v jsontext.Value) (r result, err error) {
	w := rawjson.Members(v).AnyDepth()
	for w.Next() && err == nil {
		switch {
		case w.Named("id"):
			r.id = w.Value()
		case w.Named("success"):
			r.success, r.said = rawjson.Bool(w.Value())
		case w.Named("created"):
			r.created, _ = rawjson.Bool(w.Value())
		case w.Named("errors") && w.Value().Kind() == '[':
			r.errs, err = decodeErrors(w.Value())
		}
	}
	if err == nil && w.Err() != nil {
		err = errShape
	}
	return r, err
}

// decodeResult turns a record's result into its outcome.
func (d *destination) decodeResult(v jsontext.Value, kind int, r *dest.Record) (dest.Outcome, error) {
	got, err := readResult(v)
	switch {
	case err != nil:
		return dest.Outcome{}, err
	case !got.said:
		return dest.Outcome{}, errNoSuccess
	case !got.success:
		return d.outcome(kind, r, got.errs), nil
	}
	out := dest.Outcome{Status: dest.Delivered, Created: kind == createKind || kind == upsertKind && got.created}
	if kind != updateKind && kind != deleteKind {
		text, _ := rawjson.Text(got.id)
		var valid bool
		if out.ID, valid = id18(text); !valid {
			return dest.Outcome{}, errNoID
		}
		return out, nil
	}
	out.ID, err = sameID(got.id, d.id(r))
	return out, err
}

// sameID compares the id of an update's result with the one that was asked for.
func sameID(v jsontext.Value, asked string) (string, error) {
	if len(v) == 20 && len(asked) == 18 && string(v[1:19]) == asked {
		return asked, nil // as the vendor writes it
	}
	text, _ := rawjson.Text(v)
	id, valid := id18(text)
	if !valid {
		return "", errNoID
	}
	if want, _ := id18(asked); want != id {
		return "", errOtherID
	}
	return id, nil
}

// readErrors reads a body that is an array of errors, or one; nil when it is none.
func readErrors(body []byte) []vendorError {
	if whole(body) != nil {
		return nil
	}
	if jsontext.Value(body).Kind() == '{' {
		body = append(append([]byte{'['}, body...), ']')
	}
	errs, err := decodeErrors(body)
	if err != nil || len(errs) == 0 || errs[0].code == "" {
		return nil
	}
	return errs
}

// decodeErrors reads an array of errors under either name of the code.
func decodeErrors(v jsontext.Value) (errs []vendorError, err error) {
	err = elements(v, func(v jsontext.Value) error {
		var e vendorError
		err := members(v, func(name string, v jsontext.Value) error {
			switch name {
			case "statusCode", "errorCode":
				text, _ := rawjson.Text(v)
				e.code = dest.ErrorCode(text)
			case "message":
				e.message, _ = rawjson.Text(v)
			case "fields":
				e.field = dest.Code(firstText(v))
			}
			return nil
		})
		errs = append(errs, e)
		return err
	})
	return errs, err
}

// firstText is the first of an array of texts, "" when there is none.
func firstText(v jsontext.Value) string {
	w := rawjson.Elements(v)
	if !w.Next() {
		return ""
	}
	text, _ := rawjson.Text(w.Value())
	return text
}
