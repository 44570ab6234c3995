package quality

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// spaces are what \s holds; it is written as POSIX has it, which every warehouse knows.
var spaces = []rune{'\t', '\n', '\f', '\r', ' '}

// mostSingles is how many characters of a class are written one by one.
const mostSingles = 64

// class writes a set of characters in brackets. Ranges stay within the digits or the
// letters of ASCII, whose order no collation changes; what else there is stands alone.
func (w *writer) class(ranges []rune) {
	negated := len(ranges) > 0 && ranges[len(ranges)-1] == unicode.MaxRune
	if negated {
		ranges = complement(ranges)
	}
	space := holds(ranges, spaces)
	if space {
		ranges = without(ranges, append(slices.Clone(spaces), '\v'))
	}
	var plain, singles []rune // a pair per range; one by one
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		for lo <= hi && len(singles) <= mostSingles {
			end := ordered(lo, hi)
			if end-lo > 1 {
				plain = append(plain, lo, end)
			} else {
				singles = append(singles, lo)
				end = lo
			}
			lo = end + 1
		}
	}
	if len(singles) > mostSingles {
		w.refuse("a class of so many characters is not written in the same way everywhere: list the few that are meant, or negate the few that are not")
		return
	}
	w.brackets(negated, space, plain, singles)
}

// ordered is the last character up to hi that stands with lo in one of the ranges
// 0-9, A-Z, a-z; lo itself where it is in none.
func ordered(lo, hi rune) rune {
	for _, r := range [][2]rune{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}} {
		if lo >= r[0] && lo <= r[1] {
			return min(hi, r[1])
		}
	}
	return lo
}

// brackets writes a class. ] stands first, - last and ^ not first, where POSIX takes
// them as they are.
func (w *writer) brackets(negated, space bool, plain, singles []rune) {
	for _, r := range singles {
		if r == '\\' || r < ' ' || r == 0x7f {
			w.refuse(`a backslash or a control character in brackets is not written in the same way everywhere: match it outside of them`)
			return
		}
	}
	if len(singles) == 1 && len(plain) == 0 && !negated && !space {
		w.char(singles[0])
		return
	}
	take := func(r rune) bool {
		i := slices.Index(singles, r)
		if i >= 0 {
			singles = slices.Delete(singles, i, i+1)
		}
		return i >= 0
	}
	var b strings.Builder
	if take(']') {
		b.WriteByte(']')
	}
	dash, caret, open := take('-'), take('^'), take('[')
	for i := 0; i < len(plain); i += 2 {
		fmt.Fprintf(&b, "%c-%c", plain[i], plain[i+1])
	}
	for _, r := range singles {
		b.WriteRune(r)
	}
	if space {
		b.WriteString("[:space:]")
	}
	for _, tail := range []struct {
		there bool
		char  byte
	}{{open, '['}, {caret, '^'}, {dash, '-'}} {
		if tail.there {
			b.WriteByte(tail.char)
		}
	}
	inner := b.String()
	switch {
	case inner == "":
		w.refuse("it holds a class of no or of all characters: write . for any")
	case !negated && inner[0] == '^': // [^-], of these two alone
		inner = "-^"
	}
	w.b.WriteByte('[')
	if negated {
		w.b.WriteByte('^')
	}
	w.b.WriteString(inner + "]")
}

// complement are the characters that are in none of the ranges.
func complement(ranges []rune) []rune {
	var out []rune
	next := rune(0)
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i] > next {
			out = append(out, next, ranges[i]-1)
		}
		next = ranges[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}

// holds reports whether all of some characters are in the ranges.
func holds(ranges, some []rune) bool {
	for _, r := range some {
		if !slices.ContainsFunc(pairs(ranges), func(p [2]rune) bool { return r >= p[0] && r <= p[1] }) {
			return false
		}
	}
	return true
}

// without are the ranges less some characters.
func without(ranges, some []rune) []rune {
	drop := slices.Clone(some)
	slices.Sort(drop)
	var out []rune
	for _, p := range pairs(ranges) {
		lo := p[0]
		for _, r := range drop {
			if r < lo || r > p[1] {
				continue
			}
			if r > lo {
				out = append(out, lo, r-1)
			}
			lo = r + 1
		}
		if lo <= p[1] {
			out = append(out, lo, p[1])
		}
	}
	return out
}

func pairs(ranges []rune) [][2]rune {
	out := make([][2]rune, 0, len(ranges)/2)
	for i := 0; i+1 < len(ranges); i += 2 {
		out = append(out, [2]rune{ranges[i], ranges[i+1]})
	}
	return out
}
