package yamlfile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// separators are lines by which people separate documents, and YAML does not.
var separators = regexp.MustCompile(`^(--|-{4,}|={2,}|_{3,}|\*{3,}|\.{2,}|~{3,})$`)

// glued is a list's item whose - touches its key.
var glued = regexp.MustCompile(`^ *-[A-Za-z_]\w*:( |$)`)

// bare is a value with a template's braces and without quotes.
var bare = regexp.MustCompile(`(?:^|[{, -])value: +([^"'|>\s][^"',]*?)?\{\{`)

// element is a path to a list's element without quotes, within braces.
var element = regexp.MustCompile(`\{.*?(?:source|destination): +([A-Za-z0-9_.]+\[[0-9]+\][A-Za-z0-9_.\[\]]*) *[,}]`)

// cause looks at the line where a file ceases to be valid, and says what a person
// most likely did there, "" when nothing is known. What stands before the line is
// valid, so that no quote or bracket is open at its beginning.
func (s source) cause(n int) (at, string) {
	text := s.line(n)
	body := strings.TrimLeft(text, " \t")
	indent := len(text) - len(body)
	here := func(i int) at { return at{n, utf8.RuneCountInString(text[:i]) + 1} }
	if tab := strings.IndexByte(text[:indent], '\t'); tab >= 0 {
		return here(tab), "a tab indents this line; YAML wants blanks"
	}
	if before := s.line(n - 1); strings.TrimSpace(before) == "..." {
		return at{n - 1, 1}, "... ends the file's one document, and more follows; delete the line"
	}
	if n > 1 && strings.HasPrefix(s.line(n-1), "--- ") && strings.TrimSpace(s.line(n - 1)[4:]) != "" {
		return at{n - 1, 5}, "text stands beside the separator ---, which is alone on its line, or left out"
	}
	if m := bare.FindStringIndex(text); m != nil {
		from := m[0] + strings.Index(text[m[0]:], "value:") + len("value:")
		for text[from] == ' ' {
			from++
		}
		return here(from), "a value with {{ }} needs quotes: value: \"{{column}}\""
	}
	if m := element.FindStringSubmatchIndex(text); m != nil {
		return here(m[2]), "within braces a value with [ ] needs quotes: \"" + text[m[2]:m[3]] + "\""
	}
	if above := s.line(n - 1); glued.MatchString(above) && indent > 0 {
		return at{n - 1, strings.IndexByte(above, '-') + 1}, "a blank is missing after the - of a list's item"
	}
	if separators.MatchString(strings.TrimSpace(text)) {
		return here(indent), "this line is no separator of YAML, and a file holds one definition; delete it"
	}
	for strings.HasPrefix(body, "-") { // the marks of a list's items
		rest := strings.TrimLeft(body[1:], " ")
		touches := len(rest) == len(body)-1
		switch {
		case strings.HasPrefix(rest, "\t"):
			return here(len(text) - len(rest)), "a tab follows the - of a list's item; YAML wants a blank"
		case touches && rest != "" && s.isItem(n, indent):
			return here(indent), "a blank is missing after the - of a list's item"
		}
		if touches {
			break
		}
		body = rest
	}
	return s.entry(n, text, len(text)-len(body))
}

// entry judges what stands on a line from a place on: a key with its value, or a
// value of a list.
func (s source) entry(n int, text string, from int) (at, string) {
	here := func(i int) at { return at{n, utf8.RuneCountInString(text[:i]) + 1} }
	value := from
	key, colon := keyOf(text[from:])
	if colon >= 0 {
		value = from + colon + 1
		for value < len(text) && text[value] == ' ' {
			value++
		}
	} else if key == "" {
		if where, what := s.noKey(n, text, from); what != "" {
			return where, what
		}
	}
	if value < len(text) {
		switch c := text[value]; c {
		case '\t':
			return here(value), "a tab stands before the value; YAML wants a blank"
		case '"', '\'':
			return s.quoted(n, text, value)
		case '[', '{':
			return s.flow(n, value)
		case '@', '`', '%', '*', '&', '!', '?', '|', '>':
			if colon >= 0 && (c != '?' || strings.HasPrefix(text[value:], "? ")) {
				return here(value), fmt.Sprintf("a value that begins with %c needs quotes", c)
			}
		}
	}
	if where, what := s.misplaced(n); what != "" {
		return where, what
	}
	if colon >= 0 {
		plain := text[value:]
		if hash := strings.Index(plain, " #"); hash >= 0 {
			plain = plain[:hash]
		}
		if i := strings.Index(plain+" ", ": "); i >= 0 {
			return here(value + i), "a colon and a blank stand in a value without quotes; put the value of " + shorten(key) + " in quotes"
		}
	}
	return at{n, from + 1}, ""
}

// keyOf is the key that a text begins with and the place of its colon, -1 when it
// has none.
func keyOf(text string) (key string, colon int) {
	if text == "" {
		return "", -1
	}
	if q := text[0]; q == '"' || q == '\'' {
		end := strings.IndexByte(text[1:], q)
		if end < 0 || !strings.HasPrefix(text[end+2:], ":") {
			return "", -1
		}
		return text[1 : end+1], end + 2
	}
	if strings.ContainsRune("[{", rune(text[0])) {
		return "", -1
	}
	i := strings.Index(text+" ", ": ")
	if hash := strings.Index(text, " #"); i < 0 || (hash >= 0 && hash < i) {
		return "", -1
	}
	return text[:i], i
}

var (
	noBlank = regexp.MustCompile(`^[A-Za-z_][\w.-]*:[^\s:/]`)
	equals  = regexp.MustCompile(`^([A-Za-z_][\w.-]*)\s*=\s*\S`)
	word    = regexp.MustCompile(`^[A-Za-z_][\w.-]*`)
)

// noKey judges a line without "key: ".
func (s source) noKey(n int, text string, from int) (at, string) {
	here := func(i int) at { return at{n, utf8.RuneCountInString(text[:i]) + 1} }
	rest := text[from:]
	switch {
	case rest == "" || strings.ContainsRune("\"'[{#", rune(rest[0])):
		return at{}, ""
	case noBlank.MatchString(rest):
		colon := from + strings.IndexByte(rest, ':')
		return here(colon + 1), "a blank is missing after the colon of " + shorten(rest[:colon-from])
	case equals.MatchString(rest):
		key := equals.FindStringSubmatch(rest)[1]
		return here(from + len(key)), "write " + shorten(key) + ": with a colon, not ="
	case s.isItem(n, from):
		return here(from), "a - is missing before this item of the list"
	case s.blockAbove(n):
		return here(from), "the text of | or > must be indented deeper than its key"
	}
	if key := word.FindString(rest); key != "" && !strings.HasPrefix(rest, "-") {
		return here(from + len(key)), "a colon is missing after " + shorten(key)
	}
	return at{}, ""
}

// blockAbove reports whether the line above ends with the mark of a block of text.
func (s source) blockAbove(n int) bool {
	above := strings.TrimSpace(s.line(n - 1))
	return strings.HasSuffix(above, ": |") || strings.HasSuffix(above, ": >") || strings.HasSuffix(above, "|-") || strings.HasSuffix(above, ">-")
}

// quoted judges a value that begins with a quote.
func (s source) quoted(n int, text string, from int) (at, string) {
	here := func(i int) at { return at{n, utf8.RuneCountInString(text[:i]) + 1} }
	end, escape := endOfQuoted(text, from)
	switch {
	case escape >= 0:
		return here(escape), "a backslash in double quotes begins an escape, and this is none; use single quotes, or write \\\\"
	case end < 0:
		return here(from), fmt.Sprintf("the quote %c opens here and is not closed on its line", text[from])
	}
	if rest := strings.TrimLeft(text[end:], " "); rest != "" && !strings.HasPrefix(rest, "#") {
		return here(end), "text follows the closing quote; put the whole value in quotes (within single quotes, a single one is written twice)"
	}
	return s.misplaced(n)
}

// endOfQuoted is where a quoted text ends on its line, -1 when it does not, and
// the place of an escape that YAML does not know, -1 for none.
func endOfQuoted(text string, from int) (end, escape int) {
	q := text[from]
	for i := from + 1; i < len(text); i++ {
		switch {
		case q == '"' && text[i] == '\\':
			if i+1 < len(text) && !strings.ContainsRune("0abt\tnvfre \"/\\N_LPxuU", rune(text[i+1])) {
				return -1, i
			}
			i++
		case text[i] != q:
		case q == '\'' && i+1 < len(text) && text[i+1] == q:
			i++
		default:
			return i + 1, -1
		}
	}
	return -1, -1
}
