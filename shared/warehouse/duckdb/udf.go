//go:build cgo

package duckdb

import (
	"context"
	"fmt"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// A udf is the Go side of one penstock function: DuckDB hands it up to 2,048 rows
// at a time, in several threads at once, and each such chunk is one batch.
type udf struct {
	function *function
	client   *client
	text     duck.TypeInfo
}

func newUDF(f *function, c *client) (*udf, error) {
	text, err := duck.NewTypeInfo(duck.TYPE_VARCHAR)
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", f.name, err)
	}
	return &udf{function: f, client: c, text: text}, nil
}

// Config makes every argument and the result text. Volatile, so that no call is
// merged or left out; special null handling, so that a row is never dropped.
func (u *udf) Config() duck.ScalarFuncConfig {
	in := make([]duck.TypeInfo, len(u.function.params))
	for i := range in {
		in[i] = u.text
	}
	return duck.ScalarFuncConfig{InputTypeInfos: in, ResultTypeInfo: u.text, Volatile: true, SpecialNullHandling: true}
}

func (u *udf) Executor() duck.ScalarFuncExecutor {
	return duck.ScalarFuncExecutor{
		// Binding takes the statement's context while it is known; without a binder
		// the driver would look for it in every thread, unsynchronised.
		ScalarBinder: func(ctx context.Context, _ []duck.ScalarUDFArg) (context.Context, error) {
			if _, ok := statementOf(ctx); !ok {
				ctx = begin(ctx)
			}
			return ctx, nil
		},
		ChunkContextExecutor: u.execute,
	}
}

// execute sends one chunk and writes the answers, JSON text per row; a JSON null
// is a SQL NULL.
func (u *udf) execute(ctx context.Context, chunk *duck.ChunkIteratorState) error {
	s, ok := statementOf(ctx)
	if !ok {
		return fmt.Errorf("%s: called outside a statement", u.function.name)
	}
	x := u.client.pool.Get().(*exchange)
	defer u.client.pool.Put(x)
	n, err := u.encode(chunk.GetInputChunk(), x)
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	if err := u.client.call(ctx, u.function, s, x); err != nil {
		return err
	}
	values, err := snowflake.DecodeReply(x.reply.Bytes())
	if err != nil {
		return fmt.Errorf("%s: the gateway's answer: %w", u.function.name, err)
	}
	if len(values) != n {
		return fmt.Errorf("%s: the gateway answered %d of %d rows", u.function.name, len(values), n)
	}
	out, err := duck.GetVectorWriter[string](chunk.GetResultVector())
	if err != nil {
		return fmt.Errorf("%s: write the answers: %w", u.function.name, err)
	}
	for i, v := range values {
		if v.Kind() == 'n' {
			err = out.SetNull(i)
		} else {
			err = out.Set(i, string(v))
		}
		if err != nil {
			return fmt.Errorf("%s: write the answer of row %d: %w", u.function.name, i, err)
		}
	}
	return nil
}

// encode writes the request of a chunk into x.plain and returns its rows.
func (u *udf) encode(chunk *duck.DataChunk, x *exchange) (int, error) {
	x.begin()
	n := chunk.GetSize()
	columns := make([]duck.VectorView[string], chunk.ColumnCount())
	for i := range columns {
		v, err := chunk.GetVector(i)
		if err == nil {
			columns[i], err = duck.GetVectorView[string](v)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: read argument %d: %w", u.function.name, i+1, err)
		}
	}
	for row := range n {
		for i := range columns {
			text, valid, err := columns[i].GetValueBorrowed(row)
			if err != nil {
				return 0, fmt.Errorf("%s: read argument %d of row %d: %w", u.function.name, i+1, row, err)
			}
			if !valid {
				text = "null"
			}
			x.argument(text)
		}
	}
	x.end(n, len(columns))
	return n, nil
}
