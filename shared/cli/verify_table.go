package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// A kept table is a destination's records as a table of the warehouse: a column for each
// mapped field under the model's name for it, and under its own where no other column has
// that.
type keptTable struct {
	name    string
	columns []keptColumn
}

type keptColumn struct {
	name  string // in lower case
	field string // the destination's; "" is the record's id
	kind  syncdef.Type
}

// What the sample's two statements ask for.
const (
	columnID      = "destination_id"
	columnUpdated = "health_score_last_updated"
)

var asked = []string{columnUpdated, "health_score_pct", "customer_health_status"}

// tableOf is the table of a version's records: salesforce_accounts of the type salesforce
// and the object Account.
func tableOf(v *syncdef.Version) keptTable {
	d := &v.Definition
	object := strings.Map(plainLetter, strings.ToLower(strings.TrimSuffix(d.Object, ownMark)))
	if !strings.HasSuffix(object, "s") {
		object = english.PluralWord(2, object, "")
	}
	t := keptTable{name: v.Rules.Type + "_" + object}
	t.add(columnID, "", syncdef.String)
	if f := d.FreshnessField(); f != "" {
		t.add(columnUpdated, f, syncdef.DateTime)
	}
	for _, f := range d.Fields {
		if f.Source != "" {
			t.add(f.Source, f.Destination, f.Type)
		}
	}
	for _, f := range d.Fields {
		t.add(strings.TrimSuffix(strings.ToLower(f.Destination), ownMark), f.Destination, f.Type)
	}
	return t
}

// ownMark ends the names of fields and objects that an administrator made.
const ownMark = "__c"

func plainLetter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
		return r
	}
	return '_'
}

// add adds a column, unless one of that name is there.
func (t *keptTable) add(name, field string, kind syncdef.Type) {
	name = strings.ToLower(name)
	if !slices.ContainsFunc(t.columns, func(c keptColumn) bool { return c.name == name }) {
		t.columns = append(t.columns, keptColumn{name, field, kind})
	}
}

// lacks are the columns that the sample's statements ask for, and that the table does not
// have.
func (t *keptTable) lacks() (out []string) {
	for _, name := range asked {
		if !slices.ContainsFunc(t.columns, func(c keptColumn) bool { return c.name == name }) {
			out = append(out, name)
		}
	}
	return out
}

// row is a record's values as texts, by column; nil is null.
func (t *keptTable) row(r verify.Read) []*string {
	out := make([]*string, len(t.columns))
	for i, c := range t.columns {
		if c.field == "" {
			out[i] = &r.ID
			continue
		}
		at := slices.IndexFunc(r.Names, func(name string) bool { return strings.EqualFold(name, c.field) })
		if at >= 0 && r.Values[at] != nil {
			out[i] = castable(r.Values[at], c.kind)
		}
	}
	return out
}

// castable is a value as text that a cast reads; nil for null, and for a time that is none.
func castable(v jsontext.Value, kind syncdef.Type) *string {
	text, isText := rawjson.Text(v)
	if !isText {
		text = string(v)
	}
	if v.Kind() == 'n' {
		return nil
	}
	layout := ""
	switch kind {
	case syncdef.DateTime:
		layout = "2006-01-02 15:04:05.999999"
	case syncdef.Date:
		layout = time.DateOnly
	default:
		return &text
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999-0700", time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil {
			text = at.UTC().Format(layout)
			return &text
		}
	}
	return nil
}
