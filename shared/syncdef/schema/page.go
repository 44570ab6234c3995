package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// Page gives the page of the configuration, as Markdown: each table of keys, with
// what the destination types add in sections of their own.
func Page(kinds []syncdef.Kind) []byte {
	var p page
	p.line("# Configuration")
	p.line("")
	p.line("A sync is `NAME.yaml`, beside its model `NAME.sql`; the accounts that a folder's syncs write to are in its `connections.yaml`. A folder is read without its subfolders. `penstock validate` checks all and says what each fault allows instead; editors read `penstock.schema.json`. This page, the schema and the checks are made from the same tables.")
	p.table("A definition", syncdef.DefinitionKeys, "")
	p.nested(syncdef.DefinitionKeys, "")
	for _, kind := range kinds {
		p.kind(kind)
	}
	connection := slices.Clone(syncdef.ConnectionKeys)
	set(connection, "type", func(k *syncdef.Key) { k.Allowed = syncdef.Kinds(kinds).Names() })
	p.table("A connection", connection, "In `connections.yaml`, under `connections` and the connection's name. No secret stands here.")
	p.nested(connection, "connections.")
	for _, kind := range kinds {
		if len(kind.Connection) > 0 {
			p.table("A connection of type "+kind.Name, kind.Connection, "Beside the keys that every connection has.")
		}
	}
	p.table("The warehouse", syncdef.WarehouseKeys, "In `connections.yaml`, under `warehouse`: where a stack in AWS runs `penstock_run` when a sync is due ([schedules](schedules.md)). Without it nothing is scheduled there. No secret stands here.")
	return []byte(p.String())
}

type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// table is a section with one table of keys.
func (p *page) table(title string, table []syncdef.Key, intro string) {
	p.line("\n## %s\n", title)
	if intro != "" {
		p.line("%s\n", intro)
	}
	p.line("| Key | Values | Default | |\n|---|---|---|---|")
	for _, key := range table {
		standard := ""
		switch {
		case key.Needed:
			standard = "required"
		case key.Or != "":
			standard = "required, or " + code(key.Or)
		case key.Default != "":
			standard = code(key.Default)
		}
		p.line("| %s | %s | %s | %s |", code(key.Name), strings.ReplaceAll(values(key), "|", `\|`), standard, strings.ReplaceAll(escape(key.Doc), "|", `\|`))
	}
}

// nested are the sections of a table's objects.
func (p *page) nested(table []syncdef.Key, path string) {
	for _, key := range table {
		if len(key.Keys) > 0 {
			p.table(code(path+key.Name), key.Keys, "")
			p.nested(key.Keys, path+key.Name+".")
		}
	}
}

// kind is what a destination type adds to a definition.
func (p *page) kind(kind syncdef.Kind) {
	can := "Operations: " + codes(kind.Carries()) + "."
	if len(kind.Strategies) > 0 {
		can += " Matching strategies: " + codes(kind.Strategies) + "."
	} else {
		can += " Nothing is matched: `record_id` tells rows apart, and each is sent once, ever."
	}
	if len(kind.Objects) > 0 {
		can += " Objects: " + codes(kind.Objects) + "."
	}
	if len(kind.Removals) > 0 {
		can += " Deleted rows: `on_delete: " + string(kind.Removals[0]) + "`"
		if rest := kind.Removals[1:]; len(rest) > 0 {
			can += ", or " + codes(rest)
		}
		can += "."
	} else {
		can += " Nothing is removed: a deleted row is rejected."
	}
	p.line("\n## %s\n\n%s", kind.Title, can)
	for _, s := range syncdef.Strategies {
		if pair, ok := kind.Pairs[s]; ok {
			p.line("\n`matching_strategy: %s` compares `%s` with `%s` unless `match` says otherwise.", s, pair.Source, pair.Destination)
		}
	}
	if len(kind.Definition) > 0 {
		p.table(code(kind.Name), kind.Definition, "An object under this name, in a definition whose connection is of this type.")
	}
	if len(kind.Field) > 0 {
		p.table("A field mapping of type "+kind.Name, kind.Field, "Beside the keys that every field mapping has.")
	}
}

// values says what a key's value may be.
func values(key syncdef.Key) (what string) {
	switch key.Type {
	case syncdef.KeyInteger:
		if what = fmt.Sprintf("a whole number, %d to %d", key.Min, key.Max); key.Max == 0 {
			what = fmt.Sprintf("a whole number, at least %d", key.Min)
		}
	case syncdef.KeyBoolean:
		what = "`true`, `false`"
	case syncdef.KeyDuration:
		what = fmt.Sprintf("a duration such as `15m`, %s to %s", time.Duration(key.Min)*time.Second, time.Duration(key.Max)*time.Second)
		what = strings.NewReplacer("m0s", "m", "h0m", "h").Replace(strings.ReplaceAll(what, "h0m0s", "h"))
	case syncdef.KeyDecimal:
		what = "a number"
	case syncdef.KeyShare:
		what = "`0` to `1`, or a percentage such as `5%`"
	case syncdef.KeyValue:
		what = "a single value"
	case syncdef.KeyValues:
		what = "a list of single values"
	case syncdef.KeyTexts:
		if what = "a text or a list of them"; len(key.Allowed) > 0 {
			what = "one or a list of " + codes(key.Allowed)
		}
	case syncdef.KeyObject:
		what = "an object, below"
	case syncdef.KeyObjects:
		what = "a list of objects, below"
	default:
		switch what = "text"; {
		case len(key.Allowed) > 0:
			what = codes(key.Allowed)
		case key.Example != "":
			what = "text such as " + code(key.Example)
		}
	}
	if len(key.For) > 0 {
		what += "; for " + codes(key.For)
	}
	return what
}

func code(s string) string { return "`" + s + "`" }

func codes[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = code(string(s))
	}
	return strings.Join(out, ", ")
}

// escape keeps a sentence from being read as HTML.
func escape(s string) string { return strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s) }
