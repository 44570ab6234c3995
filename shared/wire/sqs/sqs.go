// Package sqs reads the event that Lambda's SQS event source mapping hands to a
// worker, and writes the worker's answer: the messages that are to stay in the
// queue. It also writes such events, for the poller that stands in for Lambda on
// one machine. It calls no queue.
//
// Format: AWS documentation, "Using Lambda with Amazon SQS", standard and FIFO
// queue message events, and "Implementing partial batch responses".
package sqs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/envelope"
)

// An Event is what one worker invocation has in hand.
type Event struct {
	QueueARN   string // eventSourceARN of the first message, "" when there is none
	Deliveries []envelope.Delivery
}

// Decode reads the messages of an event, in order. A body without JSON escapes
// (base64 has none) is a span of raw, so raw must stay unchanged.
func Decode(raw []byte) ([]envelope.Delivery, error) {
	e, err := DecodeEvent(raw)
	return e.Deliveries, err
}

// DecodeEvent is Decode with the queue that the messages came from.
func DecodeEvent(raw []byte) (Event, error) {
	var e Event
	found := false
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	err := object(dec, func(name string) error {
		if name != "Records" {
			return dec.SkipValue()
		}
		found = true
		return e.records(dec, raw)
	})
	if err == nil {
		if _, end := dec.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("data after the event")
		}
	}
	if err == nil && !found {
		err = errors.New("it has no Records; connect the function to a queue by an SQS event source mapping")
	}
	if err != nil {
		return Event{}, fmt.Errorf("read SQS event: %w", err)
	}
	return e, nil
}

func (e *Event) records(dec *jsontext.Decoder, raw []byte) error {
	if k := dec.PeekKind(); k != '[' && k != 0 {
		return fmt.Errorf("field Records: want an array, got %s", k)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '{' {
		d, arn, err := record(dec, raw)
		if err == nil && d.ID == "" {
			err = errors.New("messageId is missing")
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", len(e.Deliveries), err)
		}
		if e.QueueARN == "" {
			e.QueueARN = arn
		}
		e.Deliveries = append(e.Deliveries, d)
	}
	if k := dec.PeekKind(); k != ']' && k != 0 {
		return fmt.Errorf("record %d: want an object, got %s", len(e.Deliveries), k)
	}
	_, err := dec.ReadToken()
	return err
}

func record(dec *jsontext.Decoder, raw []byte) (d envelope.Delivery, arn string, err error) {
	err = object(dec, func(name string) (err error) {
		switch name {
		case "messageId":
			d.ID, err = text(dec, name)
		case "receiptHandle":
			d.Receipt, err = text(dec, name)
		case "eventSourceARN":
			arn, err = text(dec, name)
		case "body":
			d.Body, err = body(dec, raw)
		case "attributes":
			err = object(dec, func(name string) error { return attribute(dec, name, &d) })
		default:
			err = dec.SkipValue()
		}
		return err
	})
	return d, arn, err
}

// body unquotes a message's body, or points into raw where nothing is escaped.
func body(dec *jsontext.Decoder, raw []byte) ([]byte, error) {
	v, err := dec.ReadValue()
	if err != nil {
		return nil, err
	}
	if v.Kind() != '"' {
		return nil, fmt.Errorf("body: want a string, got %s", v.Kind())
	}
	end := int(dec.InputOffset())
	plain := raw[end-len(v)+1 : end-1 : end-1]
	if bytes.IndexByte(plain, '\\') < 0 {
		return plain, nil
	}
	return jsontext.AppendUnquote(make([]byte, 0, len(plain)), v)
}

// attribute reads one of SQS's own attributes; all of them are strings.
func attribute(dec *jsontext.Decoder, name string, d *envelope.Delivery) error {
	switch name {
	case "MessageGroupId", "ApproximateReceiveCount", "SentTimestamp":
	default:
		return dec.SkipValue()
	}
	s, err := text(dec, name)
	if err != nil {
		return err
	}
	if name == "MessageGroupId" {
		d.Group = s
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return fmt.Errorf("%s: want a whole number: %w", name, err)
	}
	if name == "SentTimestamp" {
		d.SentAt = time.UnixMilli(n).UTC()
	} else {
		d.Receives = int(n)
	}
	return nil
}

// object reads an object, calling member with each name to read its value.
func object(dec *jsontext.Decoder, member func(name string) error) error {
	tok, err := dec.ReadToken()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if tok.Kind() != '{' {
		return fmt.Errorf("want an object, got %s", tok.Kind())
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := member(name.String()); err != nil {
			return err
		}
	}
	_, err = dec.ReadToken()
	return err
}

func text(dec *jsontext.Decoder, name string) (string, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	if tok.Kind() != '"' {
		return "", fmt.Errorf("%s: want a string, got %s", name, tok.Kind())
	}
	return tok.String(), nil
}
