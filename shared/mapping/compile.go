package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Program is a definition made ready to map rows. It does not change and may
// be shared between goroutines.
type Program struct {
	columns      []string // every column that is read, once
	fields       []field
	names        []string
	recordID     []int // positions in columns
	match        match
	cursor       int    // position in columns, -1 without one
	channelField int    // position in fields of Slack's mapped channel, -1 without one
	channel      []byte // Slack's fixed channel
}

// field is a syncdef.Field made ready.
type field struct {
	source     string
	column     int // position in Program.columns
	convert    converter
	null       jsontext.Value // what a null becomes: nil, null or the default
	transforms []transform
	allowed    string // for messages

	maxLength int // 0 is none
	truncate  bool

	scale    int      // -1 is none
	min, max *decimal // nil is none
	checked  bool     // scale, min or max is set

	values  map[string]jsontext.Value // picklist: exact spelling to quoted value
	folded  []pick                    // picklist: the same, in order
	unknown jsontext.Value            // picklist: what other texts become, nil refuses them

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

// Compile makes a definition ready: it loads time zones, parses decimals, and
// converts defaults as if they were values. All faults are reported, joined.
func Compile(def *syncdef.Definition) (*Program, error) {
	p := &Program{cursor: -1, channelField: -1, fields: make([]field, len(def.Fields))}
	var errs []error
	slack := def.Slack != nil || def.Object == "message"
	for i, f := range def.Fields {
		p.names = append(p.names, f.Destination)
		if err := p.compileField(&p.fields[i], f); err != nil {
			errs = append(errs, fmt.Errorf("field %s -> %s: %w", f.Source, f.Destination, err))
		}
		if slack && f.Destination == "channel" {
			p.channelField = i
		}
	}
	if slack && def.Slack != nil && def.Slack.Channel != "" {
		p.channel = []byte(def.Slack.Channel)
	}
	if len(def.RecordID) == 0 {
		errs = append(errs, errors.New("record_id: no column is named; it must name at least one"))
	}
	for _, c := range def.RecordID {
		p.recordID = append(p.recordID, p.columnOf(c))
	}
	if def.Incremental != nil && def.Incremental.Cursor != "" {
		p.cursor = p.columnOf(def.Incremental.Cursor)
	}
	errs = append(errs, p.compileMatch(def))
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("compile mapping of %s: %w", def.Sync, err)
	}
	return p, nil
}

// Names are the destination's fields in definition order. Not to be changed.
func (p *Program) Names() []string { return p.names }

func (p *Program) columnOf(name string) int {
	for i, c := range p.columns {
		if c == name {
			return i
		}
	}
	p.columns = append(p.columns, name)
	return len(p.columns) - 1
}

func (p *Program) compileMatch(def *syncdef.Definition) error {
	source := def.Match.Source
	if source == "" {
		source = syncdef.DefaultMatch(def.Strategy).Source
	}
	switch def.Strategy {
	case syncdef.MatchNone:
		return nil
	case syncdef.MatchExternalID, syncdef.MatchField, syncdef.MatchEmail, syncdef.MatchEmailDomain, syncdef.MatchName:
		if source == "" {
			return fmt.Errorf("match.source: %s needs a column", def.Strategy)
		}
	default:
		return fmt.Errorf("matching_strategy: %q is not one of external_id, field, email, email_domain, name", def.Strategy)
	}
	p.match = match{def.Strategy, p.columnOf(source)}
	return nil
}

func (p *Program) compileField(out *field, f syncdef.Field) error {
	*out = field{source: f.Source, column: p.columnOf(f.Source), scale: -1, zone: time.UTC,
		maxLength: f.MaxLength, truncate: f.OnTooLong == syncdef.TruncateLong}
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
	if err := out.compileType(f); err != nil {
		return err
	}
	return out.compileNull(f)
}

func (out *field) compileType(f syncdef.Field) error {
	switch f.Type {
	case syncdef.String, "":
		out.convert = (*Mapper).str
	case syncdef.Number:
		out.convert = (*Mapper).number
		return out.compileNumber(f, "a number")
	case syncdef.Integer:
		out.convert = (*Mapper).integer
		f.Scale = nil
		return out.compileNumber(f, "a whole number")
	case syncdef.Boolean:
		out.convert = (*Mapper).boolean
	case syncdef.Date:
		out.convert = (*Mapper).date
		return out.compileTime(f, "a date such as 2024-01-15")
	case syncdef.DateTime:
		out.convert = (*Mapper).datetime
		return out.compileTime(f, "a date and time such as 2024-01-15 10:30:00 or 2024-01-15T10:30:00Z")
	case syncdef.Picklist:
		out.convert = (*Mapper).picklist
		return out.compilePicklist(f)
	case syncdef.JSON:
		out.convert = (*Mapper).json
	case syncdef.Email:
		out.convert = (*Mapper).email
	default:
		return fmt.Errorf("data_type: %q is not one of string, number, integer, boolean, date, datetime, picklist, json, email", f.Type)
	}
	return nil
}

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

func bound(name, s string) (*decimal, error) {
	if s == "" {
		return nil, nil
	}
	d, _, _, ok := parseDecimal([]byte(s), nil)
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
	zone, err := time.LoadLocation(f.TimeZone)
	if err != nil || strings.EqualFold(f.TimeZone, "local") {
		return fmt.Errorf("time_zone: %q is not a name of the IANA database such as Europe/Berlin", f.TimeZone)
	}
	if f.TimeZone != "UTC" {
		out.zone = zone
	}
	return nil
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
		if f.MaxLength > 0 && utf8.RuneCountInString(v) > f.MaxLength {
			return fmt.Errorf("values: %q is longer than max_length %d", v, f.MaxLength)
		}
		out.values[v] = quoted
		out.folded = append(out.folded, pick{[]byte(v), quoted})
	}
	out.allowed = shortList(f.Values)
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

// compileNull decides what a null becomes, and converts the default like a value.
func (out *field) compileNull(f syncdef.Field) error {
	var fallback jsontext.Value
	if f.Default != nil {
		v, err := out.convertDefault(f)
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
	if out.values != nil {
		out.unknown = fallback
	}
	return nil
}

func (out *field) convertDefault(f syncdef.Field) (jsontext.Value, error) {
	raw, err := jsontext.AppendQuote([]byte(nil), *f.Default)
	if err != nil {
		return nil, fmt.Errorf("default: %q is not UTF-8", *f.Default)
	}
	if f.Type == syncdef.JSON {
		raw = []byte(*f.Default)
		if !jsontext.Value(raw).IsValid() {
			return nil, fmt.Errorf("default: %q is not JSON", *f.Default)
		}
		raw = bytes.TrimSpace(raw)
	}
	v, fault := out.convert(&Mapper{}, out, raw)
	if fault != nil {
		return nil, fmt.Errorf("default: %s", fault.Message)
	}
	return bytes.Clone(v), nil
}
