package salesforce

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// decodeOutcomes reads the results of a write: an array in the records' order. A
// number of results other than the records' is never taken for success.
func decodeOutcomes(op string, kind int, body []byte, n int) ([]dest.Outcome, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	out := make([]dest.Outcome, 0, n)
	broken := 0 // failures that are the configuration's, all under one code
	var first vendorError
	err := eachElement(dec, func() error {
		o, errs, err := decodeResult(dec, kind)
		if err != nil {
			return err
		}
		if len(errs) > 0 && isConfiguration(errs[0].code) && o.Code != CodeGone {
			if broken == 0 {
				first = errs[0]
			}
			if errs[0].code == first.code {
				broken++
			}
		}
		out = append(out, o)
		return nil
	})
	switch {
	case err != nil:
		return lostOutcomes(kind, n, &lostError{code: "bad_answer", cause: "Salesforce's answer cannot be read: " + err.Error()}), nil
	case len(out) != n:
		return lostOutcomes(kind, n, &lostError{code: "bad_answer", cause: fmt.Sprintf("Salesforce answered %d results for %d records", len(out), n)}), nil
	case broken == n:
		return nil, callError(op, 400, first, 0) // nobody got in: the sync is wrong, not its rows
	}
	return out, nil
}

// decodeResult reads {"id","success","created","errors"}.
func decodeResult(dec *jsontext.Decoder, kind int) (o dest.Outcome, errs []vendorError, err error) {
	success := false
	err = eachMember(dec, func(name string) error {
		switch name {
		case "id":
			o.ID, err = readText(dec)
		case "success":
			success, err = readTrue(dec)
		case "created":
			o.Created, err = readTrue(dec)
		case "errors":
			if dec.PeekKind() != '[' {
				return dec.SkipValue()
			}
			errs = decodeErrors(dec)
			return nil
		default:
			err = dec.SkipValue()
		}
		return err
	})
	if err != nil {
		return o, nil, err
	}
	if !success {
		return outcome(kind, errs), errs, nil
	}
	o.Status = dest.Delivered
	o.Created = o.Created || kind == createKind
	return o, nil, nil
}

// decodeErrors reads an array of errors under either name of the code; what cannot
// be read ends it.
func decodeErrors(dec *jsontext.Decoder) (errs []vendorError) {
	eachElement(dec, func() error { //nolint:errcheck // a half-read error is better than none
		var e vendorError
		var err error
		err = eachMember(dec, func(name string) error {
			switch name {
			case "statusCode", "errorCode":
				e.code, err = readText(dec)
			case "message":
				e.message, err = readText(dec)
			case "fields":
				if dec.PeekKind() != '[' {
					return dec.SkipValue()
				}
				err = eachElement(dec, func() error {
					field, err := readText(dec)
					if e.field == "" {
						e.field = field
					}
					return err
				})
			default:
				err = dec.SkipValue()
			}
			return err
		})
		if err == nil {
			errs = append(errs, e)
		}
		return err
	})
	return errs
}

var errShape = errors.New("it has another shape than documented")

// eachElement walks an array; each must read one value.
func eachElement(dec *jsontext.Decoder, each func() error) error {
	if dec.PeekKind() != '[' {
		return errShape
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// eachMember walks an object; each must read the member's value.
func eachMember(dec *jsontext.Decoder, each func(name string) error) error {
	if dec.PeekKind() != '{' {
		return errShape
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := each(name.String()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// readText reads a string; other scalars count as their JSON, null as "".
func readText(dec *jsontext.Decoder) (string, error) {
	t, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	switch t.Kind() {
	case 'n':
		return "", nil
	case '{', '[', '}', ']':
		return "", errShape
	}
	return t.String(), nil
}

func readTrue(dec *jsontext.Decoder) (bool, error) {
	t, err := dec.ReadToken()
	if err != nil {
		return false, err
	}
	return t.Kind() == 't', nil
}
