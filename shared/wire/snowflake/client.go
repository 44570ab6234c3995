package snowflake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// EncodeRequest appends a request of rows, numbered from 0: what a warehouse
// sends. The embedded warehouse and the tests speak through it.
func EncodeRequest(dst []byte, rows [][]jsontext.Value) []byte {
	dst = append(dst, opening...)
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
	return append(dst, closing...)
}

// DecodeReply reads an answer: the values by row number, which must be 0 to n-1,
// each once. Values are spans of body.
func DecodeReply(body []byte) ([]jsontext.Value, error) {
	r := reader{body: body, dec: jsontext.NewDecoder(bytes.NewBuffer(body))}
	if err := r.document(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read reply: %w", err)
	}
	values := make([]jsontext.Value, len(r.rows))
	for i := range r.rows {
		n, args := r.rows[i].Number, r.rows[i].Args
		switch {
		case len(args) != 1:
			return nil, fmt.Errorf("read reply: row %d has %d values, want 1", n, len(args))
		case n >= len(values):
			return nil, fmt.Errorf("read reply: row %d of %d rows", n, len(values))
		case values[n] != nil:
			return nil, fmt.Errorf("read reply: row %d is answered twice", n)
		}
		values[n] = args[0]
	}
	return values, nil
}
