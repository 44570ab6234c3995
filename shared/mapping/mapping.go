// Package mapping turns one warehouse row into one destination record: it finds
// the columns, converts, cuts and checks the fields as the sync definition says,
// and derives the record id, the cursor and the match key. Its input is the raw
// JSON of a row, its output raw JSON values; numbers never pass through float64.
// It is pure: no I/O, no clock. It neither compares rows nor knows vendors.
package mapping

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Program is a definition made ready to map rows. It does not change and may
// be shared.
type Program struct{}

// A Mapper maps rows one after the other. It is not safe for concurrent use and
// reuses its buffers.
type Mapper struct{}

// Mapped is one mapped row. Its slices are valid until the next Map.
type Mapped struct {
	Key      []byte           // normalised match value, else the record id
	RecordID []byte           // record_id columns joined with ":"; as text
	Cursor   jsontext.Value   // raw JSON scalar of incremental.cursor, nil when there is none
	Group    []byte           // Slack: the channel (mapped column or slack.channel); else nil
	Values   []jsontext.Value // by position in Definition.Fields; nil = leave alone, null = clear
}

// Compile loads time zones, parses decimals and folds names, once per version.
func Compile(def *syncdef.Definition) (*Program, error) { return &Program{}, nil }

// Names are the destination's fields in definition order.
func (p *Program) Names() []string { return nil }

// Mapper returns a new mapper over p.
func (p *Program) Mapper() *Mapper { return &Mapper{} }

// Map maps one row. On a fault RecordID and Key are still set when they can be read.
func (m *Mapper) Map(object jsontext.Value) (Mapped, *row.Fault) { return Mapped{}, nil }

// Domain returns the normalised domain of an email address, URL or host name, or "".
func Domain(s string) string { return "" }

// FreeMail reports whether a normalised domain belongs to a public mail provider.
func FreeMail(domain string) bool { return false }

// Name normalises a company name: trimmed, inner white space folded, lower case.
func Name(s string) string { return "" }
