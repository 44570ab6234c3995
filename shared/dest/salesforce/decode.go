package salesforce

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// decodeOutcomes reads the results of a write: an array in the records' order. The
// error says why the answer does not tell what became of them: a number of results
// other than the records', a result that says neither yes nor no, or the id of
// another record than was asked for.
func (d *destination) decodeOutcomes(kind int, body []byte, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	n := len(c.Records)
	out := make([]dest.Outcome, 0, n)
	err := whole(body, func(dec *jsontext.Decoder) error {
		return eachElement(dec, func() error {
			if len(out) == n {
				return fmt.Errorf("it has more results than the %d records", n)
			}
			o, err := d.decodeResult(dec, kind, &b.Records[c.Records[len(out)]])
			out = append(out, o)
			return err
		})
	})
	switch {
	case err != nil:
		return nil, err
	case len(out) != n:
		return nil, fmt.Errorf("it has %d results for %d records", len(out), n)
	}
	return out, nil
}

var (
	errNoSuccess = errors.New("a result does not say whether its record was taken")
	errNoID      = errors.New("a record was taken, but its result has no id")
	errOtherID   = errors.New("a result is of another record than was asked for")
)

// decodeResult reads {"id","success","created","errors"}.
func (d *destination) decodeResult(dec *jsontext.Decoder, kind int, r *dest.Record) (o dest.Outcome, err error) {
	var errs []vendorError
	said, success := false, false
	err = eachMember(dec, func(name string) error {
		var err error
		switch name {
		case "id":
			o.ID, err = readText(dec)
		case "success":
			said = true
			success, err = readBool(dec)
		case "created":
			o.Created, err = readBool(dec)
		case "errors":
			if dec.PeekKind() != '[' {
				return dec.SkipValue()
			}
			errs, err = decodeErrors(dec)
		default:
			err = dec.SkipValue()
		}
		return err
	})
	switch {
	case err != nil:
		return o, err
	case !said:
		return o, errNoSuccess
	case !success:
		return d.outcome(kind, r, errs), nil
	}
	id, valid := id18(o.ID)
	asked, _ := id18(d.id(r))
	switch {
	case !valid:
		return o, errNoID
	case kind == updateKind && id != asked:
		return o, errOtherID
	}
	return dest.Outcome{Status: dest.Delivered, ID: id, Created: kind == createKind || kind == upsertKind && o.Created}, nil
}

// readErrors reads a body that is an array of errors, or one; nil when it is none.
func readErrors(body []byte) []vendorError {
	var errs []vendorError
	if jsontext.Value(body).Kind() == '{' {
		body = append(append([]byte{'['}, body...), ']')
	}
	err := whole(body, func(dec *jsontext.Decoder) (err error) {
		errs, err = decodeErrors(dec)
		return err
	})
	if err != nil || len(errs) == 0 || errs[0].code == "" {
		return nil
	}
	return errs
}

// decodeErrors reads an array of errors under either name of the code.
func decodeErrors(dec *jsontext.Decoder) (errs []vendorError, err error) {
	err = eachElement(dec, func() error {
		var e vendorError
		err := eachMember(dec, func(name string) (err error) {
			switch name {
			case "statusCode", "errorCode":
				e.code, err = readText(dec)
			case "message":
				e.message, err = readText(dec)
			case "fields":
				e.field, err = firstText(dec)
			default:
				err = dec.SkipValue()
			}
			return err
		})
		errs = append(errs, e)
		return err
	})
	return errs, err
}

// firstText reads the first of an array of texts.
func firstText(dec *jsontext.Decoder) (first string, err error) {
	if dec.PeekKind() != '[' {
		return "", dec.SkipValue()
	}
	err = eachElement(dec, func() error {
		text, err := readText(dec)
		if first == "" {
			first = text
		}
		return err
	})
	return first, err
}
