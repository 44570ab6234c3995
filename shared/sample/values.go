package sample

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A place is where a sync's records are at its destination.
type place struct {
	key  string // the field by which the records are told apart
	of   string // SQL: the key of the row m; "" where the accounts that were seeded have it
	name string // the field that was seeded beside the key, "" where nothing was
}

// placeOf is where a definition's records are. The accounts were there before any row;
// all others are made by the sync, under the match value.
func placeOf(def *syncdef.Definition) place {
	if def.Sync == AccountHealth || def.Sync == CustomerHealth {
		return place{key: "Website", name: "Name"}
	}
	return place{key: def.Match.Destination, of: "m." + quoted(def.Match.Source)}
}

// seeded reports whether there were records before any row.
func (p place) seeded() bool { return p.name != "" }

// A value is one that is compared: a field's, or one of the members of a field that is
// an object.
type value struct {
	destination string
	want        string // SQL over the model, m
	have        string // SQL, in which %s is the text at the destination
}

// readValues are what a definition writes. Whether a JSON field is a list or an object,
// and of which members, is asked of the model's rows.
func readValues(ctx context.Context, db *sql.DB, def *syncdef.Definition, model string) ([]value, error) {
	var out []value
	for i := range def.Fields {
		f := &def.Fields[i]
		if f.Type != syncdef.JSON {
			want, have := rule(f, "%s")
			out = append(out, value{f.Destination, want, have})
			continue
		}
		column := "to_json(m." + quoted(f.Source) + ")"
		members, list, err := shape(ctx, db, column, model)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the form of %s: %w", f.Source, err)
		case list:
			out = append(out, value{f.Destination, set(column), set("%s")})
		}
		for _, name := range members {
			out = append(out, value{name, plain(column + "->>" + literal(name)), plain("%s")})
		}
	}
	return out, nil
}

// shape tells what a JSON column holds: a list, or an object with these members.
func shape(ctx context.Context, db *sql.DB, column, model string) (members []string, list bool, err error) {
	err = db.QueryRowContext(ctx, fmt.Sprintf("SELECT coalesce(bool_or(json_type(%s) = 'ARRAY'), false) FROM %s m", column, model)).Scan(&list)
	if err != nil || list {
		return nil, list, err
	}
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT DISTINCT unnest(json_keys(%s)) AS name FROM %s m ORDER BY name", column, model))
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, false, err
		}
		members = append(members, name)
	}
	return members, false, rows.Err()
}

// set is a JSON list in one order; an empty one is null.
func set(list string) string {
	return "nullif(CAST(list_sort(CAST(json_extract_string(" + list + ", '$[*]') AS VARCHAR[])) AS VARCHAR), '[]')"
}

// plain is a member's text, a number in one form.
func plain(text string) string {
	return "coalesce(CAST(TRY_CAST(" + text + " AS " + number + ") AS VARCHAR), nullif(" + text + ", ''))"
}

// quoted is a column's name in SQL, and literal a text.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
