package modelcheck

import (
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// cause is the likely reason for a syntax error, with the place where the person
// erred. offset is where the parser stopped, in bytes, and said what it says there.
func cause(text string, offset int, said string) *Fault {
	if f := Cause(text, offset); f != nil {
		return f
	}
	if all := tokens(text); tokenAt(all, offset) >= len(all) {
		return faultAt(text, len(strings.TrimRight(text, " \t\r\n")), "the statement ends too early: %s", said)
	}
	return faultAt(text, offset, "%s", said)
}

// Cause is the likely reason why one statement's parser stopped at a byte; nil where
// none is known.
func Cause(text string, offset int) *Fault {
	if f := bracesCause(text, offset); f != nil {
		return f
	}
	all := tokens(text)
	i := tokenAt(all, offset)
	for _, look := range []func(text string, all []tok, i int) *Fault{quoteCause, keywordCause, bracketCause, commaCause} {
		if f := look(text, all, i); f != nil {
			return f
		}
	}
	return nil
}

// bracesCause finds what a template engine has not filled in yet, dbt's ref say.
func bracesCause(text string, offset int) *Fault {
	for _, braces := range []string{"{{", "{%"} {
		if at := strings.Index(text, braces); at >= 0 && at <= offset {
			return faultAt(text, at, "%s is a template that nobody has filled in: take the SELECT that dbt has compiled (target/compiled), or write model: with the table that it builds, and leave this file out", braces)
		}
	}
	return nil
}

// tokenAt is the first token that does not end before a byte.
func tokenAt(all []tok, offset int) int {
	i := 0
	for i < len(all) && all[i].end() <= offset {
		i++
	}
	return i
}

// quoteCause finds a quote that is not closed, or that another one closed by
// mistake: text goes on right behind it.
func quoteCause(text string, all []tok, i int) *Fault {
	var open *tok
	for k := range all[:min(len(all), i+1)] {
		t := &all[k]
		if t.kind != '\'' && t.kind != '"' {
			continue
		}
		after := k+1 < len(all) && all[k+1].begin == t.end() && (all[k+1].starts())
		if open == nil && (after || strings.Contains(t.text, "\n")) {
			open = t // the first that looks wrong; it is one only if another is left open
		}
		if t.open || (after && k+1 >= i) {
			if open == nil {
				open = t
			}
			return faultAt(text, open.begin, "the quote %c opens here and is not closed", open.kind)
		}
	}
	if c := strings.Index(text, "/*"); c >= 0 && i >= len(all) && !strings.Contains(text[c:], "*/") {
		return faultAt(text, c, "the comment /* opens here and is not closed")
	}
	return nil
}

// mistyped are the keywords that are looked for where a statement is wrong.
var mistyped = []string{"SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "DISTINCT", "JOIN", "UNION", "BETWEEN", "QUALIFY", "WITH"}

// keywordCause finds a mistyped keyword before or at the place.
func keywordCause(text string, all []tok, i int) *Fault {
	for k := i; k >= max(0, i-2); k-- {
		if k >= len(all) || all[k].kind != 'w' || all[k].keyword() || len(all[k].text) < 4 {
			continue
		}
		if k+1 < len(all) && (all[k+1].kind == '.' || all[k+1].kind == ',') {
			continue // a name
		}
		word := strings.ToUpper(all[k].text)
		for _, right := range mistyped {
			if len(word) <= len(right)+1 && len(right) <= len(word)+1 && syncdef.Nearest(word, []string{right}) != "" {
				return faultAt(text, all[k].begin, "%s is no keyword; did you mean %s?", all[k].text, right)
			}
		}
	}
	return nil
}

// bracketCause finds a bracket that is not closed before a clause or the end, or
// one that closes nothing.
func bracketCause(text string, all []tok, i int) *Fault {
	var open []tok
	for k, t := range all {
		switch {
		case t.kind == '(':
			open = append(open, t)
		case t.kind == ')' && len(open) > 0:
			open = open[:len(open)-1]
		case t.kind == ')':
			return faultAt(text, t.begin, "the bracket ) closes nothing; it is one too many, or a ( is missing before it")
		}
		clause := k == i && t.kind == 'w' && clauses[strings.ToUpper(t.text)]
		if clause && len(open) > 0 {
			return faultAt(text, open[len(open)-1].begin, "the bracket ( opens here and is not closed before %s", t.text)
		}
	}
	if len(open) > 0 {
		return faultAt(text, open[len(open)-1].begin, "the bracket ( opens here and is not closed")
	}
	return nil
}

// commaCause finds two operands side by side, or a comma before a clause.
func commaCause(text string, all []tok, i int) *Fault {
	if i >= len(all) || i == 0 {
		return nil
	}
	at := all[i]
	if before := all[i-1]; before.kind == ',' && (at.keyword() || at.kind == ')' || at.kind == ',') {
		return faultAt(text, before.begin, "the comma before %s is one too many", at.text)
	}
	// Of `a b c`, the second is read as the first one's name: the comma is missing
	// where the first line ends, or else before the last.
	var found *tok
	for k := i; k > max(0, i-3); k-- {
		left, right := all[k-1], all[k]
		if !left.ends() || !(right.starts() || begins[strings.ToUpper(right.text)]) {
			if k < i {
				break
			}
			continue
		}
		if found == nil || left.line != right.line {
			found = &all[k-1]
		}
	}
	if found == nil {
		return nil
	}
	return faultAt(text, found.end(), "a comma is missing after %s", found.text)
}

// aliasesOf are the names that stand after a column without AS: valid SQL, and, on
// another line, mostly a forgotten comma.
func aliasesOf(text string) (out []Alias) {
	all := tokens(text)
	for k := 1; k+1 < len(all); k++ {
		left, as, next := all[k-1], all[k], all[k+1]
		if !left.name() || !as.name() {
			continue
		}
		if next.kind != ',' && !(next.kind == 'w' && strings.EqualFold(next.text, "FROM")) {
			continue
		}
		if k >= 2 && all[k-2].kind == 'w' && strings.EqualFold(all[k-2].text, "AS") {
			continue
		}
		out = append(out, Alias{left.plain(), as.plain(), left.line != as.line, placeOf(text, left.end())})
	}
	return out
}

// among tells which columns there are, and first the one that was meant. candidates
// are DuckDB's, by comma.
func among(name, candidates string) string {
	if candidates == "" {
		return ""
	}
	list := strings.Split(candidates, ",")
	for i := range list {
		list[i] = strings.Trim(strings.TrimSpace(list[i]), `"`)
	}
	if near := syncdef.Nearest(name, list); near != "" {
		return "; did you mean " + near + "?"
	}
	return "; the nearest are: " + strings.Join(list, ", ")
}
