package mapping

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// refuse is the fault of one value: its column, what kind of value was found, what
// is allowed. The value itself is never told (I6).
func refuse(column, rule string, found jsontext.Value, allowed string) *row.Fault {
	return fault(column, rule, describe(found), allowed)
}

func fault(column, rule, found, allowed string) *row.Fault {
	return &row.Fault{Field: column, Rule: rule, Message: "column " + column + ": found " + found + "; allowed: " + allowed}
}

// missing is the fault of a column that the row does not have.
func (m *Mapper) missing(c int) *row.Fault {
	name := m.p.columns[c]
	msg := "column " + name + ": not in the row; allowed: a row that has every mapped column, nulls included (Snowflake: " + row.SnowflakeRow + ")"
	if m.seen.at[c] == ambiguous {
		msg = "column " + name + ": found several columns that differ from it only by case; allowed: exactly one, or one spelled exactly so"
	}
	return &row.Fault{Field: name, Rule: "missing_column", Message: msg}
}

// unreadable is the fault of a row that scan refused.
func (r *members) unreadable(found jsontext.Value) *row.Fault {
	if r.deep {
		return tooDeep("row", "")
	}
	return &row.Fault{Rule: "not_an_object", Message: "row: found " + describe(found) + "; allowed: one JSON object with the columns as its members (Snowflake: " + row.SnowflakeRow + ")"}
}

// deep reports whether JSON has more levels than leave room for the row around it.
func deep(v []byte) bool {
	_, levels := rawjson.Extent(v, rawjson.Space(v, 0))
	return levels >= rawjson.MaxDepth
}

// tooDeep is the fault of a row, or of one value, that has too many levels; field is ""
// for the row.
func tooDeep(what, field string) *row.Fault {
	return &row.Fault{Field: field, Rule: "too_deep", Message: what + ": found objects and arrays nested more than " + strconv.Itoa(rawjson.MaxDepth) + " levels deep; allowed: fewer levels"}
}

func notText(column string, found jsontext.Value) *row.Fault {
	return refuse(column, "not_a_string", found, "text, a number or a boolean (data_type: json takes objects and arrays; as: join or as: json makes a text of them)")
}

func notAnEmail(column string, found jsontext.Value) *row.Fault {
	return refuse(column, "not_an_email", found, "an email address such as name@company.com")
}

func (out *field) tooLong(n int) *row.Fault {
	return fault(out.source, "too_long", "a text of "+strconv.Itoa(n)+" "+unitNames[out.vendor.unit], "at most "+strconv.Itoa(out.maxLength))
}

// describe says what kind of value was found, and of a text how long it is.
func describe(v jsontext.Value) string {
	v = bytes.TrimSpace(v)
	if len(v) == 0 {
		return "nothing"
	}
	switch v[0] {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return describeText(v)
	}
	return "a number"
}

func describeText(v jsontext.Value) string {
	text, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return "a broken text"
	}
	trimmed := bytes.TrimSpace(text)
	n := utf8.RuneCount(text)
	switch {
	case len(text) == 0:
		return "an empty text"
	case len(trimmed) == 0:
		return "a blank text"
	case n == 1:
		return "a text of 1 character"
	case len(trimmed) < len(text):
		return "a text of " + strconv.Itoa(n) + " characters with white space around it"
	}
	return "a text of " + strconv.Itoa(n) + " characters"
}
