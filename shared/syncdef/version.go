package syncdef

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NewVersion names a definition and its destination type's rules by their
// content: the same content has the same id, however its YAML is laid out and
// whenever it is applied.
func NewVersion(d Definition, rules Rules, now time.Time) Version {
	sum := sha256.Sum256(Canonical(d, rules))
	return Version{
		ID:         "v" + hex.EncodeToString(sum[:6]),
		Definition: d,
		Rules:      rules,
		AppliedAt:  now.UTC(),
	}
}

// Relation is the table or view that the sync's rows are read from.
func (d *Definition) Relation() string { return cmp.Or(d.Model, d.Sync) }

// MappingOf is the mapping to a field of the destination; the zero one where there is none.
// Case does not count, as no two mappings differ in it alone.
func (d *Definition) MappingOf(field string) Field {
	i := slices.IndexFunc(d.Fields, func(f Field) bool { return strings.EqualFold(f.Destination, field) })
	if i < 0 {
		return Field{}
	}
	return d.Fields[i]
}

// KeepsRecords reports whether the ledger keeps which keys were written for a record id,
// so that a deleting row without a match value finds its record.
func (d *Definition) KeepsRecords() bool {
	return d.OnDelete != "" && d.Operation != Delete && d.Strategy != MatchNone && !d.matchesRecordID()
}

// matchesRecordID reports whether the record id is the match value.
func (d *Definition) matchesRecordID() bool {
	return len(d.RecordID) == 1 && strings.EqualFold(d.RecordID[0], d.Match.Source)
}

// A RecordLookup says how a record id leads to an entry of the ledger.
type RecordLookup string

// How it does.
const (
	RecordIsKey   RecordLookup = "key"   // it is the key as it stands
	RecordIsMatch RecordLookup = "match" // it is the match value
	RecordIsKept  RecordLookup = "kept"  // the ledger keeps its keys: KeepsRecords
	NoRecord      RecordLookup = ""      // nothing leads from it to an entry
)

// RecordLookup is how a record id of the sync leads to an entry of the ledger.
func (d *Definition) RecordLookup() RecordLookup {
	switch {
	case d.Strategy == MatchNone:
		return RecordIsKey
	case d.matchesRecordID():
		return RecordIsMatch
	case d.KeepsRecords():
		return RecordIsKept
	}
	return NoRecord
}

// Canonical is the JSON that a version's id is computed from: one object with
// definition and rules, every object's keys sorted, no blanks. Keys are sorted
// because Go's field order is not part of the content. The effort, which only
// estimates know, is left out.
func Canonical(d Definition, rules Rules) []byte {
	rules.Effort = nil
	b, err := json.Marshal(map[string]any{
		"definition": tree(d),
		"rules":      tree(rules),
	})
	if err != nil {
		panic(fmt.Sprintf("syncdef: canonical JSON of %s: %v", d.Sync, err)) // tree gave only JSON values
	}
	return b
}

// tree turns a definition, rules or a connection into JSON's own shapes, numbers as
// they are written.
func tree(v any) map[string]any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("syncdef: %T holds a value that JSON cannot: %v", v, err)) // the reader admits none
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		panic(fmt.Sprintf("syncdef: read back %T: %v", v, err))
	}
	return out
}
