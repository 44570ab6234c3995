package redshift

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// A Head is what Redshift says of a batch beside its arguments. Records is num_records;
// below 0 the number of rows is meant.
type Head struct {
	Request, Cluster, User, Database, Function string

	Query   int64 // 0 of a query that has no number
	Records int
}

// EncodeRequest appends a request: what Redshift sends. Values that VARCHAR cannot
// hold, objects and arrays, go as their text. The tests speak through it.
func EncodeRequest(dst []byte, h Head, rows [][]jsontext.Value) []byte {
	dst = append(dst, '{')
	for _, m := range [][2]string{
		{"request_id", h.Request}, {"cluster", h.Cluster}, {"user", h.User}, {"database", h.Database}, {"external_function", h.Function},
	} {
		if m[1] != "" || m[0] != "request_id" {
			dst = rawjson.AppendMember(dst, m[0], m[1])
		}
	}
	if h.Records < 0 {
		h.Records = len(rows)
	}
	dst = strconv.AppendInt(rawjson.AppendName(dst, "query_id"), h.Query, 10)
	dst = strconv.AppendInt(rawjson.AppendName(dst, "num_records"), int64(h.Records), 10)
	dst = append(rawjson.AppendName(dst, "arguments"), '[')
	for i, args := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendRow(dst, args)
	}
	return append(dst, "]}"...)
}

// appendRow appends a row; nil is a row that is null.
func appendRow(dst []byte, args []jsontext.Value) []byte {
	if args == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for j, v := range args {
		if j > 0 {
			dst = append(dst, ',')
		}
		if k := v.Kind(); k == '{' || k == '[' {
			dst = rawjson.AppendQuote(dst, []byte(v))
		} else {
			dst = append(dst, v...)
		}
	}
	return append(dst, ']')
}

// ErrRefused is returned by DecodeReply for an answer that fails the query; its
// message follows.
var ErrRefused = errors.New("the function refused")

// DecodeReply reads an answer to n rows: the JSON text of each result. As Redshift does
// it fails where their number is another one.
func DecodeReply(body []byte, n int) ([]jsontext.Value, error) {
	text, ok := rawjson.Text(body)
	if !ok || !jsontext.Value(text).IsValid() {
		return nil, errors.New("read reply: it is no JSON in a JSON string")
	}
	reply := []byte(text)
	if success, _ := rawjson.Bool(rawjson.Get(reply, "success")); !success {
		message, _ := rawjson.Text(rawjson.Get(reply, "error_msg"))
		return nil, fmt.Errorf("%w: %s", ErrRefused, message)
	}
	var values []jsontext.Value
	w := rawjson.Elements(rawjson.Get(reply, "results"))
	for w.Next() {
		value, ok := rawjson.Text(w.Value())
		if !ok || !jsontext.Value(value).IsValid() {
			return nil, fmt.Errorf("read reply: result %d is no JSON text", len(values))
		}
		values = append(values, jsontext.Value(value))
	}
	told, ok := rawjson.Int(rawjson.Get(reply, "num_records"))
	if w.Err() != nil || !ok || int(told) != len(values) || len(values) != n {
		return nil, fmt.Errorf("read reply: %d results for %d rows, num_records %d", len(values), n, told)
	}
	return values, nil
}
