package duckdb

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// Call calls one penstock function of cfg.Gateway as a statement with one row
// would, without a database and without cgo. Arguments are raw JSON in the
// function's order; those at the end may be left out where they are optional. A
// refusal is an error with the gateway's text.
func Call(ctx context.Context, cfg Config, name string, args ...jsontext.Value) (jsontext.Value, error) {
	for i := range functions {
		if functions[i].name == name {
			return newClient(cfg).row(ctx, &functions[i], args)
		}
	}
	return nil, fmt.Errorf("there is no function %s", name)
}

// row sends one row.
func (c *client) row(ctx context.Context, f *function, args []jsontext.Value) (jsontext.Value, error) {
	defer c.http.CloseIdleConnections()
	x := &exchange{}
	x.begin()
	for _, a := range args {
		x.argument(string(a))
	}
	x.end(1, len(args))
	if err := c.call(ctx, f, newStatement(), x); err != nil {
		return nil, err
	}
	values, err := snowflake.DecodeReply(x.reply.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: the gateway's answer: %w", f.name, err)
	}
	if len(values) != 1 {
		return nil, fmt.Errorf("%s: the gateway answered %d rows of one", f.name, len(values))
	}
	return values[0], nil
}
