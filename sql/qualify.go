package sql

import (
	"regexp"
	"strings"
)

// creates is what makes an object, and the object's name.
var creates = regexp.MustCompile(`(?m)^CREATE (?:OR REPLACE )?(?:EXTERNAL )?(?:TABLE|VIEW|FUNCTION|PROCEDURE)(?: IF NOT EXISTS)? (\w+)`)

// word is a text, a quoted name, a comment or a name in a script.
var word = regexp.MustCompile("(?s)'(?:[^'\\\\]|''|\\\\.)*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\\*.*?\\*/|\\.?\\w+")

// qualify puts the schema, or the project and dataset, before each name of what the
// script makes: where a procedure or a view runs, names would be looked for in the
// caller's schema.
func (p Params) qualify(all []File) []File {
	var before, after string
	switch p.dialect {
	case Redshift:
		before = p.Schema + "."
	case BigQuery:
		before, after = "`"+p.Project+"."+p.Dataset+".", "`"
	default:
		return all
	}
	ours := map[string]bool{}
	for _, f := range all {
		for _, m := range creates.FindAllStringSubmatch(f.Text, -1) {
			ours[strings.ToLower(m[1])] = true
		}
	}
	for i, f := range all {
		all[i].Text = word.ReplaceAllStringFunc(f.Text, func(w string) string {
			if ours[strings.ToLower(w)] {
				return before + w + after
			}
			return w
		})
	}
	return all
}
