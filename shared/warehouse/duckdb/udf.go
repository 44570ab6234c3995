//go:build cgo

package duckdb

import (
	"context"
	"fmt"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// A udf is the Go side of one penstock function: DuckDB hands it up to 2,048 rows
// at a time, in several threads at once, which go out as batches of the size that
// the external functions of a warehouse in the cloud have.
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

// execute sends a chunk, in as few batches of equal size as the limits of
// snowflake.BatchRows and BatchBytes allow.
func (u *udf) execute(ctx context.Context, chunk *duck.ChunkIteratorState) error {
	s, ok := statementOf(ctx)
	if !ok {
		return fmt.Errorf("%s: called outside a statement", u.function.name)
	}
	in := chunk.GetInputChunk()
	rows := in.GetSize()
	if rows == 0 {
		return nil
	}
	columns, err := u.columns(in)
	if err != nil {
		return err
	}
	out, err := duck.GetVectorWriter[string](chunk.GetResultVector())
	if err != nil {
		return fmt.Errorf("%s: write the answers: %w", u.function.name, err)
	}
	x := u.client.take()
	defer u.client.give(x)
	limit := snowflake.BatchRows
	if u.function.most > 0 {
		limit = u.function.most
	}
	batches := (rows + limit - 1) / limit
	most := (rows + batches - 1) / batches
	for from := 0; from < rows; {
		n, err := u.encode(columns, from, min(most, rows-from), x)
		if err == nil {
			err = u.client.call(ctx, u.function, s, x)
		}
		if err == nil {
			err = u.answer(out, s, from, n, x)
		}
		if err != nil {
			return err
		}
		from += n
	}
	return nil
}

// answer writes the answers of n rows, JSON text per row; a JSON null is a SQL NULL.
func (u *udf) answer(out duck.VectorWriter[string], s *statement, from, n int, x *exchange) error {
	values, err := snowflake.DecodeReply(x.reply.Bytes())
	if err != nil {
		return fmt.Errorf("%s: the gateway's answer: %w", u.function.name, err)
	}
	if len(values) != n {
		return fmt.Errorf("%s: the gateway answered %d of %d rows", u.function.name, len(values), n)
	}
	u.client.answered(u.function.batch(s.query, x.rows, values))
	for i, v := range values {
		if v.Kind() == 'n' {
			err = out.SetNull(from + i)
		} else {
			err = out.Set(from+i, string(v))
		}
		if err != nil {
			return fmt.Errorf("%s: write the answer of row %d: %w", u.function.name, from+i, err)
		}
	}
	return nil
}

// columns are the arguments of a chunk's rows.
func (u *udf) columns(chunk *duck.DataChunk) ([]duck.VectorView[string], error) {
	columns := make([]duck.VectorView[string], chunk.ColumnCount())
	for i := range columns {
		v, err := chunk.GetVector(i)
		if err == nil {
			columns[i], err = duck.GetVectorView[string](v)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: read argument %d: %w", u.function.name, i+1, err)
		}
	}
	return columns, nil
}

// encode writes the request of up to most rows into x.plain and returns how many
// they are: one at least, and no more than fit a batch.
func (u *udf) encode(columns []duck.VectorView[string], from, most int, x *exchange) (int, error) {
	x.begin()
	n := 0
	for n < most {
		before := len(x.ends)
		for i := range columns {
			text, valid, err := columns[i].GetValueBorrowed(from + n)
			if err != nil {
				return 0, fmt.Errorf("%s: read argument %d of row %d: %w", u.function.name, i+1, from+n, err)
			}
			if !valid {
				text = "null"
			}
			x.argument(text)
		}
		n++
		if n > 1 && x.size(n) > snowflake.BatchBytes {
			n--
			x.ends = x.ends[:before]
			break
		}
	}
	x.end(n, len(columns))
	return n, nil
}
