package snowflake

import (
	"slices"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// table is what requests and replies look like.
var table = wire.Table{Key: "data", Form: `{"data":[[0,...],[1,...]]}`, Numbered: true}

// decode reads a batch: {"data":[[0,arg1,...],[1,arg1,...]]}.
func decode(r wire.Request) (wire.Batch, error) {
	var id row.Batch
	f, err := identify(r, &id)
	if err != nil {
		return wire.Batch{}, err
	}
	scan := wire.Scan(r.Body)
	rows := wire.NewRows(f, scan)
	t := table
	t.Row, t.Reserve = rows.Add, rows.Reserve
	if err := t.Read(scan); err != nil {
		return wire.Batch{}, err
	}
	b := rows.Batch()
	b.ID, b.Query, b.Caller = id.ID, id.Query, id.Caller
	return b, distinct(&b)
}

// distinct refuses two rows with one number, for which there would be one answer.
func distinct(b *wire.Batch) error {
	ascending := true
	for i := 1; i < b.Len() && ascending; i++ {
		ascending = b.Number(i-1) < b.Number(i)
	}
	if ascending {
		return nil
	}
	numbers := make([]int, b.Len())
	for i := range numbers {
		numbers[i] = b.Number(i)
	}
	slices.Sort(numbers)
	for i := 1; i < len(numbers); i++ {
		if numbers[i-1] == numbers[i] {
			return row.Refuse("the request has two rows with the number %d", numbers[i])
		}
	}
	return nil
}
