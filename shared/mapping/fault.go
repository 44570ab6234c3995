package mapping

import (
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// shown is how many characters of a value a message shows at most.
const shown = 60

// refuse is the fault of one value: its column, what was found, what is allowed.
// The message goes to the person who ran the SQL, never to a log (I6).
func refuse(column, rule string, found jsontext.Value, allowed string) *row.Fault {
	return &row.Fault{Field: column, Rule: rule, Message: "column " + column + ": found " + shorten(found) + "; allowed: " + allowed}
}

// missing is the fault of a column that the row does not have.
func (m *Mapper) missing(c int) *row.Fault {
	name := m.p.columns[c]
	msg := "column " + name + ": not in the row; allowed: a row that has every mapped column, nulls included (Snowflake: OBJECT_CONSTRUCT_KEEP_NULL)"
	if m.seen.at[c] == ambiguous {
		msg = "column " + name + ": found several columns that differ from it only by case; allowed: exactly one, or one spelled exactly so"
	}
	return &row.Fault{Field: name, Rule: "missing_column", Message: msg}
}

func notAnObject(found jsontext.Value) *row.Fault {
	return &row.Fault{Rule: "not_an_object", Message: "row: found " + shorten(found) + "; allowed: one JSON object with the columns as its members (Snowflake: OBJECT_CONSTRUCT_KEEP_NULL(*))"}
}

func notText(column string, found jsontext.Value) *row.Fault {
	return refuse(column, "not_a_string", found, "text, a number or a boolean (data_type: json takes objects and arrays)")
}

func notAnEmail(column string, found jsontext.Value) *row.Fault {
	return refuse(column, "not_an_email", found, "an email address such as name@company.com")
}

func (out *field) tooLong(found jsontext.Value, characters int) *row.Fault {
	fault := refuse(out.source, "too_long", found, "at most "+strconv.Itoa(out.maxLength)+" characters")
	fault.Message += ", not " + strconv.Itoa(characters)
	return fault
}

// shorten is a value for a message.
func shorten(v jsontext.Value) string {
	if len(v) == 0 {
		return "nothing"
	}
	end := 0
	for n := 0; n < shown && end < len(v); n++ {
		_, size := utf8.DecodeRune(v[end:])
		end += size
	}
	if end == len(v) {
		return string(v)
	}
	return string(v[:end]) + "…"
}
