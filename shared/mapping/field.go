package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row/decimal"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// field is a syncdef.Field made ready.
type field struct {
	source     string // for messages: the column, or the destination where the value is made
	column     int    // position in Program.columns; -1 where the value is made
	made       *made  // nil for a plain column
	convert    converter
	null       jsontext.Value // what a null becomes: nil, null or the default
	transforms []transform
	allowed    string // for messages
	names      bool   // it is the field that records are found by

	vendor    vendorRules
	blankNull bool // "" and blanks are a null
	maxLength int  // 0 is none
	truncate  bool
	separator string // between the values of a list, or the names of a path
	flat      bool   // objects are flattened

	form     form             // how values are made comparable
	scale    int              // -1 is none
	min, max *decimal.Decimal // nil is none
	low, top int64            // whole numbers from low to top are within min and max
	checked  bool             // scale, min or max is set

	values  map[string]jsontext.Value // picklist: exact spelling to quoted value
	folded  []pick                    // picklist: the same, in order
	unknown jsontext.Value            // picklist: what other texts become with on_unknown: default, nil refuses them

	zone  *time.Location
	epoch epochShift
}

type pick struct{ name, quoted []byte }

type transform uint8

const (
	trim transform = iota
	lower
	upper
)

// epochShift is 0 for text, else 1 more than the power of ten that makes milliseconds.
type epochShift uint8

const (
	epochMilliseconds epochShift = 1
	epochSeconds      epochShift = 4
)

func (p *Program) compileField(out *field, f syncdef.Field, vendor vendorRules, rules syncdef.Rules) error {
	*out = field{source: f.Source, column: -1, vendor: vendor, scale: -1, zone: time.UTC,
		maxLength: f.MaxLength, truncate: f.OnTooLong == syncdef.TruncateLong}
	if f.Value == nil {
		out.column = p.columnOf(f.Source)
	}
	for _, t := range f.Transform {
		switch t {
		case "trim":
			out.transforms = append(out.transforms, trim)
		case "lower":
			out.transforms = append(out.transforms, lower)
		case "upper":
			out.transforms = append(out.transforms, upper)
		default:
			return fmt.Errorf("transform: %q is not one of trim, lower, upper", t)
		}
	}
	if err := out.compileType(f, rules.Spread && strings.HasSuffix(f.Destination, syncdef.SpreadMark)); err != nil {
		return err
	}
	if err := out.compileNull(f); err != nil {
		return err
	}
	return p.compileMade(out, f, rules)
}

func (out *field) compileType(f syncdef.Field, spread bool) error {
	switch f.Type {
	case syncdef.String, "":
		return out.compileText(f)
	case syncdef.Number:
		out.convert, out.form, out.blankNull = (*Mapper).number, formNumber, true
		return out.compileNumber(f, "a number")
	case syncdef.Integer:
		out.convert, out.form, out.blankNull = (*Mapper).integer, formNumber, true
		f.Scale = nil
		return out.compileNumber(f, "a whole number")
	case syncdef.Boolean:
		out.convert, out.blankNull = (*Mapper).boolean, true
	case syncdef.Date:
		out.convert, out.blankNull = (*Mapper).date, true
		return out.compileTime(f, "a date such as 2024-01-15")
	case syncdef.DateTime:
		out.convert, out.blankNull = (*Mapper).datetime, true
		return out.compileTime(f, "a date and time such as 2024-01-15 10:30:00 or 2024-01-15T10:30:00Z")
	case syncdef.Picklist:
		out.convert = (*Mapper).picklist
		return out.compilePicklist(f)
	case syncdef.MultiPicklist:
		return out.compileMulti(f)
	case syncdef.JSON:
		return out.compileJSON(f, spread)
	case syncdef.Email:
		out.convert = (*Mapper).email
	default:
		return fmt.Errorf("data_type: %q is not one of string, number, integer, boolean, date, datetime, picklist, json, email, multipicklist", f.Type)
	}
	return nil
}

// compileNull decides what a null becomes, and converts the default like a value.
func (out *field) compileNull(f syncdef.Field) error {
	var fallback jsontext.Value
	if f.Default != nil {
		v, err := out.converted("default", *f.Default, f.Type)
		if err != nil {
			return err
		}
		fallback = v
	}
	switch f.OnNull {
	case syncdef.SkipNull:
	case syncdef.ClearNull, "":
		out.null = jsonNull
	case syncdef.DefaultNull:
		if fallback == nil {
			return errors.New("on_null: default needs a default")
		}
		out.null = fallback
	default:
		return fmt.Errorf("on_null: %q is not one of skip, clear, default", f.OnNull)
	}
	switch f.OnUnknown {
	case syncdef.RejectUnknown, "":
	case syncdef.DefaultUnknown:
		if fallback == nil {
			return errors.New("on_unknown: default needs a default")
		}
		out.unknown = fallback
	default:
		return fmt.Errorf("on_unknown: %q is not one of reject, default", f.OnUnknown)
	}
	return nil
}

// converted is a text of the definition as a value of the field; key is where it
// stands, for messages.
func (out *field) converted(key, text string, kind syncdef.Type) (jsontext.Value, error) {
	raw, err := jsontext.AppendQuote([]byte(nil), text)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is not UTF-8", key, text)
	}
	if kind == syncdef.JSON {
		raw = []byte(text)
		if !jsontext.Value(raw).IsValid() {
			return nil, fmt.Errorf("%s: %q is not JSON", key, text)
		}
		if deep(raw) {
			return nil, fmt.Errorf("%s: it nests more than %d levels deep", key, rawjson.MaxDepth)
		}
		raw = bytes.TrimSpace(raw)
	}
	v, fault := out.convert(&Mapper{}, out, raw)
	if fault != nil && key == "value" { // no column holds it
		return nil, fmt.Errorf("value: %s", strings.TrimPrefix(fault.Message, "column "+out.source+": "))
	}
	if fault != nil {
		return nil, fmt.Errorf("%s: %s", key, fault.Message)
	}
	return bytes.Clone(v), nil
}
