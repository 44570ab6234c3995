package mapping

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row/decimal"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func (out *field) compileNumber(f syncdef.Field, what string) error {
	var err error
	if f.Scale != nil {
		if *f.Scale < 0 {
			return fmt.Errorf("scale: %d is negative", *f.Scale)
		}
		out.scale = *f.Scale
	}
	if out.min, err = bound("min", f.Min); err != nil {
		return err
	}
	if out.max, err = bound("max", f.Max); err != nil {
		return err
	}
	out.low = wholeBound(out.min, math.MinInt64, math.MaxInt64)
	out.top = wholeBound(out.max, math.MaxInt64, math.MinInt64)
	out.checked = out.scale >= 0 || out.min != nil || out.max != nil
	switch {
	case out.min != nil && out.max != nil:
		out.allowed = what + " from " + f.Min + " to " + f.Max
	case out.min != nil:
		out.allowed = what + " of at least " + f.Min
	case out.max != nil:
		out.allowed = what + " of at most " + f.Max
	default:
		out.allowed = what
	}
	return nil
}

// wholeBound is a bound as a whole number, for those that are; none where there is
// no bound, and never where it is no whole number of 18 digits.
func wholeBound(d *decimal.Decimal, none, never int64) int64 {
	if d == nil {
		return none
	}
	if n, ok := d.Int(); ok {
		return n
	}
	return never
}

func bound(name, s string) (*decimal.Decimal, error) {
	if s == "" {
		return nil, nil
	}
	d, _, _, ok := decimal.Parse([]byte(s), nil)
	if !ok {
		return nil, fmt.Errorf("%s: %q is not a number", name, s)
	}
	return &d, nil
}

func (out *field) compileTime(f syncdef.Field, what string) error {
	out.allowed = what
	switch f.Format {
	case "":
		out.allowed += " (format: epoch_seconds or epoch_milliseconds takes numbers)"
	case "epoch_seconds":
		out.epoch, out.allowed = epochSeconds, "seconds since 1970 as a number, years 1 to 9999"
	case "epoch_milliseconds":
		out.epoch, out.allowed = epochMilliseconds, "milliseconds since 1970 as a number, years 1 to 9999"
	default:
		return fmt.Errorf("format: %q is not one of epoch_seconds, epoch_milliseconds", f.Format)
	}
	if f.TimeZone == "" {
		return nil
	}
	zone, err := syncdef.Zone(f.TimeZone)
	if err != nil {
		return err
	}
	if f.TimeZone != "UTC" {
		out.zone = zone
	}
	return nil
}

// compileText chooses what becomes of lists and objects.
func (out *field) compileText(f syncdef.Field) error {
	switch f.As {
	case "":
		out.convert = (*Mapper).str
	case syncdef.AsJoin:
		out.convert, out.separator = (*Mapper).joined, f.Separator
	case syncdef.AsJSON:
		if out.convert = (*Mapper).written; out.truncate {
			return errors.New("on_too_long: JSON that is cut is no JSON; leave it out, or use as: join")
		}
	default:
		return fmt.Errorf("as: %q is not one of join, json", f.As)
	}
	return nil
}

func (out *field) compileMulti(f syncdef.Field) error {
	f.MaxLength = 0
	for _, v := range f.Values {
		if strings.ContainsRune(v, valueSeparator) {
			return fmt.Errorf("values: %q holds a ;, which stands between the values of a record", v)
		}
	}
	err := out.compilePicklist(f)
	out.convert = (*Mapper).multi
	return err
}

func (out *field) compilePicklist(f syncdef.Field) error {
	if len(f.Values) == 0 {
		out.convert = (*Mapper).str
		return nil
	}
	out.values = make(map[string]jsontext.Value, len(f.Values))
	for _, v := range f.Values {
		quoted, err := jsontext.AppendQuote([]byte(nil), v)
		if err != nil {
			return fmt.Errorf("values: %q is not UTF-8", v)
		}
		if f.MaxLength > 0 && length(out.vendor.unit, []byte(v)) > f.MaxLength {
			return fmt.Errorf("values: %q is longer than max_length %d", v, f.MaxLength)
		}
		out.values[v] = quoted
		out.folded = append(out.folded, pick{[]byte(v), quoted})
	}
	out.allowed = shortList(f.Values)
	if f.Default != nil {
		out.allowed += " (on_unknown: default would send the default for others)"
	}
	return nil
}

// shortList joins values for a message, as many as a person reads.
func shortList(values []string) string {
	const most = 10
	if len(values) <= most {
		return strings.Join(values, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(values[:most], ", "), len(values)-most)
}
