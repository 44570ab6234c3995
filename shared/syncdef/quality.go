package syncdef

import (
	"bytes"
	"encoding/json"
)

// Quality is the gate of a sync: what makes a row bad, and how large a share of bad
// rows warns or stops a run. Package quality carries it out.
type Quality struct {
	WarnOver  Share         `json:"warn_over,omitempty"`  // of the rules that have none of their own; "" never warns
	BlockOver Share         `json:"block_over,omitempty"` // likewise; "" is 0 for a rule that has no threshold at all, and never blocks one that warns
	MinRows   int64         `json:"min_rows,omitempty"`   // a model with fewer rows stops a run; 0 takes an empty one
	Rules     []QualityRule `json:"rules,omitempty"`
}

// A QualityRule is what the values of one column must be; one of its kinds is set.
// Null passes all of them but NotNull and NotEmpty.
type QualityRule struct {
	Column    string            `json:"column"`               // in any case
	NotNull   bool              `json:"not_null,omitempty"`   //
	NotEmpty  bool              `json:"not_empty,omitempty"`  // neither null nor a text without a character
	Between   []Decimal         `json:"between,omitempty"`    // the least and the greatest number, inclusive
	MaxLength int               `json:"max_length,omitempty"` // in characters
	Matches   string            `json:"matches,omitempty"`    // a regular expression, found anywhere in the text
	In        []json.RawMessage `json:"in,omitempty"`         // the values that pass, JSON scalars: numbers by value, others as text
	WarnOver  Share             `json:"warn_over,omitempty"`  // in place of the gate's
	BlockOver Share             `json:"block_over,omitempty"` // likewise
	CountOnly bool              `json:"count_only,omitempty"` // counted, and never warns or blocks
}

// Share is a part of a whole as a decimal from 0 to 1 with at most ShareDigits
// digits: 0.05. "" is none.
type Share = Decimal

// A Decimal is a number by its digits, and a number in JSON: 0.05. "" is none.
type Decimal string

// MarshalJSON writes the digits; none is null.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return []byte(d), nil
}

// UnmarshalJSON keeps the digits as they are written.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*d = Decimal(n)
	return nil
}

// ShareDigits is how many digits a share has after the point: those of a percentage
// with six.
const ShareDigits = 8

// Active reports whether there is anything to judge; nil has nothing.
func (q *Quality) Active() bool { return q != nil && (len(q.Rules) > 0 || q.MinRows > 0) }

// UnmarshalJSON reads a stored gate. Versions that were applied by a release that only
// kept the section, in whatever form, have none.
func (q *Quality) UnmarshalJSON(b []byte) error {
	type plain Quality
	var read plain
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&read) != nil {
		*q = Quality{}
		return nil
	}
	*q = Quality(read)
	return nil
}

// A QualityKind is the key that says what a rule is.
type QualityKind string

// The kinds of rules.
const (
	QualityNotNull   QualityKind = "not_null"
	QualityNotEmpty  QualityKind = "not_empty"
	QualityBetween   QualityKind = "between"
	QualityMaxLength QualityKind = "max_length"
	QualityMatches   QualityKind = "matches"
	QualityIn        QualityKind = "in"
)

// QualityKinds are the kinds of rules in the order in which they are told.
var QualityKinds = []QualityKind{QualityNotNull, QualityNotEmpty, QualityBetween, QualityMaxLength, QualityMatches, QualityIn}

// Kinds are those that are set; a rule has one.
func (r *QualityRule) Kinds() []QualityKind {
	set := map[QualityKind]bool{
		QualityNotNull: r.NotNull, QualityNotEmpty: r.NotEmpty, QualityBetween: r.Between != nil,
		QualityMaxLength: r.MaxLength > 0, QualityMatches: r.Matches != "", QualityIn: r.In != nil,
	}
	var out []QualityKind
	for _, k := range QualityKinds {
		if set[k] {
			out = append(out, k)
		}
	}
	return out
}

// Thresholds are the shares that hold for a rule; "" is none.
func (q *Quality) Thresholds(r *QualityRule) (warn, block Share) {
	if r.CountOnly {
		return "", ""
	}
	if warn = r.WarnOver; warn == "" {
		warn = q.WarnOver
	}
	if block = r.BlockOver; block == "" {
		block = q.BlockOver
	}
	if warn == "" && block == "" {
		block = "0" // a rule that nothing is said of holds for every row
	}
	return warn, block
}
