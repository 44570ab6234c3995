package yamlfile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A flow walks through a value in brackets, over lines where it goes on, until it
// meets what makes it invalid.
type flow struct {
	source
	line  int // the number of the line, and its text
	text  string
	i     int    // the place in text
	open  []pair // the brackets that are open
	after bool   // a value has ended: a comma or a closing bracket must follow
	colon bool   // of the entry, a key's colon was met
	plain string // the entry's plain text so far
}

// pair is an open bracket.
type pair struct {
	at
	bracket byte
}

var closes = map[byte]byte{'[': ']', '{': '}'}

// flow judges the value in brackets that begins on a line, "" when all brackets
// close and nothing is wrong between.
func (s source) flow(n, from int) (at, string) {
	f := &flow{source: s, line: n, text: s.line(n), i: from}
	first := f.here()
	for {
		if f.i >= len(f.text) {
			if f.line >= len(s) || (f.line >= n && f.block()) {
				return f.unclosed(first)
			}
			f.line++
			f.text, f.i = s.line(f.line), 0
			f.text += " " // a line's end separates words
			continue
		}
		where, what := f.step()
		if what != "" {
			return where, what
		}
		if len(f.open) == 0 {
			break
		}
	}
	rest := strings.TrimSpace(f.text[f.i:])
	if strings.HasPrefix(rest, "}") || strings.HasPrefix(rest, "]") {
		f.i += strings.IndexByte(f.text[f.i:], rest[0])
		return f.here(), fmt.Sprintf("the bracket %c closes nothing; it is one too many", rest[0])
	}
	if rest != "" && rest[0] != '#' {
		return f.here(), "text follows the closing bracket; a comma or a quote may be missing before it"
	}
	return s.misplaced(n)
}

func (f *flow) here() at {
	return at{f.line, utf8.RuneCountInString(f.text[:min(f.i, len(f.text))]) + 1}
}

// block reports whether the next line looks like one of a list or mapping without
// brackets: a bracket was meant to be closed before it.
func (f *flow) block() bool {
	next := f.source.line(f.line + 1)
	levels := levelsOf(next, 0)
	if len(levels) == 0 {
		return false
	}
	if levels[0].item {
		return true
	}
	return levels[0].column == 0 || !strings.HasSuffix(strings.TrimSpace(f.text), ",") && !strings.HasSuffix(strings.TrimSpace(f.text), "{")
}

func (f *flow) unclosed(first at) (at, string) {
	if len(f.open) == 0 {
		return first, ""
	}
	last := f.open[len(f.open)-1]
	return last.at, fmt.Sprintf("the bracket %c opens here and is not closed; a %c is missing", last.bracket, closes[last.bracket])
}

// step takes one character or one quoted text.
func (f *flow) step() (at, string) {
	where, c := f.here(), f.text[f.i]
	if f.after && !strings.ContainsRune(" ,]}:#", rune(c)) {
		return where, "a comma is missing before this"
	}
	switch c {
	case '"', '\'':
		if strings.TrimSpace(f.plain) != "" {
			break // a quote within plain text is one of its characters
		}
		end, escape := endOfQuoted(f.text, f.i)
		if escape >= 0 || end < 0 {
			return f.quoted(f.line, f.text, f.i)
		}
		f.i, f.after = end, true
		return at{}, ""
	case '[', '{':
		if strings.TrimSpace(f.plain) == "" {
			f.open = append(f.open, pair{where, c})
			f.next()
			return at{}, ""
		}
	case ']', '}':
		last := f.open[len(f.open)-1]
		if closes[last.bracket] != c {
			return last.at, fmt.Sprintf("the bracket %c opens here and %c closes it on line %d; a %c is missing", last.bracket, c, f.line, closes[last.bracket])
		}
		f.open = f.open[:len(f.open)-1]
		f.next()
		f.after = true
		return at{}, ""
	case ',':
		if !f.after && !f.colon && strings.TrimSpace(f.plain) == "" {
			return where, "nothing stands before this comma; it is one too many"
		}
		f.next()
		return at{}, ""
	case '@', '`', '%', '*', '&', '!', '|', '>':
		if strings.TrimSpace(f.plain) == "" {
			return where, fmt.Sprintf("a value that begins with %c needs quotes", c)
		}
	case '#':
		if f.i == 0 || f.text[f.i-1] == ' ' {
			return f.comment(where)
		}
	case ':':
		if f.i+1 >= len(f.text) || strings.ContainsRune(" ,]}", rune(f.text[f.i+1])) {
			return f.keyed(where)
		}
	}
	f.plain += string(c)
	f.i++
	return at{}, ""
}

// next begins another entry.
func (f *flow) next() {
	f.i++
	f.after, f.colon, f.plain = false, false, ""
}

// comment passes over a comment, unless it hides what was meant as a value.
func (f *flow) comment(where at) (at, string) {
	before := strings.TrimRight(f.text[:f.i], " ")
	if strings.HasSuffix(before, ":") || strings.ContainsAny(f.text[f.i:], "]}") {
		return where, "# begins a comment here, so that the bracket is not closed; put the value in quotes"
	}
	f.i = len(f.text)
	return at{}, ""
}

// keyed takes the colon after a key; an entry has one.
func (f *flow) keyed(where at) (at, string) {
	if f.colon {
		value := strings.TrimSpace(f.plain)
		if blank := strings.LastIndexByte(value, ' '); blank >= 0 {
			key := value[blank+1:]
			return at{where.line, max(1, where.column-utf8.RuneCountInString(key))}, "a comma is missing before " + shorten(key)
		}
		return where, "a colon and a blank stand in a value without quotes; put the value in quotes, or a comma is missing before it"
	}
	f.i++
	f.after, f.colon, f.plain = false, true, ""
	return at{}, ""
}
