package sample

import (
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// rule is SQL for what a mapping promises of one field: the value that the
// destination should hold (from the model, m) and the one that it does hold (from
// got, a text), in one type. It says the mapping's words over again, in SQL, so
// that the mapping is judged by something else than itself.
func rule(f *syncdef.Field, got string) (want, have string) {
	column := origin(f)
	switch f.Type {
	case syncdef.Number, syncdef.Integer:
		want, have = decimal(column, f.Scale), "TRY_CAST("+got+" AS "+number+")"
	case syncdef.DateTime:
		// The mapping cuts at the millisecond.
		want, have = "epoch_ms(CAST("+column+" AS TIMESTAMP))", "epoch_ms(TRY_CAST("+got+" AS TIMESTAMPTZ))"
	case syncdef.Date:
		want, have = "CAST("+column+" AS DATE)", "TRY_CAST("+got+" AS DATE)"
	case syncdef.Boolean:
		want, have = "CAST("+column+" AS BOOLEAN)", "TRY_CAST("+got+" AS BOOLEAN)"
	default:
		want, have = text(f, column), got
	}
	// With on_null: skip a null leaves the field alone, which was empty.
	if f.OnNull == syncdef.DefaultNull && f.Default != nil {
		byDefault := "'" + strings.ReplaceAll(*f.Default, "'", "''") + "'"
		want = "coalesce(" + want + ", CAST(" + byDefault + " AS " + typeOf(f.Type) + "))"
	}
	return want, have
}

// origin is what a field is made of: its column, or its template's text and columns,
// which are null together.
func origin(f *syncdef.Field) string {
	if f.Value == nil {
		return "m." + quoted(f.Source)
	}
	parts, err := syncdef.ParseTemplate(*f.Value)
	if err != nil {
		return "NULL" // the reader of definitions refuses it
	}
	var out []string
	for _, p := range parts {
		if p.Column != "" {
			out = append(out, "CAST(m."+quoted(p.Column)+" AS VARCHAR)")
		} else {
			out = append(out, literal(p.Text))
		}
	}
	return "(" + strings.Join(out, " || ") + ")"
}

// number holds ten digits before the point and eight behind it, which is ample for
// the sample and a tenth of the work of DECIMAL(38, ...) in DuckDB. A number beyond
// it stops the comparison with an error, or is a difference.
const number = "DECIMAL(18, 8)"

// decimal is a number as an exact decimal, rounded as the field says.
func decimal(column string, scale *int) string {
	d := "CAST(" + column + " AS " + number + ")"
	if scale != nil {
		d = "CAST(round(" + d + ", " + strconv.Itoa(*scale) + ") AS " + number + ")"
	}
	return d
}

// text is a text with the field's transforms; Salesforce keeps no empty ones.
func text(f *syncdef.Field, column string) string {
	s := "CAST(" + column + " AS VARCHAR)"
	for _, how := range f.Transform {
		s = how + "(" + s + ")"
	}
	if f.MaxLength > 0 && f.OnTooLong == syncdef.TruncateLong {
		s = "left(" + s + ", " + strconv.Itoa(f.MaxLength) + ")"
	}
	if f.Type == syncdef.Picklist && f.Default != nil && len(f.Values) > 0 {
		quoted := make([]string, len(f.Values))
		for i, v := range f.Values {
			quoted[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
		s = "CASE WHEN " + s + " IS NULL OR " + s + " IN (" + strings.Join(quoted, ", ") + ") THEN " + s + " ELSE '" + strings.ReplaceAll(*f.Default, "'", "''") + "' END"
	}
	return "nullif(" + s + ", '')"
}

func typeOf(t syncdef.Type) string {
	switch t {
	case syncdef.Number, syncdef.Integer:
		return number
	case syncdef.DateTime:
		return "BIGINT"
	case syncdef.Date:
		return "DATE"
	case syncdef.Boolean:
		return "BOOLEAN"
	}
	return "VARCHAR"
}
