package sql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire/redshift"
)

// shiftRow is a row as JSON text. JSON_SERIALIZE of a longer one would fail the whole
// statement, so that JSON_SIZE is asked before: what stands for it names its record, and
// is rejected as row_too_large. also are further columns of it.
func shiftRow(d syncdef.Definition, also []string) string {
	var own []string
	if always, err := alwaysOf(d); err == nil && d.AlwaysEvery() > 0 { // a fault is told where the column stands by itself
		own = append(own, literal(Redshift, syncdef.AlwaysColumn)+", "+always)
	}
	return shiftText(d, shiftObject(d, append(columnsOf(d), also...), own...))
}

// shiftText is an object as text, or what stands for one that is too long.
func shiftText(d syncdef.Definition, whole string) string {
	id := shiftObject(d, folded(d.RecordID))
	return strings.Join([]string{
		"CASE",
		fmt.Sprintf("        WHEN JSON_SIZE(%s) <= %d THEN JSON_SERIALIZE(%s)", whole, redshift.MaxRow, whole),
		fmt.Sprintf("        WHEN JSON_SIZE(%s) <= %d THEN '{%q:' || JSON_SIZE(%s)::VARCHAR(32) || ',' || SUBSTRING(JSON_SERIALIZE(%s), 2)", id, redshift.MaxRow/2, redshift.TooLarge, whole, id),
		fmt.Sprintf("        ELSE '{%q:' || JSON_SIZE(%s)::VARCHAR(32) || '}'", redshift.TooLarge, whole),
		"    END",
	}, "\n")
}

// deletesOf are the reserved columns that say of a row that its record is to be removed,
// as far as the model's own SELECT names them: a definition names no reserved column.
func deletesOf(params Params, d syncdef.Definition) []string {
	named := columnsOf(d)
	var out []string
	for _, y := range params.Syncs {
		if y.Definition.Sync != d.Sync {
			continue
		}
		for _, c := range actions {
			if selects(y.Model, c) && !slices.Contains(named, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

func folded(columns []string) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = strings.ToLower(c)
	}
	return out
}

// shiftObject is columns as a SUPER. SUPER takes no dates and times, so that these are
// text: fields that are mapped as such, and the cursor. Of a cursor nobody says its type:
// what is a number stays one, because numbers compare otherwise than texts. further are
// names and values behind them.
func shiftObject(d syncdef.Definition, columns []string, further ...string) string {
	times := map[string]bool{}
	for _, f := range d.Fields {
		if f.Type == syncdef.DateTime || f.Type == syncdef.Date {
			times[strings.ToLower(f.Source)] = true
		}
	}
	cursors := map[string]bool{}
	if d.Incremental != nil {
		cursors[strings.ToLower(d.Incremental.Cursor)] = true
	}
	pairs := make([]string, len(columns))
	for i, c := range columns {
		value := "m." + column(Redshift, c)
		switch {
		case times[c]:
			value += "::VARCHAR(64)"
		case cursors[c]:
			text := value + "::VARCHAR(255)"
			value = fmt.Sprintf("CASE WHEN CAN_JSON_PARSE(%[1]s) THEN JSON_PARSE(%[1]s) ELSE %[1]s::SUPER END", text)
		}
		pairs[i] = literal(Redshift, c) + ", " + value
	}
	return "OBJECT(" + strings.Join(append(pairs, further...), ", ") + ")"
}
