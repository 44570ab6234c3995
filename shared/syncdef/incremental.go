package syncdef

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Incremental says which rows a run selects that is not full: those at or above the
// watermark of a column, those of a stream of changes, or those that differ from what
// the warehouse remembers as pushed.
type Incremental struct {
	Cursor        string   `json:"cursor,omitempty"`         // column that grows with every change of a row
	Created       string   `json:"created,omitempty"`        // column that is set when a row is made: selected at or above the watermark, whatever the cursor
	Overlap       string   `json:"overlap,omitempty"`        // what is taken off the watermark: a duration, or a whole number for cursors that are numbers
	IncludeFailed string   `json:"include_failed,omitempty"` // how long a failed row is selected again: a duration; default 24h
	Always        string   `json:"always,omitempty"`         // CONDITION every DURATION: rows that are sent again once a period
	OrderBy       []string `json:"order_by,omitempty"`       // terms of ORDER BY
	Stream        string   `json:"stream,omitempty"`         // relation of changes that mode cdc consumes
	ChangedOnly   bool     `json:"changed_only,omitempty"`   // select what differs from penstock_pushed
}

// AlwaysPattern is what incremental.always may be, and OverlapPattern what overlap.
const (
	AlwaysPattern  = `(?i:[\s\S]*\S\s+every\s+[0-9.]+(ms|[smhd])([0-9.]+(ms|[smhd]))*)`
	OverlapPattern = `[0-9]{1,15}|([0-9]+(\.[0-9]+)?(h|m|s|ms))+`
)

// The bounds of incremental.always' period and of overlap.
const (
	MinAlways  = time.Minute
	MaxAlways  = 366 * 24 * time.Hour
	MaxOverlap = 30 * 24 * time.Hour
)

// SourcePrefix begins the name of the view that a sync is read from where its
// definition adds SQL to the model, before the sync's name.
const SourcePrefix = "penstock_source_"

// ReservedPrefix begins the names of columns that Penstock adds to a model's rows.
const ReservedPrefix = "penstock_"

// AlwaysColumn is the column of the source view that is true in rows that
// incremental.always sends again.
const AlwaysColumn = ReservedPrefix + "always"

// RowAlias is what penstock_run calls a row of the model in SQL, where a column of that
// name would come in the row's place.
const RowAlias = ReservedPrefix + "row"

// ownColumns are the columns that a source view has beside the model's, and the row.
var ownColumns = []string{AlwaysColumn, ReservedPrefix + "priority", ReservedPrefix + "hash", ReservedPrefix + "definition", RowAlias}

// ReservedAmong says which of a model's columns have names that are Penstock's own, and
// what to do; "" where none has.
func ReservedAmong(columns []string) string {
	var found []string
	for _, c := range columns {
		if slices.Contains(ownColumns, strings.ToLower(c)) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "the model has a column " + strings.Join(found, " and ") + ", a name that Penstock gives a column of its own beside the model's: give it another one with AS"
}

var always = regexp.MustCompile(`(?is)^(.*\S)\s+every\s+(\S+)\s*$`)

// SplitAlways takes incremental.always apart; false where it is not CONDITION every
// DURATION, or the duration is out of bounds. Besides Go's units a day may be written d.
func SplitAlways(text string) (condition string, every time.Duration, ok bool) {
	m := always.FindStringSubmatch(text)
	if m == nil {
		return "", 0, false
	}
	written := strings.ToLower(m[2])
	if days, cut := strings.CutSuffix(written, "d"); cut {
		n, err := strconv.Atoi(days)
		if err != nil || n > 366 {
			return "", 0, false
		}
		written = strconv.Itoa(24*n) + "h"
	}
	every, err := time.ParseDuration(written)
	if err != nil || every < MinAlways || every > MaxAlways {
		return "", 0, false
	}
	return strings.TrimSpace(m[1]), every, true
}

// AlwaysEvery is the period of incremental.always; 0 where there is none.
func (d *Definition) AlwaysEvery() time.Duration {
	if d.Incremental == nil {
		return 0
	}
	_, every, _ := SplitAlways(d.Incremental.Always)
	return every
}

// Cursor is the column of the watermark; "" where the definition names none.
func (d *Definition) Cursor() string {
	if d.Incremental == nil {
		return ""
	}
	return d.Incremental.Cursor
}

// ChangedOnly reports whether only rows are pushed that differ from what the warehouse
// remembers as pushed.
func (d *Definition) ChangedOnly() bool { return d.Incremental != nil && d.Incremental.ChangedOnly }

// SourceView is the view that the sync's rows are read from in the place of its model;
// "" where that is read itself.
func (d *Definition) SourceView() string {
	i := d.Incremental
	if i == nil || i.Always == "" && len(i.OrderBy) == 0 && !i.ChangedOnly {
		return ""
	}
	return SourcePrefix + d.Sync
}

// SourceHash is what a source view must say that it was made of: 8 hex digits over all
// of the definition that is in it; "" where there is none.
func (d *Definition) SourceHash() string {
	if d.SourceView() == "" {
		return ""
	}
	b, err := json.Marshal([]any{d.Relation(), d.Incremental.Always, d.Incremental.OrderBy, d.Incremental.ChangedOnly, d.SourceColumns()})
	if err != nil {
		panic("syncdef: " + err.Error()) // texts only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}

// SourceColumns are the model's own columns that the definition reads, sorted, each
// once: of a path into a column the column.
func (d *Definition) SourceColumns() []string {
	var out []string
	for _, n := range needs(*d) {
		name := n.column
		if p := SourcePath(name); n.nested && len(p) > 1 {
			name = p[0].Name
		}
		if !slices.ContainsFunc(out, func(c string) bool { return strings.EqualFold(c, name) }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// OverlapOf is the overlap as a duration, and as a number; ok is false for neither, and
// where there is none.
func (d *Definition) OverlapOf() (length time.Duration, number int64, ok bool) {
	if d.Incremental == nil || d.Incremental.Overlap == "" {
		return 0, 0, false
	}
	if n, err := strconv.ParseInt(d.Incremental.Overlap, 10, 64); err == nil {
		return 0, n, true
	}
	length, err := time.ParseDuration(d.Incremental.Overlap)
	return length, 0, err == nil
}
