package duckdb

import "strings"

// splitLast cuts the last of several statements off the ones before it. Empty
// statements and comments at the end do not count.
func splitLast(text string) (before, last string) {
	begin, lastBegin, lastEnd := 0, 0, 0
	empty := true // so far, this statement
	for i := 0; i < len(text); {
		n, isCode := token(text[i:], i > 0 && isName(text[i-1]))
		switch {
		case text[i] == ';':
			if !empty {
				lastBegin, lastEnd = begin, i
			}
			begin, empty = i+n, true
		case isCode:
			empty = false
		}
		i += n
	}
	if !empty {
		lastBegin, lastEnd = begin, len(text)
	}
	return text[:lastBegin], text[lastBegin:lastEnd]
}

// token is the length of what text begins with, a quoted text or a comment in one
// piece, and whether it is code. In a name, a $ quotes nothing.
func token(text string, inName bool) (n int, isCode bool) {
	switch c := text[0]; {
	case strings.HasPrefix(text, "--"):
		return until(text, 2, "\n"), false
	case strings.HasPrefix(text, "/*"):
		return comment(text), false
	case c == '\'' || c == '"':
		return until(text, 1, string(c)), true // a doubled quote is two texts side by side
	case (c == 'e' || c == 'E') && !inName && strings.HasPrefix(text[1:], "'"):
		return escaped(text), true
	case c == '$' && !inName:
		tag := 1
		for tag < len(text) && isName(text[tag]) && text[tag] != '$' {
			tag++
		}
		if tag < len(text) && text[tag] == '$' && (tag == 1 || text[1] < '0' || text[1] > '9') {
			return until(text, tag+1, text[:tag+1]), true
		}
		return 1, true
	default:
		return 1, !strings.ContainsRune(" \t\r\n\f\v", rune(c))
	}
}

// until is the length up to and with end, looked for from a place on.
func until(text string, from int, end string) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

// comment is the length of a comment, which may hold others.
func comment(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			if depth--; depth == 0 {
				return i + 2
			}
			i++
		}
	}
	return len(text)
}

// escaped is the length of E'…', where a backslash takes the next byte along.
func escaped(text string) int {
	for i := 2; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(text)
}

// isName reports whether c may stand in a name.
func isName(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
