package sql

import (
	"regexp"
	"slices"
	"strings"
)

// part is what a SELECT is made of, as far as its columns' names go: what stands apart, a word,
// or another character.
var part = regexp.MustCompile(apart + `|[\pL_][\pL\pN_$]*|\S`)

// selects reports whether a SELECT gives a column that name: whether an item of its list is
// called so. Where the list has a star, whether one of any list in it is: what a star stands for
// comes from there, or from a table, of which nothing is known.
func selects(model, name string) bool {
	var outer *list
	inner := false
	for _, l := range lists(model) {
		if outer == nil || l.depth < outer.depth {
			outer = &l
		}
		inner = inner || l.has(name)
	}
	return outer != nil && (outer.has(name) || inner && outer.has("*"))
}

// A list is what stands between a SELECT and its FROM.
type list struct {
	depth int // of brackets around it
	items [][]string
}

// lists are those of a SELECT and of all in it, in the order of their beginnings.
func lists(model string) []list {
	var text []string
	for _, t := range part.FindAllString(model, -1) {
		if !strings.HasPrefix(t, "--") && !strings.HasPrefix(t, "/*") {
			text = append(text, t)
		}
	}
	var out []list
	depth := 0
	for n, t := range text {
		switch {
		case t == "(":
			depth++
		case t == ")":
			depth--
		case strings.EqualFold(t, "SELECT"):
			out = append(out, list{depth, items(text[n+1:])})
		}
	}
	return out
}

// items are those of the list that text begins with.
func items(text []string) (out [][]string) {
	depth, start := 0, 0
	for n, t := range text {
		switch word := strings.ToUpper(t); {
		case t == "(":
			depth++
		case t == ")" && depth > 0:
			depth--
		case depth > 0:
		case t == ",":
			out, start = append(out, text[start:n]), n+1
		case t == ")" || t == ";" || word == "FROM" || word == "WHERE" || word == "UNION" || word == "EXCEPT" || word == "INTERSECT" || word == "ORDER" || word == "LIMIT":
			return append(out, text[start:n])
		}
	}
	return append(out, text[start:])
}

func (l list) has(name string) bool {
	return slices.ContainsFunc(l.items, func(item []string) bool { return strings.EqualFold(called(item), name) })
}

// called is what an item of a list is called: its last word, whatever it is cast to.
func called(item []string) string {
	if n := slices.Index(item, ":"); n > 0 && n+1 < len(item) && item[n+1] == ":" {
		if as := len(item) - 2; as < n || !strings.EqualFold(item[as], "AS") {
			item = item[:n]
		}
	}
	if len(item) > 3 && strings.EqualFold(item[0], "CAST") && item[len(item)-1] == ")" {
		if n := slices.IndexFunc(item, func(t string) bool { return strings.EqualFold(t, "AS") }); n > 2 {
			item = item[2:n]
		}
	}
	if len(item) == 0 {
		return ""
	}
	return strings.Trim(item[len(item)-1], `"`)
}
