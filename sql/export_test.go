package sql

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// AsPostgres makes Redshift's scripts for PostgreSQL until the test ends: what
// testdata/postgres.sql cannot stand in for is written otherwise, which is SUPER's
// navigation.
func AsPostgres(t *testing.T) {
	t.Helper()
	was := shift
	shift.json = "SUPER"
	shift.text = "(jsonb_path_query_first(%s, '$.%s') #>> '{}')"
	shift.object = "jsonb_path_query_first(%s, '$.%s')"
	shift.each = "jsonb_path_query(%s, '$.%s[*]') AS %s(value)"
	shift.element, shift.elements = "u.value", "u.value"
	speeches[Redshift] = shift
	t.Cleanup(func() { shift, speeches[Redshift] = was, was })
}

var (
	external2 = regexp.MustCompile(`(?s)CREATE (?:OR REPLACE )?EXTERNAL FUNCTION ([\w.]+)\s*\(([^;]*?)\)\s*RETURNS[^;]*;`)
	textSuper = regexp.MustCompile(`\b([\w."]+::VARCHAR\(\d+\))::SUPER\b`) // there a text becomes a string, and here it would be parsed
	arrayOf   = regexp.MustCompile(`\bARRAY\(\n`)                          // there a function, and here of a query
	exfunc    = regexp.MustCompile(`(?m)^.*\bON LANGUAGE EXFUNC\b.*;$`)
	toRole    = regexp.MustCompile(`\b(TO|FROM) ROLE `)
	dateDiff  = regexp.MustCompile(`\b(DATE(?:DIFF|ADD))\((\w+),`)
	tryCast   = regexp.MustCompile(`\bTRY_CAST\((.*) AS (FLOAT8|TIMESTAMP|DATE)\)`)
	tryType   = regexp.MustCompile(`'( WHERE COALESCE\(| OR )TRY_CAST\((NULLIF.*?) AS ' \|\| v_type \|\| '\)`) // of a type that is known as it runs
	atomicity = regexp.MustCompile(`(?m)^\s+NONATOMIC\n`)
)

// Postgres rewrites the rest of such a script: external functions call the test, and
// grants and bare words are written as PostgreSQL does. NONATOMIC goes: there a procedure is atomic, or
// ends its transactions by itself.
func Postgres(script string) string {
	script = external2.ReplaceAllStringFunc(script, func(s string) string {
		m := external2.FindStringSubmatch(s)
		var types, values []string
		for n, a := range strings.Split(regexp.MustCompile(`\(\d+\)`).ReplaceAllString(m[2], ""), ",") {
			if words := strings.Fields(a); len(words) > 0 {
				types = append(types, words[len(words)-1])
				values = append(values, fmt.Sprintf("$%d", n+1))
			}
		}
		name := m[1][strings.LastIndex(m[1], ".")+1:]
		return fmt.Sprintf("CREATE OR REPLACE FUNCTION %s(%s) RETURNS varchar LANGUAGE sql VOLATILE AS $$SELECT public.penstock_lambda('%s', jsonb_build_array(%s))$$;",
			m[1], strings.Join(types, ", "), name, strings.Join(values, ", "))
	})
	script = textSuper.ReplaceAllString(script, "to_jsonb($1::text)")
	script = tryType.ReplaceAllString(script, "'${1}penstock_try_' || v_type || '(${2})")
	script = tryCast.ReplaceAllString(script, "penstock_try_$2($1)")
	script = arrayOf.ReplaceAllString(script, "jsonb_build_array(\n")
	script = exfunc.ReplaceAllString(script, "")
	script = toRole.ReplaceAllString(script, "$1 ")
	script = dateDiff.ReplaceAllString(script, "$1('$2',")
	return atomicity.ReplaceAllString(script, "")
}

// Scored is a definition with its model.
var Scored = scored
