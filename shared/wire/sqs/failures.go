package sqs

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// EncodeFailures is the worker's answer: the ids of the messages that stay in
// the queue, none when all are done. In a FIFO queue everything of a group from
// its first failure on has to be listed.
func EncodeFailures(ids []string) []byte {
	b := append(make([]byte, 0, 32+64*len(ids)), `{"batchItemFailures":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"itemIdentifier":`...)
		b = rawjson.AppendQuote(b, id)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

// DecodeFailures reads a worker's answer, as Lambda does: nothing, null or an
// empty list means that all messages are done. On an error (no JSON, an id that
// is empty or missing) the whole batch has to stay in the queue.
func DecodeFailures(raw []byte) ([]string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var ids []string
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	err := object(dec, func(name string) error {
		if name != "batchItemFailures" || dec.PeekKind() == 'n' {
			return dec.SkipValue()
		}
		if tok, err := dec.ReadToken(); err != nil {
			return err
		} else if tok.Kind() != '[' {
			return fmt.Errorf("field batchItemFailures: want an array, got %s", tok.Kind())
		}
		for k := dec.PeekKind(); k != ']' && k != 0; k = dec.PeekKind() {
			id, err := identifier(dec)
			if err != nil {
				return fmt.Errorf("failure %d: %w", len(ids), err)
			}
			ids = append(ids, id)
		}
		_, err := dec.ReadToken()
		return err
	})
	if err == nil {
		if _, end := dec.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("data after the answer")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read batch item failures: %w", err)
	}
	return ids, nil
}

func identifier(dec *jsontext.Decoder) (id string, err error) {
	err = object(dec, func(name string) (err error) {
		if name != "itemIdentifier" {
			return dec.SkipValue()
		}
		id, err = text(dec, name)
		return err
	})
	if err == nil && id == "" {
		err = errors.New("itemIdentifier is missing")
	}
	return id, err
}
