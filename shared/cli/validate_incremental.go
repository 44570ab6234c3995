package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb/modelcheck"
)

// A piece is SQL that a definition's incremental adds to its model.
type piece struct{ path, what, sql string }

// pieces are those of a definition, each as the column of a SELECT that the source view
// makes of it.
func pieces(inc *syncdef.Incremental) (out []piece) {
	if inc == nil {
		return nil
	}
	if condition, _, ok := syncdef.SplitAlways(inc.Always); ok {
		out = append(out, piece{"incremental.always", "the condition", "COALESCE((" + condition + "), FALSE) AS penstock_always"})
	}
	for n, term := range inc.OrderBy {
		out = append(out, piece{fmt.Sprintf("incremental.order_by[%d]", n), "the term", "ROW_NUMBER() OVER (ORDER BY " + term + ") AS penstock_priority"})
	}
	return out
}

// unselected gives notice of the pieces of a model of which not all columns are known.
func unselected(y yamlfile.Sync, v *validation) {
	for _, p := range pieces(y.Definition.Incremental) {
		message := fmt.Sprintf("%s: %s is not checked: --warehouse FILE names a database that has what the model reads", p.path, p.what)
		v.notices = append(v.notices, y.Placed([]syncdef.Fault{{Path: p.path, Message: message}})...)
	}
}

// selection has each piece checked in a SELECT over the model. What this database does
// not have is no fault: the model may be of another warehouse.
func (c validateCmd) selection(ctx context.Context, m *modelChecker, y yamlfile.Sync, model string, v *validation) error {
	for _, p := range pieces(y.Definition.Incremental) {
		r, err := m.check(ctx, "SELECT m.*, "+p.sql+" FROM (\n"+strings.TrimRight(model, "; \t\r\n")+"\n) AS m")
		if err != nil {
			return err
		}
		fault := syncdef.Fault{Path: p.path}
		switch {
		case r.Fault != nil && c.foreign(y.Model):
			fault.Message = fmt.Sprintf("%s: %s is no SQL of DuckDB's, so it is not checked (%s)", p.path, p.what, r.Fault.Message)
			v.notices = append(v.notices, y.Placed([]syncdef.Fault{fault})...)
		case r.Fault != nil:
			fault.Message = p.path + ": " + p.what + " cannot be put into a SELECT over the model: " + strings.Replace(r.Fault.Message, "a model is", "it stands in", 1)
			v.faults = append(v.faults, y.Placed([]syncdef.Fault{fault})...)
		case r.Missing != nil:
			fault.Message = fmt.Sprintf("%s: the %s %s is not known here, so %s is not checked", p.path, r.Missing.What, r.Missing.Name, p.what)
			v.notices = append(v.notices, y.Placed([]syncdef.Fault{fault})...)
		}
	}
	return nil
}

// changing gives notice of a record id that is made of a value which the sync itself
// carries, or of the time: it is another one after every change. Of inserts that is what
// a record id is for: each change is a record of its own.
func changing(y yamlfile.Sync, uses []modelcheck.Use, v *validation) {
	d := y.Definition
	if d.Operation == syncdef.Insert {
		return
	}
	of := func(column string) modelcheck.Use {
		if n := slices.IndexFunc(uses, func(u modelcheck.Use) bool { return strings.EqualFold(u.Column, column) }); n >= 0 {
			return uses[n]
		}
		return modelcheck.Use{Column: column, Of: []string{strings.ToLower(column)}}
	}
	values := map[string]string{} // a column of the tables: what carries it
	for _, f := range d.Fields {
		for _, c := range f.Columns() {
			if p := syncdef.SourcePath(c); len(p) > 1 {
				c = p[0].Name
			}
			if strings.EqualFold(c, d.Match.Source) || hasColumn(d.RecordID, c) && !moves(f.Type) {
				continue
			}
			for _, name := range of(c).Of {
				values[name] = c
			}
		}
	}
	if c := d.Cursor(); c != "" {
		for _, name := range of(c).Of {
			values[name] = c
		}
	}
	for _, name := range of(d.Match.Source).Of {
		delete(values, name)
	}
	for n, c := range d.RecordID {
		u := of(c)
		var found []string
		for _, name := range u.Of {
			carried, is := values[name]
			if strings.HasSuffix(name, "()") || is && (u.Made || len(d.RecordID) > 1 || strings.EqualFold(carried, d.Cursor())) {
				found = append(found, name)
			}
		}
		if len(found) == 0 {
			continue
		}
		message := fmt.Sprintf("record_id: %s is made of %s, which changes: each change looks like another record, so that errors are not found under their record, deletes by record id miss it, and changed_only takes every change for a new row beside one that is gone; use what stays the same, such as the table's key", c, strings.Join(found, " and "))
		v.notices = append(v.notices, y.Placed([]syncdef.Fault{{Path: fmt.Sprintf("record_id[%d]", n), Message: message}})...)
	}
}

// moves reports whether a field's type is one of values rather than of names: a column of
// it is no part of a key.
func moves(t syncdef.Type) bool {
	return slices.Contains([]syncdef.Type{syncdef.Number, syncdef.Date, syncdef.DateTime, syncdef.Boolean, syncdef.Picklist}, t)
}
