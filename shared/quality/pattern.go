package quality

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostRepeats is how often a part of a pattern may be repeated by number: POSIX's
// RE_DUP_MAX, which Redshift keeps.
const mostRepeats = 255

// Portable is a regular expression in the words that mean the same to RE2 (Go, DuckDB,
// BigQuery), Snowflake and POSIX (Redshift): groups, classes in brackets, . * + ? {n,m}
// | ^ $. What can be said in them is put so: \d becomes [0-9], (?:a) becomes (a). An
// error says what cannot, and what to write instead.
func Portable(pattern string) (string, error) { return portable(pattern, ".") }

// portable writes any character of a line as the warehouse has it.
func portable(pattern, anyChar string) (string, error) {
	if !utf8.ValidString(pattern) || strings.ContainsRune(pattern, 0) {
		return "", errors.New("it holds characters that are no text")
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", unreadable(pattern, err)
	}
	w := &writer{anyChar: anyChar}
	w.write(tree, 0)
	return w.b.String(), w.err
}

// unreadable says what the parser refuses, with the remedy.
func unreadable(pattern string, err error) error {
	for _, known := range []struct{ part, remedy string }{
		{"(?=", "look-ahead is not known everywhere: write the whole pattern out, or two rules"},
		{"(?!", "look-ahead is not known everywhere: write what may stand there in brackets, or a column of the model that says whether the row is good"},
		{"(?<", "look-behind is not known everywhere: write the whole pattern out, with plain groups ( )"},
	} {
		if strings.Contains(pattern, known.part) {
			return errors.New(known.remedy)
		}
	}
	var fault *syntax.Error
	if !errors.As(err, &fault) {
		return err
	}
	if fault.Code == syntax.ErrInvalidEscape {
		if n := fault.Expr; len(n) == 2 && n[1] >= '1' && n[1] <= '9' {
			return errors.New("back-references are not known everywhere: write the part again, or a column of the model that says whether the row is good")
		}
	}
	return fmt.Errorf("%s: %s", fault.Code, fault.Expr)
}

// A writer renders a parsed pattern; prec tells what stands around a part.
type writer struct {
	b       strings.Builder
	anyChar string
	err     error
}

// What stands around a part: nothing, parts that follow each other, a repetition.
const (
	alone = iota
	inSequence
	repeated
)

func (w *writer) refuse(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// empty tells whether a part is of nothing but empty ones: the parser leaves such, as it
// reads a|a as a and one of two empty parts.
func empty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return true
	case syntax.OpConcat, syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, full)
	}
	return false
}

func full(re *syntax.Regexp) bool { return !empty(re) }

func (w *writer) write(re *syntax.Regexp, around int) {
	if empty(re) {
		w.b.WriteString("()")
		w.refuse("an empty part is not known everywhere: write ? behind what may be missing")
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		w.literal(re, around)
	case syntax.OpCharClass:
		w.class(re.Rune)
	case syntax.OpAnyCharNotNL:
		w.b.WriteString(w.anyChar)
	case syntax.OpBeginText:
		w.b.WriteByte('^')
	case syntax.OpEndText:
		w.b.WriteByte('$')
	case syntax.OpCapture:
		w.group(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		w.repeat(re, around)
	case syntax.OpConcat:
		w.grouped(around == repeated, func() {
			for _, sub := range re.Sub {
				if full(sub) {
					w.write(sub, inSequence)
				}
			}
		})
	case syntax.OpAlternate:
		w.alternate(re, around)
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		w.refuse(`\b is not known everywhere: write (^|[^0-9A-Za-z_]) or ([^0-9A-Za-z_]|$)`)
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpAnyChar:
		w.refuse("(?m) and (?s) are not known everywhere: ^ and $ are the ends of the text, and . is any character of a line")
	default:
		w.refuse("it matches nothing")
	}
}

// group writes parentheses; every warehouse knows them, and none is asked what they hold.
func (w *writer) group(re *syntax.Regexp) { w.grouped(true, func() { w.write(re, alone) }) }

func (w *writer) grouped(needed bool, inner func()) {
	if needed {
		w.b.WriteByte('(')
		defer w.b.WriteByte(')')
	}
	inner()
}

// alternate writes what may stand in one place; an empty one among it makes the others
// optional.
func (w *writer) alternate(re *syntax.Regexp, around int) {
	var some []*syntax.Regexp
	for _, sub := range re.Sub {
		if full(sub) {
			some = append(some, sub)
		}
	}
	optional := len(some) < len(re.Sub)
	w.grouped(around != alone || optional, func() {
		for i, sub := range some {
			if i > 0 {
				w.b.WriteByte('|')
			}
			w.write(sub, alone)
		}
	})
	if optional {
		w.b.WriteByte('?')
	}
}

// repeat writes a repetition; whether it is greedy does not change what is found.
func (w *writer) repeat(re *syntax.Regexp, around int) {
	sub := re.Sub[0]
	w.grouped(around == repeated, func() {
		w.write(sub, repeated)
		switch re.Op {
		case syntax.OpStar:
			w.b.WriteByte('*')
		case syntax.OpPlus:
			w.b.WriteByte('+')
		case syntax.OpQuest:
			w.b.WriteByte('?')
		default:
			w.times(re.Min, re.Max)
		}
	})
}

func (w *writer) times(least, most int) {
	if least > mostRepeats || most > mostRepeats {
		w.refuse("a part may be repeated at most %d times by number: write + or *, and max_length for the length", mostRepeats)
	}
	switch {
	case most < 0:
		fmt.Fprintf(&w.b, "{%d,}", least)
	case least == most:
		fmt.Fprintf(&w.b, "{%d}", least)
	default:
		fmt.Fprintf(&w.b, "{%d,%d}", least, most)
	}
}

// literal writes text; (?i) becomes a class per letter.
func (w *writer) literal(re *syntax.Regexp, around int) {
	w.grouped(around == repeated && len(re.Rune) > 1, func() {
		for _, r := range re.Rune {
			lower, upper := unicode.ToLower(r), unicode.ToUpper(r)
			switch {
			case re.Flags&syntax.FoldCase != 0 && lower != upper:
				w.class([]rune{min(lower, upper), min(lower, upper), max(lower, upper), max(lower, upper)})
			default:
				w.char(r)
			}
		}
	})
}

// char writes one character outside of brackets.
func (w *writer) char(r rune) {
	switch {
	case r < ' ' || r == 0x7f:
		w.refuse("control characters are not written in the same way everywhere: match what stands around them")
	case strings.ContainsRune(`\.+*?()|[]{}^$`, r):
		w.b.WriteByte('\\')
	}
	w.b.WriteRune(r)
}
