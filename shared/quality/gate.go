// Package quality carries out a sync's gate: it compiles the rules of a definition's
// quality to SQL for each warehouse and to Go for rows of JSON, and judges what either
// counted, to the same verdict. Pure: it runs no SQL, and keeps nothing.
package quality

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// compiledFormat is part of a gate's ID: another one makes every view be made again.
const compiledFormat = "1"

// A Gate is the compiled quality of a definition. It is immutable and safe for
// concurrent use.
type Gate struct {
	id      string
	minRows int64
	rules   []rule
}

// A rule is one compiled rule.
type rule struct {
	column      string
	kind        syncdef.QualityKind
	least, most float64            // of between
	bounds      [2]syncdef.Decimal // the same as written
	length      int                // of max_length
	pattern     string             // of matches, as written
	found       *regexp.Regexp     // the same, portable
	texts       []string           // of in
	numbers     []float64          // of in, and as they are written
	written     []string
	warn, block threshold
	countOnly   bool
}

// A threshold is the share over which a rule warns or blocks: parts of a whole, both
// whole numbers, so that no warehouse rounds it. The zero value is none.
type threshold struct {
	share       syncdef.Share
	part, whole int64
}

// over reports whether a share of rows is strictly over the threshold.
func (t threshold) over(failed, total int64) bool {
	if t.share == "" {
		return false
	}
	a, b := new(big.Int).SetInt64(failed), new(big.Int).SetInt64(total)
	return a.Mul(a, big.NewInt(t.whole)).Cmp(b.Mul(b, big.NewInt(t.part))) > 0
}

// Compile is the gate of a definition, nil where it has none. The reader of definitions
// has judged each rule; an error is of what cannot be carried out all the same.
func Compile(d *syncdef.Definition) (*Gate, error) {
	q := d.Quality
	if !q.Active() {
		return nil, nil
	}
	content, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	sum := sha256.Sum256([]byte(compiledFormat + "\x00" + d.Relation() + "\x00" + string(content)))
	g := &Gate{id: hex.EncodeToString(sum[:4]), minRows: q.MinRows}
	for i := range q.Rules {
		r, err := compile(q, &q.Rules[i])
		if err != nil {
			return nil, fmt.Errorf("quality.rules[%d]: %w", i, err)
		}
		g.rules = append(g.rules, r)
	}
	return g, nil
}

// ID is 8 hexadecimal digits of what was compiled: the model's name and the rules. A
// view made of anything else has another.
func (g *Gate) ID() string { return g.id }

// Rules is how many rules the gate has.
func (g *Gate) Rules() int { return len(g.rules) }

// Counts reports whether rows can be judged as they come: min_rows alone needs them all.
func (g *Gate) Counts() bool { return g != nil && len(g.rules) > 0 }

func compile(q *syncdef.Quality, from *syncdef.QualityRule) (r rule, err error) {
	kinds := from.Kinds()
	if len(kinds) != 1 {
		return r, fmt.Errorf("it has %d of %v, and needs one", len(kinds), syncdef.QualityKinds)
	}
	r = rule{column: from.Column, kind: kinds[0], countOnly: from.CountOnly, length: from.MaxLength}
	warn, block := q.Thresholds(from)
	if r.warn, err = parts(warn); err != nil {
		return r, err
	}
	if r.block, err = parts(block); err != nil {
		return r, err
	}
	switch r.kind {
	case syncdef.QualityBetween:
		err = r.between(from.Between)
	case syncdef.QualityMatches:
		err = r.matching(from.Matches)
	case syncdef.QualityIn:
		r.among(from.In)
	}
	return r, err
}

// parts takes a share apart: 0.05 is 5 of 100.
func parts(s syncdef.Share) (threshold, error) {
	if s == "" {
		return threshold{}, nil
	}
	whole, digits, _ := strings.Cut(string(s), ".")
	t := threshold{share: s, whole: 1}
	part, err := strconv.ParseUint(whole+digits, 10, 62)
	if err != nil || len(digits) > syncdef.ShareDigits {
		return t, fmt.Errorf("the share %q is no decimal with at most %d digits after the point", s, syncdef.ShareDigits)
	}
	t.part = int64(part)
	for range digits {
		t.whole *= 10
	}
	return t, nil
}

func (r *rule) between(bounds []syncdef.Decimal) error {
	if len(bounds) != 2 {
		return errors.New("between needs a least and a greatest number")
	}
	var err error
	r.bounds = [2]syncdef.Decimal{bounds[0], bounds[1]}
	if r.least, err = strconv.ParseFloat(string(bounds[0]), 64); err != nil {
		return fmt.Errorf("between: %q is no number", bounds[0])
	}
	if r.most, err = strconv.ParseFloat(string(bounds[1]), 64); err != nil {
		return fmt.Errorf("between: %q is no number", bounds[1])
	}
	return nil
}

func (r *rule) among(values []json.RawMessage) {
	for _, v := range values {
		text := rawjson.Scalar(v)
		if n, ok := number(text); ok && v[0] != '"' {
			r.numbers, r.written = append(r.numbers, n), append(r.written, text)
		} else {
			r.texts = append(r.texts, text)
		}
	}
}

func (r *rule) matching(pattern string) error {
	r.pattern = pattern
	text, err := Portable(pattern)
	if err != nil {
		return fmt.Errorf("matches: %w", err)
	}
	if r.found, err = regexp.Compile(text); err != nil {
		return fmt.Errorf("matches: %w", err)
	}
	return nil
}

// numeric is how a number is written, in a column of text too: so short that every
// warehouse reads it.
const numeric = `^-?[0-9]{1,200}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$`

// number reads a number as every warehouse does: as the nearest double; false for a
// text that numeric does not match.
func number(text string) (float64, bool) {
	s := strings.TrimPrefix(text, "-")
	whole := digits(s)
	if whole == 0 || whole > 200 {
		return 0, false
	}
	if s = s[whole:]; strings.HasPrefix(s, ".") {
		n := digits(s[1:])
		if n == 0 {
			return 0, false
		}
		s = s[1+n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '-' || s[0] == '+') {
			s = s[1:]
		}
		n := digits(s)
		if n == 0 || n > 2 {
			return 0, false
		}
		s = s[n:]
	}
	if s != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// digits is how many digits a text begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
