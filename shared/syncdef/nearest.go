package syncdef

import "strings"

// Nearest returns the candidate that a mistyped name most likely meant, "" when
// none is close: at most a third of its letters may be wrong, missing or swapped.
func Nearest(name string, candidates []string) string {
	const longest = 100 // no key or column is longer; keeps the cost of hostile input small
	if name == "" || len(name) > longest {
		return ""
	}
	best, at := "", len(name)/3+1
	for _, c := range candidates {
		if len(c) > longest {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < at || (d == at && best == "") {
			best, at = c, d
		}
	}
	return best
}

// distance counts the edits between two words: insert, delete, replace, and swap
// of neighbours.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, next := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		next[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			next[j+1] = min(next[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(y)]
}
