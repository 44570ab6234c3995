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
// strategy's usual pair, and the record id from the match column. It comes after
// the fields, which say whether a record could be created.
func (p *parser) matching(o *object, d *syncdef.Definition) {
	d.Strategy = choice(o, "matching_strategy", syncdef.Strategies, syncdef.MatchNone)
	p.match(o, d)
	if p.slack {
		p.slackMatchesNothing(o, d)
		return
	}
	if d.Strategy == syncdef.MatchNone && d.Operation != syncdef.Insert {
		o.missing("matching_strategy", "say how a row finds its record; allowed: "+words(syncdef.Strategies))
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
	p.mappedKey(d)
	p.onMissing(o, d)
}

// match reads the two sides that are compared.
func (p *parser) match(o *object, d *syncdef.Definition) {
	d.Match = syncdef.DefaultMatch(d.Strategy)
	n := o.get("match")
	if n == nil {
		return
	}
	m := p.object(n, "match", "match")
	if m == nil {
		return
	}
	if s := m.text("source"); s != "" {
		d.Match.Source = s
	}
	if s := m.text("destination"); s != "" {
		d.Match.Destination = s
		if !p.slack && !apiName.MatchString(s) {
			p.fault(m.values["destination"], "match.destination", "match.destination: %q is no Salesforce API name", shorten(s))
		}
	}
	m.close()
	if d.Strategy == syncdef.MatchNone && !o.has("matching_strategy") && !p.slack && d.Operation == syncdef.Insert {
		p.fault(o.keys["match"], "match", "match has no use without matching_strategy; allowed: %s", words(syncdef.Strategies))
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

// mappedKey refuses mappings that Salesforce refuses: the external id that an
// upsert names in its address, and the record's own Id.
func (p *parser) mappedKey(d *syncdef.Definition) {
	inAddress := d.Strategy == syncdef.MatchExternalID && d.Operation == syncdef.Upsert
	for i, f := range d.Fields {
		path := item("field_mappings", i) + ".destination"
		where := &yaml.Node{Line: p.places[path].line, Column: p.places[path].column}
		switch {
		case f.Destination == "":
		case strings.EqualFold(f.Destination, "Id"):
			p.fault(where, path, "destination Id cannot be mapped: Salesforce gives it; use match to find records by another field")
		case inAddress && strings.EqualFold(f.Destination, d.Match.Destination):
			p.fault(where, path, "destination %s is the external id already; Salesforce refuses it as a mapped field too, so remove this mapping", f.Destination)
		}
	}
}

// createNeeds are the fields without which Salesforce refuses a new record
// (Object Reference, required fields). Other objects are not known here.
var createNeeds = map[string][]string{
	"account":     {"Name"},
	"contact":     {"LastName"},
	"lead":        {"LastName", "Company"},
	"opportunity": {"Name", "StageName", "CloseDate"},
}

// onMissing reads what happens when matching finds nothing. Unless it is written,
// records are created only where everything that creation needs is mapped.
func (p *parser) onMissing(o *object, d *syncdef.Definition) {
	needs, known := createNeeds[strings.ToLower(d.Object)]
	lacks := slices.DeleteFunc(slices.Clone(needs), func(need string) bool {
		return slices.ContainsFunc(d.Fields, func(f syncdef.Field) bool { return strings.EqualFold(f.Destination, need) })
	})
	byExternalID := d.Strategy == syncdef.MatchExternalID
	standard := syncdef.Report
	if d.Operation == syncdef.Upsert && (byExternalID || (known && len(lacks) == 0)) {
		standard = syncdef.Create
	}
	d.OnMissing = choice(o, "on_missing", syncdef.OnMissings, standard)
	n := o.values["on_missing"]
	switch {
	case n == nil:
	case d.Operation == syncdef.Insert:
		p.fault(n, "on_missing", "on_missing: operation insert always creates; leave on_missing out, or use operation: upsert")
	case d.OnMissing == syncdef.Create && d.Operation == syncdef.Update:
		p.fault(n, "on_missing", "on_missing: operation update creates nothing; use operation: upsert, or on_missing: report")
	case d.OnMissing == syncdef.Create && len(lacks) > 0:
		p.fault(n, "on_missing", "on_missing: creating %s needs a mapping to %s; add it, or use on_missing: report",
			d.Object, strings.Join(lacks, " and "))
	case d.OnMissing == syncdef.Report && byExternalID && d.Operation == syncdef.Upsert:
		p.fault(n, "on_missing", "on_missing: an upsert by external id always creates; use operation: update to change existing records only")
	}
}
