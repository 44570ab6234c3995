package sql

import (
	"regexp"
	"strings"
)

// part is what a SELECT is made of, as far as its columns' names go: what stands apart, a word,
// or another character.
var part = regexp.MustCompile(apart + `|[\pL_][\pL\pN_$]*|\S`)

// selects reports whether a SELECT gives a column that name: whether an item of its list ends
// with it. What a star stands for is not known.
func selects(model, name string) bool {
	depth, in, last := 0, false, ""
	is := func() bool { return strings.EqualFold(strings.Trim(last, `"`), name) }
	for _, t := range part.FindAllString(model, -1) {
		switch {
		case strings.HasPrefix(t, "--") || strings.HasPrefix(t, "/*"):
			continue
		case t == "(":
			depth++
		case t == ")":
			depth--
		}
		word := strings.ToUpper(t)
		switch {
		case depth > 0:
			last = ""
		case !in:
			in, last = word == "SELECT", ""
		case t == "," || t == ";":
			if is() {
				return true
			}
			last = ""
		case word == "FROM" || word == "UNION" || word == "EXCEPT" || word == "INTERSECT" || word == "WHERE" || word == "ORDER" || word == "LIMIT": // further parts of a UNION have the first one's names
			return is()
		default:
			last = t
		}
	}
	return is()
}
