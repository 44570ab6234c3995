package salesforce

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

var errShape = errors.New("it has another shape than documented")

// whole reads one JSON value that is all of a body.
func whole(body []byte, read func(dec *jsontext.Decoder) error) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	if err := read(dec); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errShape
	}
	return nil
}

// eachElement walks an array; each must read one value.
func eachElement(dec *jsontext.Decoder, each func() error) error {
	if dec.PeekKind() != '[' {
		return shapeOr(dec)
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
		return shapeOr(dec)
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

// shapeOr is the error of a value of another kind: the decoder's own where it
// cannot be read, because none of it may be skipped for ever.
func shapeOr(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	return errShape
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

// readBool reads true or false.
func readBool(dec *jsontext.Decoder) (bool, error) {
	t, err := dec.ReadToken()
	if err != nil {
		return false, err
	}
	if t.Kind() != 't' && t.Kind() != 'f' {
		return false, errShape
	}
	return t.Kind() == 't', nil
}

// readCount reads a whole number from 0 on.
func readCount(dec *jsontext.Decoder) (int, error) {
	t, err := dec.ReadToken()
	if err != nil {
		return 0, err
	}
	if t.Kind() != '0' {
		return 0, errShape
	}
	if n, err := strconv.Atoi(t.String()); err == nil && n >= 0 {
		return n, nil
	}
	return 0, errShape
}
