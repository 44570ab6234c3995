package sql

import (
	"regexp"
	"strings"
)

// creates is what makes an object, and the object's name.
var creates = regexp.MustCompile(`(?m)^CREATE (?:OR REPLACE )?(?:EXTERNAL )?(?:TABLE|VIEW|FUNCTION|PROCEDURE)(?: IF NOT EXISTS)? (\w+)`)

// apart is a text, a quoted name or a comment in a script.
const apart = "(?s)'(?:[^'\\\\]|''|\\\\.)*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\\*.*?\\*/"

var (
	word  = regexp.MustCompile(apart + `|\.?\w+`) // one of them, or a name
	token = regexp.MustCompile(apart + `|\S`)     // one of them, or another character
)

// own is the name of an object of ours, with its schema, or project and dataset, where
// the dialect wants it: where a procedure or a view runs, names would be looked for in the
// caller's schema.
func (p *Params) own(name string) string {
	switch p.dialect {
	case Redshift:
		return p.Schema + "." + name
	case BigQuery:
		return "`" + p.Project + "." + p.Dataset + "." + name + "`"
	}
	return name
}

// qualify writes each name of what the files make as own does.
func (p *Params) qualify(all []File) []File {
	if p.own("") == "" {
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
				return p.own(w)
			}
			return w
		})
	}
	return all
}
