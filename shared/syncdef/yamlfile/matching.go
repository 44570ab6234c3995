package yamlfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func (p *parser) eachRecordID(seen map[string]bool) func(*yaml.Node, string, string) {
	return func(n *yaml.Node, path, column string) {
		if folded := strings.ToLower(column); seen[folded] {
			p.fault(n, path, "record_id names %s twice", shorten(column))
		} else {
			seen[folded] = true
		}
	}
}

// matching reads how a row finds its record, and fills what is implied: the
// strategy's usual pair, and the record id from the match column.
func (p *parser) matching(o *object, d *syncdef.Definition) {
	if p.known && len(p.kind.Strategies) == 0 {
		p.matchesNothing(o, d)
		return
	}
	strategies := o.key("matching_strategy").Allowed
	if p.known {
		strategies = words(p.kind.Strategies)
	}
	d.Strategy = choiceOf(o, "matching_strategy", strategies, syncdef.MatchNone)
	p.match(o, d)
	d.OnMissing = choice[syncdef.OnMissing](o, "on_missing")
	if !p.known {
		return
	}
	if d.Strategy == syncdef.MatchNone && d.Operation != syncdef.Insert {
		o.missing("matching_strategy", "say how a row finds its record; allowed: "+strings.Join(strategies, ", "))
	}
	if d.Strategy == syncdef.MatchExternalID && d.Match.Source == "" && len(d.RecordID) == 1 {
		d.Match.Source = d.RecordID[0]
	}
	p.matchComplete(o, d)
	if len(d.RecordID) == 0 && d.Match.Source != "" {
		d.RecordID = []string{d.Match.Source}
	}
	if len(d.RecordID) == 0 && d.Strategy == syncdef.MatchNone && d.Operation == syncdef.Insert {
		o.missing("record_id", "without a matching_strategy it is what tells rows apart; name one column or a list")
	}
	p.missingRecord(o, d)
}

// matchesNothing refuses what only makes sense where records are found again.
func (p *parser) matchesNothing(o *object, d *syncdef.Definition) {
	useless := []string{"matching_strategy", "match", "on_missing"}
	for _, key := range useless {
		if o.has(key) {
			p.fault(o.keys[key], key, "%s has no use here: what is written to %s is not matched; record_id tells rows apart", key, p.title())
		}
	}
	o.without(useless...)
	d.Strategy, d.Match, d.OnMissing = syncdef.MatchNone, syncdef.Match{}, syncdef.Report
	o.missing("record_id", "name the columns that make a row the same row; each is sent once, ever")
}

// match reads the two sides that are compared, and how.
func (p *parser) match(o *object, d *syncdef.Definition) {
	d.Match = p.kind.Pairs[d.Strategy]
	n := o.get("match")
	if n == nil {
		return
	}
	m := p.object(n, "match", "match", o.key("match").Keys)
	if m == nil {
		return
	}
	if s := m.text("source"); s != "" {
		d.Match.Source = s
	}
	if s := m.text("destination"); s != "" {
		d.Match.Destination = s
	}
	d.Match.Case = m.boolean("case")
	d.Match.DataType = choice[syncdef.MatchType](m, "data_type")
	m.close()
	if d.Strategy == syncdef.MatchNone && !o.has("matching_strategy") && d.Operation == syncdef.Insert {
		p.fault(o.keys["match"], "match", "match has no use without matching_strategy; allowed: %s", strings.Join(o.key("matching_strategy").Allowed, ", "))
	}
}

// matchComplete reports a strategy whose sides are not known.
func (p *parser) matchComplete(o *object, d *syncdef.Definition) {
	if d.Strategy == syncdef.MatchNone || (d.Match.Source != "" && d.Match.Destination != "") {
		return
	}
	if o.has("match") && o.values["match"].Kind != yaml.MappingNode {
		return // said already
	}
	p.fault(o.values["matching_strategy"], "match",
		"matching_strategy %s needs match: {source: a column, destination: a field of %s}", d.Strategy, d.Object)
}

// missingRecord refuses what an operation cannot do when matching finds nothing;
// the default is the destination type's.
func (p *parser) missingRecord(o *object, d *syncdef.Definition) {
	n := o.values["on_missing"]
	switch {
	case n == nil:
	case d.Operation == syncdef.Insert:
		p.fault(n, "on_missing", "on_missing: operation insert always creates; leave on_missing out, or use operation: upsert")
	case d.OnMissing == syncdef.Create && d.Operation == syncdef.Delete:
		p.fault(n, "on_missing", "on_missing: operation delete creates nothing, and a record that is not there is as good as deleted; leave on_missing out")
	case d.OnMissing == syncdef.Create && d.Operation == syncdef.Update:
		p.fault(n, "on_missing", "on_missing: operation update creates nothing; use operation: upsert, or on_missing: report")
	}
}

// textual are the types that a text field of a destination takes: those that have
// a length.
var textual = func() []syncdef.Type {
	k, _ := syncdef.Named(syncdef.FieldKeys, "max_length")
	return k.For
}()

// matchAgrees refuses what is said of the match field in contradiction to itself
// or to the mapping that writes the same field.
func (p *parser) matchAgrees(d *syncdef.Definition) {
	if !p.known || d.Strategy == syncdef.MatchNone {
		return
	}
	where := func(path string) *yaml.Node {
		return &yaml.Node{Line: p.places[path].line, Column: p.places[path].column}
	}
	kind, told := d.Match.DataType, d.Match.Case != nil
	domain := d.Strategy == syncdef.MatchEmailDomain
	text := domain || d.Strategy == syncdef.MatchEmail || d.Strategy == syncdef.MatchName
	switch {
	case text && kind != "" && kind != syncdef.MatchText:
		p.fault(where("match.data_type"), "match.data_type", "match.data_type: matching_strategy %s compares text, not %s; leave it out, or use matching_strategy: field", d.Strategy, kind)
		return
	case told && kind != "" && kind != syncdef.MatchText:
		p.fault(where("match.case"), "match.case", "match.case has no use with data_type %s; it is for text", kind)
		return
	case told && domain && *d.Match.Case:
		p.fault(where("match.case"), "match.case", "match.case: domains are compared without regard to case; leave it out")
		return
	}
	i := slices.IndexFunc(d.Fields, func(f syncdef.Field) bool {
		return f.Destination != "" && strings.EqualFold(f.Destination, d.Match.Destination)
	})
	if i >= 0 && d.Fields[i].Type != "" {
		p.matchedAndMapped(where, d, i, text)
	}
}

// matchedAndMapped compares what is said of the match field with the mapping i,
// which writes it; text says that the strategy compares text.
func (p *parser) matchedAndMapped(where func(string) *yaml.Node, d *syncdef.Definition, i int, text bool) {
	f, kind, told := d.Fields[i], d.Match.DataType, d.Match.Case != nil
	mapped := item("field_mappings", i)
	number := f.Type == syncdef.Number || f.Type == syncdef.Integer
	cases := slices.Contains(f.Transform, "lower") || slices.Contains(f.Transform, "upper")
	switch {
	case text && !slices.Contains(textual, f.Type):
		p.fault(where(mapped+".data_type"), mapped+".data_type", "data_type %s: matching_strategy %s compares %s as text; use matching_strategy: field, or a type of text", f.Type, d.Strategy, f.Destination)
	case kind == syncdef.MatchNumber && !number, kind == syncdef.MatchID && f.Type != syncdef.String,
		kind == syncdef.MatchText && !slices.Contains(textual, f.Type):
		p.fault(where("match.data_type"), "match.data_type", "match.data_type: %s, but %s maps the same field with data_type %s; both must be the field's own type", kind, mapped, f.Type)
	case told && !slices.Contains(textual, f.Type):
		p.fault(where("match.case"), "match.case", "match.case has no use: %s maps the same field with data_type %s, and case is of text only", mapped, f.Type)
	case told && *d.Match.Case && cases && strings.EqualFold(f.Source, d.Match.Source):
		p.fault(where("match.case"), "match.case", "match.case: with it, records are looked up by the column as it is, but %s writes it in another case, so that they would not be found again", mapped)
	}
}
