//go:build cgo

package duckdb

import (
	"context"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// Exact is a relation, as it stands in FROM, whose whole row keeps its digits: to_json
// makes doubles of the numbers in a JSON column, and of a FLOAT's 0.1 the double
// 0.10000000149011612. Where the relation has either, at any depth, it is one that has a
// column penstock_row beside its own: the row as JSON, with what is JSON as it is written.
// That column is then read in place of the alias penstock_row, the whole row of any other
// relation. One that has that column stays what it is, as does one that cannot be
// described: who reads it tells why.
func (w *Warehouse) Exact(ctx context.Context, from string) string { return w.exact(ctx, from, from) }

// exactly is a statement whose rows are those of query_table($variable), with the rows
// of that relation exact.
func (w *Warehouse) exactly(ctx context.Context, statement, variable string, relation any) string {
	from := "query_table($" + variable + ")"
	name, ok := relation.(string)
	if whole := from + " AS " + syncdef.RowAlias; ok && strings.Contains(statement, whole) {
		return strings.Replace(statement, whole, w.exact(ctx, "query_table("+quote(name)+")", from)+" AS "+syncdef.RowAlias, 1)
	}
	return statement
}

// exact is Exact, of a relation that is described under another name.
func (w *Warehouse) exact(ctx context.Context, described, from string) string {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return from
	}
	defer conn.Close()
	var row string
	err = conn.Raw(func(c any) (err error) {
		row, err = exactRow(ctx, c.(*duck.Conn), described)
		return err
	})
	if err != nil || row == "" {
		return from
	}
	return "(SELECT " + syncdef.RowAlias + ".*, " + row + " AS " + syncdef.RowAlias + " FROM " + from + " AS " + syncdef.RowAlias + ")"
}

// exactRow is the row of a relation as JSON that loses no digit, "" where to_json loses
// none. Preparing a statement binds it and reads no row.
func exactRow(ctx context.Context, conn *duck.Conn, from string) (string, error) {
	prepared, err := conn.PrepareContext(ctx, "SELECT * FROM "+from)
	if err != nil {
		return "", err
	}
	defer prepared.Close()
	s := prepared.(*duck.Stmt)
	n, err := s.ColumnCount()
	if err != nil {
		return "", err
	}
	members, lossy := make([]property, n), false
	for i := range members {
		if members[i].name, err = s.ColumnName(i); err != nil {
			return "", err
		}
		if members[i].name == syncdef.RowAlias {
			return "", nil
		}
		members[i].value = syncdef.RowAlias + `."` + strings.ReplaceAll(members[i].name, `"`, `""`) + `"`
		if kind, err := s.ColumnTypeInfo(i); err == nil { // what the driver does not know is written by to_json
			members[i].kind = kind
			lossy = lossy || rounds(kind)
		}
	}
	if !lossy {
		return "", nil
	}
	return "CAST(" + object(members, 0) + " AS JSON)", nil
}

// rounds reports whether to_json loses digits of a type.
func rounds(t duck.TypeInfo) bool {
	switch d := t.Details().(type) {
	case *duck.ListDetails:
		return rounds(d.Child)
	case *duck.ArrayDetails:
		return rounds(d.Child)
	case *duck.MapDetails:
		return rounds(d.Value)
	case *duck.StructDetails:
		for _, e := range d.Entries {
			if rounds(e.Info()) {
				return true
			}
		}
	case *duck.UnionDetails:
		for _, m := range d.Members {
			if rounds(m.Type) {
				return true
			}
		}
	}
	return t.Alias() == "JSON" || t.InternalType() == duck.TYPE_FLOAT
}

// A property is one of an object: an expression under a name. Without a type it is plain.
type property struct {
	name, value string
	kind        duck.TypeInfo
}

// object is the text of an object of JSON.
func object(members []property, depth int) string {
	parts := make([]string, 0, 2*len(members)+1)
	before := "{"
	for _, m := range members {
		name, err := jsontext.AppendQuote(nil, m.name)
		if err != nil {
			name = []byte(`""`) // no UTF-8, which no name of DuckDB is
		}
		parts = append(parts, quote(before+string(name)+":"), text(m.kind, m.value, depth))
		before = ","
	}
	return "concat(" + strings.Join(append(parts, "'}'"), ", ") + ")"
}

// text is the JSON text of an expression of that type, null's where it is null. Variables
// of lambdas are named by their depth.
func text(t duck.TypeInfo, e string, depth int) string {
	written := "CAST(to_json(" + e + ") AS VARCHAR)"
	if t != nil && rounds(t) {
		written = exactText(t, e, depth)
	}
	return "COALESCE(" + written + ", 'null')"
}

// exactText is the same of a type of which to_json loses digits, null where it is null.
func exactText(t duck.TypeInfo, e string, depth int) string {
	x := fmt.Sprintf("penstock_x%d", depth)
	each := func(list, one string) string {
		return "array_to_string(list_transform(" + list + ", lambda " + x + ": " + one + "), ',')"
	}
	switch d := t.Details().(type) {
	case *duck.ListDetails:
		return "'[' || " + each(e, text(d.Child, x, depth+1)) + " || ']'"
	case *duck.ArrayDetails:
		return "'[' || " + each(e, text(d.Child, x, depth+1)) + " || ']'"
	case *duck.MapDetails:
		return "'{' || " + each("map_entries("+e+")", "concat(CAST(to_json(CAST("+x+".key AS VARCHAR)) AS VARCHAR), ':', "+text(d.Value, x+".value", depth+1)+")") + " || '}'"
	case *duck.StructDetails:
		members := make([]property, len(d.Entries))
		for i, entry := range d.Entries {
			members[i] = property{entry.Name(), fmt.Sprintf("struct_extract_at(%s, %d)", e, i+1), entry.Info()}
		}
		return "CASE WHEN " + e + " IS NOT NULL THEN " + object(members, depth) + " END"
	case *duck.UnionDetails:
		whens := ""
		for _, m := range d.Members {
			whens += " WHEN " + quote(m.Name) + " THEN " + object([]property{{m.Name, "union_extract(" + e + ", " + quote(m.Name) + ")", m.Type}}, depth)
		}
		return "CASE CAST(union_tag(" + e + ") AS VARCHAR)" + whens + " END"
	}
	if t.Alias() == "JSON" {
		return "CAST(" + e + " AS VARCHAR)"
	}
	return "CAST(to_json(CAST(CAST(" + e + " AS VARCHAR) AS DOUBLE)) AS VARCHAR)" // a FLOAT's shortest digits
}
