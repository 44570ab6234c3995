package run

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// A Listed is one entry of the list of errors by time: it names errors that were stored
// together, and says enough of each to pick it by kind or record without reading it. It
// holds no row's value: of keys and record ids it has hashes of 32 bits.
//
// An entry is written before the errors that it names, so that no stored error is without
// one. A name whose error is not there, or counts another attempt or time, is passed over:
// a later entry has it.
type Listed struct {
	Key   string    `json:"-"` // where it stands in its list; a later one is greater
	Sync  string    `json:"sync"`
	At    time.Time `json:"at"` // of the newest of its errors
	Parts []Part    `json:"parts"`
}

// A Part is errors of one batch and kind.
type Part struct {
	Run      string    `json:"run"`
	Batch    string    `json:"batch"`
	Stage    string    `json:"stage,omitempty"`
	Type     string    `json:"type,omitempty"`  // its first MaxListedText bytes
	Field    string    `json:"field,omitempty"` // likewise
	Attempts int       `json:"attempts,omitempty"`
	At       time.Time `json:"at"`
	Rows     []int     `json:"rows"`
	Marks    []byte    `json:"marks"` // of each row, two RecordMarks: of its record id and of its key
}

// Bounds of an entry, so that it stays far below 100 KB.
const (
	MaxListedText = 200
	maxListedRows = 2000
	maxParts      = 50
)

// EveryError is the name of the list of the errors of all syncs; a sync's own has its
// name.
const EveryError = "*"

// RecordMark stands for a record id or a key in a list of errors; many texts share one.
func RecordMark(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}

// List makes the entries for errors that are stored together.
func List(errs []RowError) []Listed {
	var out []Listed
	open := map[string]int{} // by sync, the entry that is filled, and its rows
	rows := map[string]int{}
	for i := range errs {
		e := &errs[i]
		at, ok := open[e.Sync]
		if !ok || rows[e.Sync] == maxListedRows {
			at, rows[e.Sync] = len(out), 0
			open[e.Sync] = at
			out = append(out, Listed{Sync: e.Sync})
		}
		if !out[at].add(e) {
			open[e.Sync], rows[e.Sync] = len(out), 0
			out = append(out, Listed{Sync: e.Sync})
			at = open[e.Sync]
			out[at].add(e)
		}
		rows[e.Sync]++
	}
	return out
}

// add puts an error into the entry, unless that would have too many parts.
func (l *Listed) add(e *RowError) bool {
	p := Part{Run: e.Run, Batch: e.Batch, Stage: e.Stage, Type: shortened(e.Type), Field: shortened(e.Field), Attempts: e.Attempts, At: e.At.UTC()}
	n := slices.IndexFunc(l.Parts, func(o Part) bool {
		return o.Run == p.Run && o.Batch == p.Batch && o.Stage == p.Stage && o.Type == p.Type && o.Field == p.Field && o.Attempts == p.Attempts && o.At.Equal(p.At)
	})
	if n < 0 {
		if len(l.Parts) == maxParts {
			return false
		}
		n, l.Parts = len(l.Parts), append(l.Parts, p)
	}
	to := &l.Parts[n]
	to.Rows = append(to.Rows, e.Row)
	to.Marks = binary.BigEndian.AppendUint32(to.Marks, RecordMark(e.RecordID))
	to.Marks = binary.BigEndian.AppendUint32(to.Marks, RecordMark(e.Key))
	if e.At.After(l.At) {
		l.At = e.At.UTC()
	}
	return true
}

// ID tells entries of one moment apart: the same errors, stored again at their time, are
// the same entry.
func (l *Listed) ID() string {
	parts := []string{l.Sync}
	for _, p := range l.Parts {
		parts = append(parts, p.Run, p.Batch, p.Stage, p.Type, p.Field, itoa(p.Attempts), p.At.Format(time.RFC3339Nano))
		for _, r := range p.Rows {
			parts = append(parts, itoa(r))
		}
	}
	return hash16(parts...)
}

// Has reports whether a row of the part may be that of a record with one of these marks.
func (p *Part) Has(n int, marks []uint32) bool {
	if len(p.Marks) < 8*(n+1) {
		return false
	}
	id, key := binary.BigEndian.Uint32(p.Marks[8*n:]), binary.BigEndian.Uint32(p.Marks[8*n+4:])
	return slices.Contains(marks, id) || slices.Contains(marks, key)
}

// Names reports whether an error is the one that the part means, not a later try of it.
func (p *Part) Names(e *RowError) bool { return e.Attempts == p.Attempts && e.At.Equal(p.At) }

// Kind reports whether the part's errors may be of this kind; "" is any.
func (p *Part) Kind(stage, kind, field string) bool {
	return (stage == "" || p.Stage == stage) && (kind == "" || p.Type == shortened(kind)) && (field == "" || p.Field == shortened(field))
}

// shortened cuts a text to what a Part keeps of it.
func shortened(s string) string {
	if len(s) <= MaxListedText {
		return s
	}
	return strings.ToValidUTF8(s[:MaxListedText], "")
}
