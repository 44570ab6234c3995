package yamlfile

import (
	"fmt"
	"slices"
	"strings"
)

// A level is a list or a mapping that lines are in: the column, from 0, at which
// its items or keys stand, and the line of the latest.
type level struct {
	column int
	item   bool // of a list
	line   int
	open   bool // the latest key has no value on its line, so that deeper lines may follow
}

// levels are those that are open before a line, outermost first.
func (s source) levels(n int) []level {
	var out []level
	for i := 1; i < n; i++ {
		for _, l := range levelsOf(s.line(i), i) {
			out = within(out, l.column)
			if last := len(out) - 1; last >= 0 && out[last].column == l.column && out[last].item == l.item {
				out[last] = l
				continue
			}
			out = append(out, l)
		}
	}
	return out
}

// within leaves off the levels that are deeper than a column.
func within(levels []level, column int) []level {
	for len(levels) > 0 && levels[len(levels)-1].column > column {
		levels = levels[:len(levels)-1]
	}
	return levels
}

// levelsOf are what one line opens or continues: an item for each - and a key.
func levelsOf(text string, n int) (out []level) {
	body := strings.TrimLeft(text, " ")
	if body == "" || body[0] == '#' || strings.HasPrefix(text, "---") {
		return nil
	}
	for body == "-" || strings.HasPrefix(body, "- ") {
		out = append(out, level{column: len(text) - len(body), item: true, line: n, open: body == "-"})
		body = strings.TrimLeft(body[1:], " ")
	}
	if _, colon := keyOf(body); colon >= 0 {
		value := strings.TrimSpace(body[colon+1:])
		out = append(out, level{column: len(text) - len(body), line: n, open: value == "" || value[0] == '#'})
	}
	return out
}

// isItem reports whether a list's items stand at that column above the line.
func (s source) isItem(n, column int) bool {
	for _, l := range s.levels(n) {
		if l.item && l.column == column {
			return true
		}
	}
	return false
}

// misplaced judges the indentation of a line, "" when it fits.
func (s source) misplaced(n int) (at, string) {
	now := levelsOf(s.line(n), n)
	above := s.levels(n)
	if len(now) == 0 || len(above) == 0 {
		return at{}, ""
	}
	first, where := now[0], at{n, now[0].column + 1}
	last := above[len(above)-1]
	same := within(above, first.column)
	fits := len(same) > 0 && same[len(same)-1].column == first.column
	what := "key"
	if first.item {
		what = "item"
	}
	deeper := slices.IndexFunc(above, func(l level) bool { return l.item && l.column > first.column })
	switch {
	case first.item && fits && !same[len(same)-1].item && deeper >= 0:
		return where, fmt.Sprintf("this item is indented by %s and the list's items above by %s; indent it like line %d",
			blanks(first.column), blanks(above[deeper].column), above[deeper].line)
	case first.column > last.column && !last.open:
		return where, fmt.Sprintf("this %s is indented by %s, deeper than line %d above it, which has a value already; indent it by %s",
			what, blanks(first.column), last.line, blanks(likely(above, first.item, first.column)))
	case fits && same[len(same)-1].item && !first.item:
		return where, fmt.Sprintf("this key stands where the list's items begin; put - before it for a new item, or indent it by %s", blanks(last.column))
	case !fits && first.column <= last.column:
		return where, fmt.Sprintf("this %s is indented by %s, as nothing above it is; indent it by %s like line %d", what, blanks(first.column),
			blanks(likely(above, first.item, first.column)), lineAt(above, likely(above, first.item, first.column)))
	case fits && first.item && !same[len(same)-1].item && !same[len(same)-1].open:
		for _, l := range above {
			if l.item {
				return where, fmt.Sprintf("this item stands among the keys of line %d; indent it by %s like line %d", same[len(same)-1].line, blanks(l.column), l.line)
			}
		}
		return where, fmt.Sprintf("a list's item stands among the keys of line %d; indent it below the key that it belongs to", same[len(same)-1].line)
	}
	return at{}, ""
}

// likely is the column of the open level of that sort that is nearest to one.
func likely(levels []level, item bool, column int) int {
	best, found := 0, false
	for _, l := range levels {
		if l.item == item && (!found || far(l.column, column) <= far(best, column)) {
			best, found = l.column, true
		}
	}
	return best
}

func far(a, b int) int { return max(a-b, b-a) }

// lineAt is the line of the level at a column.
func lineAt(levels []level, column int) int {
	for _, l := range levels {
		if l.column == column {
			return l.line
		}
	}
	return 1
}

// blanks counts blanks for a message.
func blanks(n int) string {
	switch n {
	case 0:
		return "no blank"
	case 1:
		return "1 blank"
	}
	return fmt.Sprintf("%d blanks", n)
}
