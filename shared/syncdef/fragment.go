package syncdef

import (
	"errors"
	"strings"
)

// CheckFragment says why a text cannot be one expression of SQL within a statement that
// Penstock writes: it would end the statement, hide a part of it, or reach out of its
// brackets. It reads the text as all dialects do that there are, so that what one takes
// for the end of a text and another does not is refused; whether the expression is
// right is for the warehouse to say.
func CheckFragment(text string) error {
	depth := 0
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch c := text[i]; {
		case c == 0:
			return errors.New("it holds a NUL")
		case c == '\'' || c == '"' || c == '`':
			end, err := quoted(rest)
			if err != nil {
				return err
			}
			i += end
		case strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*") || strings.HasPrefix(rest, "//") || c == '#':
			return errors.New("it holds a comment, which would hide what comes behind it: leave it out")
		case c == ';':
			return errors.New("a semicolon ends the statement: write one expression")
		case strings.HasPrefix(rest, "$$"):
			return errors.New("it quotes with $$, which not every warehouse does: use '...'")
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth--; depth < 0 {
				return errors.New("a bracket closes that none opened: write one whole expression")
			}
		case c == ',' && depth == 0:
			return errors.New("a comma stands outside brackets: write one expression")
		}
	}
	if depth > 0 {
		return errors.New("a bracket is not closed: write one whole expression")
	}
	return nil
}

// quoted is where a quoted text or name ends.
func quoted(text string) (int, error) {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			return 0, errors.New("a backslash stands in quotes, which warehouses read in two ways: write it with chr(92), or leave it out")
		case text[i] == text[0] && i+1 < len(text) && text[i+1] == text[0]:
			i++
		case text[i] == text[0]:
			return i, nil
		}
	}
	return 0, errors.New("a quote is not closed")
}
