package records

import (
	"bytes"
	"unicode/utf8"
)

// In a pattern the wildcards are bytes that UTF-8 never uses, so that an escaped
// wildcard stays a plain character.
const (
	AnyRun  = 0xFF // any characters, or none
	AnyChar = 0xFE // one character
)

// canonPattern brings the plain parts of a pattern into canonical form.
func (c Compare) canonPattern(pattern []byte) []byte {
	out := make([]byte, 0, len(pattern))
	for len(pattern) > 0 {
		n := bytes.IndexFunc(pattern, func(r rune) bool { return r == utf8.RuneError })
		if n < 0 {
			n = len(pattern)
		}
		if c == Folded {
			out = AppendFold(out, pattern[:n])
		} else {
			out = append(out, pattern[:n]...)
		}
		if pattern = pattern[n:]; len(pattern) > 0 {
			out, pattern = append(out, pattern[0]), pattern[1:]
		}
	}
	return out
}

// like answers the rows whose text matches a pattern in canonical form: by index
// when the pattern has a literal long enough, else by looking at every row.
func (t *Table) like(column int, pattern []byte) []int {
	test := func(r int) bool {
		b := t.Get(r, column)
		return b != nil && likeMatch(pattern, t.canon(column, b))
	}
	literal := longestLiteral(pattern)
	if len(literal) < minLiteral {
		return t.Scan(test)
	}
	t.IndexText(column)
	var rows []int
	indexed, changed := t.columns[column].grams.candidates(literal)
	for _, part := range [][]uint32{indexed, changed} {
		for _, r := range part {
			if !t.deleted[r] && test(int(r)) {
				rows = append(rows, int(r))
			}
		}
	}
	return sorted(rows)
}

// IndexText makes the index of a column's texts, unless it is there. Queries do so when
// they need it; whoever has imported many records spares the first query the wait.
func (t *Table) IndexText(column int) {
	if c := &t.columns[column]; c.grams == nil {
		c.grams = buildGrams(t, column)
	}
}

// longestLiteral is the longest run of a pattern without wildcards.
func longestLiteral(pattern []byte) []byte {
	var best []byte
	for _, part := range bytes.FieldsFunc(pattern, func(r rune) bool { return r == utf8.RuneError }) {
		if len(part) > len(best) {
			best = part
		}
	}
	return best
}

// likeMatch matches a whole text against a pattern.
func likeMatch(pattern, text []byte) bool {
	p, x := 0, 0
	star, from := -1, 0
	for x < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == AnyRun:
			star, from = p, x
			p++
			if lit := pattern[p:]; len(lit) > 1 && lit[0] != AnyRun && lit[0] != AnyChar {
				if skip := bytes.IndexByte(text[x:], lit[0]); skip > 0 { // jump to the next possible start
					x += skip
					from = x
				}
			}
		case p < len(pattern) && pattern[p] == AnyChar:
			_, n := utf8.DecodeRune(text[x:])
			p, x = p+1, x+n
		case p < len(pattern) && pattern[p] == text[x]:
			p, x = p+1, x+1
		case star >= 0:
			_, n := utf8.DecodeRune(text[from:])
			from += n
			p, x = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == AnyRun {
		p++
	}
	return p == len(pattern)
}
