// Package yamlfile reads sync definitions and connections from YAML, with every
// fault and its place at once, and the defaults filled in. It is apart from
// syncdef so that workers, which read stored versions as JSON, link no YAML. It
// asks neither the warehouse nor a destination.
package yamlfile

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// Parse reads one definition. file names it in messages and, without its folder
// and ending, is the sync's name where the text gives none. conns are what a
// definition may connect to. The error is a syncdef.Faults; the notices name
// valid keys that have no effect.
func Parse(file string, src []byte, conns syncdef.Connections) (syncdef.Definition, []syncdef.Notice, error) {
	p := newParser(file, conns)
	d := p.definition(src)
	return d, p.notices, p.faults.Err()
}

// A parser reads one definition.
type parser struct {
	*reader
	conns syncdef.Connections
	blind bool // connections.yaml could not be read, which has its own fault
	slack bool // what the connection, or else the text, points to
}

func newParser(file string, conns syncdef.Connections) *parser {
	return &parser{reader: &reader{file: file, places: map[string]at{}}, conns: conns}
}

func (p *parser) definition(src []byte) (d syncdef.Definition) {
	defer func() { p.faults.Sort() }()
	root := p.document(src, "a sync definition")
	if root == nil {
		return d
	}
	o := p.object(root, "", "a sync definition")
	if o == nil {
		return d
	}
	d.Sync = p.name(o)
	p.connection(o, &d)
	p.target(o, &d)
	p.identity(o, &d)
	d.Fields = p.fields(o)
	p.behaviour(o, &d)
	p.slackPart(o, &d)
	p.matching(o, &d)
	p.later(o, &d)
	o.close()
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
	o.known = append(o.known, "sync")
	s := nameOf(p.file)
	if !namePattern.MatchString(s) {
		p.fault(o.node, "sync", "the file's name %q cannot name the sync; %s, or add the key sync", shorten(s), nameRule)
	}
	return s
}

const nameRule = "use a small letter, then up to 62 small letters, digits and _"

// nameOf is a file's name without folder and ending.
func nameOf(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// behaviour reads the keys that say when and how much is sent.
func (p *parser) behaviour(o *object, d *syncdef.Definition) {
	lanes := syncdef.DefaultLanes
	if p.slack {
		lanes = syncdef.SlackLanes
	}
	if n := o.get("sync_frequency"); n != nil {
		d.Frequency = p.str(n, "sync_frequency", "sync_frequency")
		if d.Frequency != "" {
			if _, err := frequency.Parse(d.Frequency); err != nil {
				p.fault(n, "sync_frequency", "sync_frequency: %v; allowed: %s", err, frequency.Allowed)
			}
			p.notice(o.keys["sync_frequency"], "sync_frequency", syncdef.NotActedOn) // nothing schedules yet
		}
	}
	d.BatchSize = o.number("batch_size", 1, syncdef.MaxBatchSize, syncdef.DefaultBatchSize)
	d.Lanes = o.number("lanes", 1, syncdef.MaxLanes, lanes)
	d.OnError = choice(o, "error_handling", syncdef.OnErrors, syncdef.Continue)
	d.OnDuplicate = choice(o, "on_duplicate", syncdef.OnDuplicates, syncdef.Latest)
	d.Send = choice(o, "send", syncdef.Sends, syncdef.SendChanged)
	p.incremental(o, d)
}

// incremental reads the cursor and what a later version will act on.
func (p *parser) incremental(o *object, d *syncdef.Definition) {
	n := o.get("incremental")
	if n == nil {
		return
	}
	in := p.object(n, "incremental", "incremental")
	if in == nil {
		return
	}
	inc := &syncdef.Incremental{
		Cursor:        in.text("cursor"),
		IncludeFailed: in.text("include_failed"),
		Always:        in.text("always"),
	}
	in.missing("cursor", "name the column that grows with every change of a row")
	for _, key := range []string{"include_failed", "always"} {
		if in.has(key) {
			p.notice(in.keys[key], "incremental."+key, syncdef.NotActedOn)
		}
	}
	in.close()
	d.Incremental = inc
}
