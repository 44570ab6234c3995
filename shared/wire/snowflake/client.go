package snowflake

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// EncodeRequest appends a request of rows, numbered from 0: what a warehouse
// sends. The embedded warehouse and the tests speak through it.
func EncodeRequest(dst []byte, rows [][]jsontext.Value) []byte {
	dst = append(dst, prefix...)
	for i, args := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		dst = strconv.AppendInt(dst, int64(i), 10)
		for _, v := range args {
			dst = append(dst, ',')
			dst = append(dst, v...)
		}
		dst = append(dst, ']')
	}
	return append(dst, suffix...)
}

// DecodeReply reads an answer: the values by row number, which must be 0 to n-1,
// each once. Values are spans of body.
func DecodeReply(body []byte) ([]jsontext.Value, error) {
	var values []jsontext.Value
	var numbers []int
	var flawed error
	t := table
	t.Row = func(number int, args []jsontext.Value, fault *row.Fault) {
		switch {
		case fault != nil:
			flawed = fmt.Errorf("row %d: %w", number, fault)
		case len(args) != 1:
			flawed = fmt.Errorf("row %d has %d values, want 1", number, len(args))
		default:
			values, numbers = append(values, args[0]), append(numbers, number)
		}
	}
	if err := errors.Join(t.Read(wire.Scan(body)), flawed); err != nil {
		return nil, fmt.Errorf("read reply: %w", err)
	}
	return inOrder(values, numbers)
}

// inOrder puts values at their numbers.
func inOrder(values []jsontext.Value, numbers []int) ([]jsontext.Value, error) {
	ordered := make([]jsontext.Value, len(values))
	for i, n := range numbers {
		switch {
		case n >= len(values):
			return nil, fmt.Errorf("read reply: row %d of %d rows", n, len(values))
		case ordered[n] != nil:
			return nil, fmt.Errorf("read reply: row %d is answered twice", n)
		}
		ordered[n] = values[i]
	}
	return ordered, nil
}
