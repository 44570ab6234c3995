package salesforce

import (
	"context"
	"net/http"
	"strconv"

	"github.com/penstock-data/penstock/shared/row"
)

// wholeBits are the types of describe that hold whole numbers alone, and of how many bits
// ("SOAP API Developer Guide", Primitive Data Types, int and long).
var wholeBits = map[string]int{"int": 32, "long": 64}

// digits is what is known of the numbers that a match field holds.
type digits struct {
	turn chan struct{} // to describe the field, and to read the others
	told bool
	bits int // of a whole number; 0 holds fractions too
}

// holds reports whether the match field can have a key. A number that it cannot hold is in
// no record, and is not asked for: what a query does with one is not documented. The
// field is described once, for the first key that not every field of numbers can hold.
func (d *destination) holds(ctx context.Context, key string) (bool, error) {
	if !d.identity.Has(row.StepNumber) || fits(key, wholeBits["int"]) {
		return true, nil
	}
	select {
	case d.digits.turn <- struct{}{}:
		defer func() { <-d.digits.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if !d.digits.told {
		op := "describe " + d.def.Object
		answer, err := d.client.do(ctx, request{op: op, method: http.MethodGet, path: "sobjects/" + d.def.Object + "/describe"})
		if err != nil {
			return false, err
		}
		defer answer.free()
		_, kind, err := readMatchField(answer.body, d.def.Match.Destination)
		if err != nil {
			return false, unreadable(op, err)
		}
		d.digits.told, d.digits.bits = true, wholeBits[kind]
	}
	return d.digits.bits == 0 || fits(key, d.digits.bits), nil
}

// fits reports whether a key is a whole number of so many bits.
func fits(key string, bits int) bool {
	_, err := strconv.ParseInt(key, 10, bits)
	return err == nil
}
