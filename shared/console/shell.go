package console

import (
	"fmt"
	"strings"
	"unicode"
)

// flag is a flag of a command with its value, as a shell takes it.
func flag(name, value string) string {
	if strings.HasPrefix(value, "-") { // else it is another flag
		return " --" + name + "=" + quoted(value)
	}
	return " --" + name + " " + quoted(value)
}

// quoted is a word as a shell takes it. Control characters are written as such: a terminal
// into which they are pasted acts on them.
func quoted(s string) string {
	plain := s != "" && !strings.ContainsRune("#~", rune(s[0])) && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("_-.:/@%+,#~", r)
	})
	switch {
	case plain:
		return s
	case !strings.ContainsFunc(s, unicode.IsControl):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case unicode.IsControl(r):
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteRune(r)
		}
	}
	return "$'" + b.String() + "'"
}
