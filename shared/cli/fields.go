package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

type fieldsCmd struct {
	Connection string `arg:"" help:"The connection's name in connections.yaml."`
	Object     string `arg:"" optional:"" help:"The object, such as Account; without it the objects are listed, where there are several."`
	Filter     string `arg:"" optional:"" help:"Only fields whose name, label or type holds this text; their values are listed, too."`
	Syncs      string `help:"The folder of definitions and connections.yaml: syncs, or else sql/syncs, when not given." placeholder:"DIR"`
	JSON       bool   `name:"json" help:"Print JSON."`
	asking
}

// fieldJSON is a field as fields --json prints it.
type fieldJSON struct {
	Name      string         `json:"name"`
	Label     string         `json:"label,omitempty"`
	Type      string         `json:"type"`                 // the vendor's word
	DataTypes []syncdef.Type `json:"data_types,omitempty"` // what a mapping may be, the best first; absent: any
	Length    int            `json:"max_length,omitempty"` // characters
	Precision int            `json:"precision,omitempty"`  // digits in all
	Scale     *int           `json:"scale,omitempty"`      // digits after the point, of a number with a precision
	Required  bool           `json:"required"`             // a new record must have a value
	Create    bool           `json:"create"`               // a new record can be given a value
	Update    bool           `json:"update"`               // the value can be changed
	Unique    bool           `json:"unique"`
	Key       bool           `json:"key"` // records can be matched by it in an upsert
	Options   []optionJSON   `json:"values,omitempty"`
	Others    bool           `json:"other_values,omitempty"` // it takes others than values
	Several   bool           `json:"several,omitempty"`      // several values, joined by semicolons
}

type optionJSON struct {
	Value  string `json:"value"`
	Label  string `json:"label,omitempty"`
	Active bool   `json:"active"`
	Hidden bool   `json:"hidden,omitempty"`
}

// Help says how the table is read.
func (fieldsCmd) Help() string {
	return `The type is the destination's word, data_type what a mapping writes for it.

The limit is the characters of a text, the digits of a number (4.1: four before the point and one after it), or how many values there are to choose from.

The note says what else holds: required of a new record; read-only; new only, which is never changed; key, which an upsert may match records by; unique.`
}

// Run asks the account, and prints the fields.
func (c fieldsCmd) Run(ctx context.Context, s program) (err error) {
	q, done, err := c.about(ctx, s, c.Syncs, "", c.Connection)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Object == "" {
		names, err := q.asker.Objects(ctx, q.of)
		switch {
		case err != nil:
			return err
		case len(names) != 1:
			return c.objects(s, names)
		}
		c.Object = names[0]
	}
	object, err := q.asker.Object(ctx, q.of, c.Object)
	if err != nil {
		return err
	}
	for _, n := range object.Notices {
		fmt.Fprintln(s.err, n.Message)
	}
	fields := c.chosen(object)
	if c.JSON {
		out := []fieldJSON{}
		for i := range fields {
			out = append(out, fieldAsJSON(&fields[i]))
		}
		return printJSON(s.out, map[string]any{"connection": c.Connection, "object": object.Name, "create": !object.NoCreate, "update": !object.NoUpdate, "delete": !object.NoDelete, "fields": out})
	}
	if len(fields) == 0 {
		return fmt.Errorf("none of the %d fields of %s has %q in its name, label or type", len(object.Fields), object.Name, c.Filter)
	}
	of := ""
	if c.asked(ctx, q.of) == ownSimulator {
		of = " of this machine's simulator"
	}
	printObject(s, object, fields, of, c.Filter != "")
	return nil
}

// objects prints which objects there are.
func (c fieldsCmd) objects(s program, names []string) error {
	if c.JSON {
		return printJSON(s.out, map[string]any{"connection": c.Connection, "objects": append([]string{}, names...)})
	}
	for _, name := range names {
		fmt.Fprintln(s.out, name)
	}
	return nil
}

// chosen are the fields that the filter lets through.
func (c fieldsCmd) chosen(o *metadata.Object) []metadata.Field {
	text := strings.ToLower(c.Filter)
	var out []metadata.Field
	for _, f := range o.Fields {
		if strings.Contains(strings.ToLower(f.Name+"\n"+f.Label+"\n"+f.Type), text) {
			out = append(out, f)
		}
	}
	return out
}

func fieldAsJSON(f *metadata.Field) fieldJSON {
	out := fieldJSON{
		Name: f.Name, Label: f.Label, Type: f.Type, DataTypes: f.Takes, Length: f.Length, Precision: f.Precision,
		Required: f.Required, Create: !f.NoCreate, Update: !f.NoUpdate, Unique: f.Unique, Key: f.Key,
		Others: len(f.Options) > 0 && f.Open, Several: f.Several,
	}
	if f.Precision > 0 {
		out.Scale = &f.Scale
	}
	for _, o := range f.Options {
		out.Options = append(out.Options, optionJSON{o.Value, o.Label, !o.Inactive, o.Hidden})
	}
	return out
}

// printObject prints a table of at most 80 columns, but for very long names. of says whose
// object it is.
func printObject(s program, o *metadata.Object, fields []metadata.Field, of string, values bool) {
	t := narrowTable(s.out, table.Row{"field", "type", "data_type", "limit", "note"})
	for i := range fields {
		f := &fields[i]
		mapped := "any"
		if len(f.Takes) > 0 {
			mapped = string(f.Takes[0])
		}
		t.AppendRow(table.Row{f.Name, f.Type, mapped, limit(f), marks(f)})
	}
	t.Render()
	fmt.Fprintf(s.out, "%s: %s%s", o.Name, english.Plural(len(fields), "field", ""), of)
	if denied := denials(o); denied != "" {
		fmt.Fprintf(s.out, "; the connection's user may not %s its records", denied)
	}
	fmt.Fprintln(s.out)
	for i := range fields {
		if f := &fields[i]; values && len(f.Options) > 0 {
			fmt.Fprintf(s.out, "%s takes%s:\n", f.Name, map[bool]string{true: ", beside others", false: ""}[f.Open])
			fmt.Fprintln(s.out, wrapped("  ", strings.Join(optionTexts(f), ", ")))
		}
	}
}

// limit is the most that a field holds.
func limit(f *metadata.Field) string {
	offered := 0
	for _, o := range f.Options {
		if !o.Inactive {
			offered++
		}
	}
	switch {
	case len(f.Options) > 0:
		return english.Plural(offered, "value", "")
	case f.Precision > 0 && f.Scale > 0:
		return fmt.Sprintf("%d.%d digits", f.Precision-f.Scale, f.Scale)
	case f.Precision > 0:
		return strconv.Itoa(f.Precision) + " digits"
	case f.Length > 0:
		return strconv.Itoa(f.Length)
	}
	return ""
}

// marks are what else is to be known of a field.
func marks(f *metadata.Field) string {
	var out []string
	switch {
	case f.NoCreate && f.NoUpdate:
		out = append(out, "read-only")
	case f.NoUpdate:
		out = append(out, "new only")
	case f.NoCreate:
		out = append(out, "not new")
	}
	if f.Required {
		out = append(out, "required")
	}
	switch {
	case f.Key:
		out = append(out, "key")
	case f.Unique && !(f.NoCreate && f.NoUpdate):
		out = append(out, "unique")
	}
	return strings.Join(out, ", ")
}

// denials are what the user may not do with an object's records.
func denials(o *metadata.Object) string {
	var out []string
	for _, one := range []struct {
		denied bool
		name   string
	}{{o.NoCreate, "create"}, {o.NoUpdate, "change"}, {o.NoDelete, "delete"}} {
		if one.denied {
			out = append(out, one.name)
		}
	}
	return english.WordSeries(out, "and")
}

func optionTexts(f *metadata.Field) []string {
	var out []string
	for _, o := range f.Options {
		text := o.Value
		switch {
		case o.Inactive:
			text += " (inactive)"
		case o.Hidden:
			text += " (hidden)"
		case o.Label != "" && o.Label != o.Value:
			text += " (" + o.Label + ")"
		}
		out = append(out, text)
	}
	return out
}
