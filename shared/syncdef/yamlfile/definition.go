// Package yamlfile reads sync definitions and connections from YAML, with every
// fault and its place at once, and the defaults filled in. It is apart from
// syncdef so that workers, which read stored versions as JSON, link no YAML. It
// asks neither the warehouse nor a destination, and names no destination type:
// what a type adds to the language comes with the list of syncdef.Kind.
package yamlfile

import (
	"cmp"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// Parse reads one definition. file names it in messages and, without its folder
// and ending, is the sync's name where the text gives none. conns are what a
// definition may connect to, and kinds the destination types that there are. The
// error is a syncdef.Faults; the notices name valid keys that have no effect.
func Parse(file string, src []byte, conns syncdef.Connections, kinds []syncdef.Kind) (syncdef.Definition, []syncdef.Notice, error) {
	p := newParser(file, conns, kinds)
	d := p.definition(src)
	return d, p.notices, p.faults.Err()
}

// A parser reads one definition.
type parser struct {
	*reader
	conns syncdef.Connections
	kinds syncdef.Kinds
	blind bool               // not all connections could be read, which has its own fault
	kind  syncdef.Kind       // the destination type that the connection, or else the text, points to
	known bool               // kind is told; else what depends on it is not judged
	conn  syncdef.Connection // of that type; without settings where it could not be found
}

func newParser(file string, conns syncdef.Connections, kinds []syncdef.Kind) *parser {
	return &parser{reader: &reader{file: file, places: map[string]at{}}, conns: conns, kinds: kinds}
}

func (p *parser) definition(src []byte) (d syncdef.Definition) {
	defer func() { p.faults.Sort() }()
	root := p.document(src, "a sync definition")
	if root == nil {
		return d
	}
	o := p.object(root, "", "a sync definition", syncdef.DefinitionKeys)
	if o == nil {
		return d
	}
	d.Sync = p.name(o)
	if d.Model = p.model(o); d.Model == d.Sync {
		d.Model = "" // the default, which a version does not tell apart
	}
	p.plain(o, &d)
	p.connection(o, &d)
	o.table = p.table()
	p.target(o, &d)
	p.identity(o, &d)
	d.Fields = p.fields(o, d.Operation == syncdef.Delete && d.OnDelete != syncdef.RemoveClear)
	p.behaviour(o, &d)
	p.failures(o, &d)
	d.Freshness = p.freshness(o)
	d.Verify = p.verify(o)
	p.section(o, &d)
	p.matching(o, &d)
	d.Quality = p.quality(o)
	o.close()
	p.matchAgrees(&d)
	p.reserved(o, &d)
	p.check(o, &d)
	if p.known && d.OnMissing == "" {
		d.OnMissing = syncdef.Report
	}
	p.compiles(o, &d)
	return d
}

var namePattern = regexp.MustCompile(syncdef.NamePattern)

// name is the sync's: as written, else the file's.
func (p *parser) name(o *object) string {
	if o.has("sync") {
		s := o.text("sync")
		if s != "" && !namePattern.MatchString(s) {
			p.fault(o.values["sync"], "sync", "sync: %q is no name; %s", shorten(s), nameRule)
		}
		return s
	}
	s := nameOf(p.file)
	if !namePattern.MatchString(s) {
		p.fault(o.node, "sync", "the file's name %q cannot name the sync; %s, or add the key sync", shorten(s), nameRule)
	}
	return s
}

var relationPattern = regexp.MustCompile(syncdef.RelationPattern)

// model is the relation that the rows come from, as written; "" is the sync's name.
func (p *parser) model(o *object) string {
	s := o.text("model")
	if s != "" && !relationPattern.MatchString(s) {
		p.fault(o.values["model"], "model", "model: %q names no table or view; %s", shorten(s), relationRule)
	}
	return s
}

// plain refuses a word of SQL as a name of the model: it stands without quotes in views
// and statements.
func (p *parser) plain(o *object, d *syncdef.Definition) {
	key, remedy := "model", "give the view another name"
	if d.Model == "" {
		key, remedy = "sync", "call the sync otherwise, or name a table or view with model: NAME"
	}
	for part := range strings.SplitSeq(d.Relation(), ".") {
		if !syncdef.Reserved("duckdb", part) {
			continue
		}
		where := o.node
		if o.has(key) {
			where = o.values[key]
		}
		p.fault(where, key, "%s: %s is a word of SQL, which names no table without quotes; %s", key, part, remedy)
		return
	}
}

const relationRule = "use NAME, SCHEMA.NAME or DATABASE.SCHEMA.NAME, each of letters, digits and _ without quotes; a SELECT goes into a file NAME.sql beside this one"

const nameRule = "use a small letter, then up to 62 small letters, digits and _"

// nameOf is a file's name without folder and ending.
func nameOf(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// behaviour reads the keys that say when and how much is sent.
func (p *parser) behaviour(o *object, d *syncdef.Definition) {
	p.frequency(o, d)
	d.BatchSize = o.number("batch_size")
	if d.Lanes = o.number("lanes"); d.Lanes == 0 {
		d.Lanes = cmp.Or(p.kind.Lanes, syncdef.DefaultLanes)
	}
	d.OnError = choice[syncdef.OnError](o, "error_handling")
	d.OnDuplicate = choice[syncdef.OnDuplicate](o, "on_duplicate")
	d.Send = choice[syncdef.Send](o, "send")
	p.incremental(o, d)
	p.scheduledStream(o, d)
	p.allow(o, d)
	p.notifications(o, d)
}
