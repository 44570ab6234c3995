package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Program is a definition made ready to map rows. It does not change and may
// be shared between goroutines.
type Program struct {
	columns      []string // every column that is read, once
	fields       []field
	names        []string       // of the destination's fields
	adds         []bool         // by position in names: the value is added to what is there
	along        []int          // positions of what goes along with what changed
	spread       map[int]string // positions in names of fields whose members are fields, and what those are called before their own names
	outputs      []*node        // how these are built; nil where each is one of fields
	tags         []row.Tag
	recordID     []int // positions in columns
	match        match
	cursor       int    // position in columns, -1 without one
	created      int    // the same of incremental.created
	always       int    // the same of syncdef.AlwaysColumn
	group        string // Rules.Group
	groupField   int    // position in fields of the one that Rules.Group names, -1 without one
	groupDefault []byte // nil is none
	groupPrefix  []byte // Rules.GroupPrefix
	deletes      bool   // every row deletes: operation: delete
	removes      bool   // a row may delete
}

// Compile makes a definition ready, with what its version's rules say of keys,
// groups, lengths and dates: it loads time zones, parses decimals, and converts
// defaults as if they were values. All faults are reported, joined.
func Compile(def *syncdef.Definition, rules syncdef.Rules) (*Program, error) {
	p := &Program{deletes: def.Operation == syncdef.Delete, removes: def.OnDelete != "", cursor: -1, created: -1, always: -1, group: rules.Group, groupField: -1, fields: make([]field, len(def.Fields))}
	vendor, err := compileRules(rules)
	errs := []error{err}
	for i, f := range def.Fields {
		if err := p.compileField(&p.fields[i], f, vendor, rules); err != nil {
			errs = append(errs, fmt.Errorf("field %s -> %s: %w", f.From(), f.Destination, err))
		}
		p.fields[i].names = def.Strategy != syncdef.MatchNone && strings.EqualFold(f.Destination, def.Match.Destination)
		if rules.Group != "" && f.Destination == rules.Group {
			p.groupField = i
		}
	}
	p.groupPrefix = []byte(rules.GroupPrefix)
	if rules.GroupDefault != "" {
		p.groupDefault = []byte(strings.TrimPrefix(rules.GroupDefault, rules.GroupPrefix))
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
	if def.Incremental != nil && def.Incremental.Created != "" {
		p.created = p.columnOf(def.Incremental.Created)
	}
	if def.AlwaysEvery() > 0 {
		p.always = p.columnOf(syncdef.AlwaysColumn)
	}
	errs = append(errs, p.compileOutputs(def.Fields, rules.Nested))
	if rules.Spread {
		p.compileSpread()
	}
	p.adds = make([]bool, len(p.names))
	for n, name := range p.names {
		p.adds[n] = slices.Contains(rules.Adds, name)
		if slices.Contains(rules.Along, name) {
			p.along = append(p.along, n)
		}
	}
	p.tags = row.Tags(p.names...)
	errs = append(errs, p.compileMatch(def, rules.Identity))
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("compile mapping of %s: %w", def.Sync, err)
	}
	return p, nil
}

// Names are the destination's fields, by position in Mapped.Values: the definition's,
// in its order, but for those that are parts of one, which stands where the first of
// them does. Not to be changed.
func (p *Program) Names() []string { return p.names }

// Along are the positions in Mapped.Values of what goes along with what changed.
func (p *Program) Along() []int { return p.along }

// Adds reports whether the value at a position of Mapped.Values is added to what is there.
func (p *Program) Adds(n int) bool { return p.adds[n] }

// Tags stand for Names. Not to be changed.
func (p *Program) Tags() []row.Tag { return p.tags }

func (p *Program) columnOf(name string) int {
	for i, c := range p.columns {
		if c == name {
			return i
		}
	}
	p.columns = append(p.columns, name)
	return len(p.columns) - 1
}

func (p *Program) compileMatch(def *syncdef.Definition, id row.Identity) error {
	source := def.Match.Source
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
	if !id.Known() {
		return fmt.Errorf("identity: %q holds a step that this release does not know; one that does must map the row, or the definition be applied again", id.Steps)
	}
	p.match = match{matched: true, column: p.columnOf(source), identity: id, company: def.Strategy == syncdef.MatchEmailDomain}
	return nil
}
