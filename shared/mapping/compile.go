package mapping

import (
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Program is a definition made ready to map rows. It does not change and may
// be shared between goroutines.
type Program struct {
	columns      []string // every column that is read, once
	fields       []field
	names        []string
	recordID     []int // positions in columns
	match        match
	cursor       int    // position in columns, -1 without one
	channelField int    // position in fields of Slack's mapped channel, -1 without one
	channel      []byte // Slack's fixed channel
}

// Compile makes a definition ready: it loads time zones, parses decimals, and
// converts defaults as if they were values. All faults are reported, joined.
func Compile(def *syncdef.Definition) (*Program, error) {
	p := &Program{cursor: -1, channelField: -1, fields: make([]field, len(def.Fields))}
	var errs []error
	slack := def.Slack != nil || def.Object == "message"
	for i, f := range def.Fields {
		p.names = append(p.names, f.Destination)
		if err := p.compileField(&p.fields[i], f); err != nil {
			errs = append(errs, fmt.Errorf("field %s -> %s: %w", f.Source, f.Destination, err))
		}
		if slack && f.Destination == "channel" {
			p.channelField = i
		}
	}
	if slack && def.Slack != nil && def.Slack.Channel != "" {
		p.channel = []byte(def.Slack.Channel)
	}
	if len(def.RecordID) == 0 {
		errs = append(errs, errors.New("record_id: no column is named; it must name at least one"))
	}
	for _, c := range def.RecordID {
		p.recordID = append(p.recordID, p.columnOf(c))
	}
	if def.Incremental != nil && def.Incremental.Cursor != "" {
		p.cursor = p.columnOf(def.Incremental.Cursor)
	}
	errs = append(errs, p.compileMatch(def))
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("compile mapping of %s: %w", def.Sync, err)
	}
	return p, nil
}

// Names are the destination's fields in definition order. Not to be changed.
func (p *Program) Names() []string { return p.names }

func (p *Program) columnOf(name string) int {
	for i, c := range p.columns {
		if c == name {
			return i
		}
	}
	p.columns = append(p.columns, name)
	return len(p.columns) - 1
}

func (p *Program) compileMatch(def *syncdef.Definition) error {
	source := def.Match.Source
	if source == "" {
		source = syncdef.DefaultMatch(def.Strategy).Source
	}
	switch def.Strategy {
	case syncdef.MatchNone:
		return nil
	case syncdef.MatchExternalID, syncdef.MatchField, syncdef.MatchEmail, syncdef.MatchEmailDomain, syncdef.MatchName:
		if source == "" {
			return fmt.Errorf("match.source: %s needs a column", def.Strategy)
		}
	default:
		return fmt.Errorf("matching_strategy: %q is not one of external_id, field, email, email_domain, name", def.Strategy)
	}
	p.match = match{def.Strategy, p.columnOf(source)}
	return nil
}
