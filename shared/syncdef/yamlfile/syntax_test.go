package yamlfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// head is a definition's beginning: two lines without a fault.
const head = "destination_object: Account\nmatching_strategy: email_domain\n"

// list is head and a list of one mapping, six lines in all.
const list = head + "operation: upsert\nfield_mappings:\n  - source: a\n    destination: B__c\n"

// mistakes are texts that are no YAML as their author meant it, with the line and
// column where the author erred.
var mistakes = []struct {
	name, src string
	line, col int
}{
	{"item's key too deep", list + "  - source: b\n     destination: C__c\n  - source: d\n    destination: E__c\nlanes: 1\n", 8, 6},
	{"item's key not deep enough", list + "  - source: b\n   destination: C__c\nlanes: 1\n", 8, 4},
	{"item's key far too deep", list + "  - source: b\n        destination: C__c\nlanes: 1\n", 8, 9},
	{"item below the keys of another", list + "    - source: b\n      destination: C__c\nlanes: 1\n", 7, 5},
	{"item a blank too deep", list + "   - source: b\n     destination: C__c\nlanes: 1\n", 7, 4},
	{"item a blank short", list + " - source: b\n   destination: C__c\nlanes: 1\n", 7, 2},
	{"item without its dash", list + "  source: b\n  destination: C__c\nlanes: 1\n", 7, 3},
	{"item at the margin", list + "- source: b\n  destination: C__c\nlanes: 1\n", 7, 1},
	{"dash without a blank", list + "  -source: b\n    destination: C__c\nlanes: 1\n", 7, 3},
	{"dash without a blank, alone in the list", head + "record_id:\n  - a\n  -b\nlanes: 1\n", 5, 3},
	{"value in a list without its dash", head + "record_id:\n  - a\n  b\nlanes: 1\n", 5, 0},
	{"dash without a blank, the list's first", head + "field_mappings:\n  -source: a\n   destination: B__c\n", 4, 3},
	{"brace closed twice", head + "field_mappings:\n  - {source: a, destination: B__c}}\nlanes: 1\n", 4, 35},
	{"comma twice", head + "record_id: [a,, b]\nlanes: 1\n", 3, 15},
	{"at sign in brackets", head + "record_id: [a, @b]\nlanes: 1\n", 3, 16},
	{"semicolon in braces", head + "match: {source: a; destination: B__c}\nlanes: 1\n", 3, 20},
	{"key indented", head + " lanes: 1\noperation: upsert\n", 3, 2},
	{"key indented below a section", head + "retry:\n  attempts: 3\n    base: 1m\nlanes: 1\n", 5, 5},
	{"key of a section not deep enough", head + "retry:\n  attempts: 3\n base: 1m\nlanes: 1\n", 5, 2},
	{"tab", "a:\n\tb: 1\n", 2, 1},
	{"tab before an item", head + "field_mappings:\n\t- source: a\n\t  destination: B__c\n", 4, 1},
	{"tab in an item", list + "  - source: b\n\t  destination: C__c\n", 8, 1},
	{"tab after blanks", list + "  - source: b\n  \tdestination: C__c\n", 8, 3},
	{"tab after a dash", list + "  -\tsource: b\n    destination: C__c\n", 7, 4},
	{"# in braces", head + "chat: {channel: #alerts}\nlanes: 1\noperation: insert\n", 3, 17},
	{"# in braces, on a line of its own", head + "chat:\n  {channel: #alerts, digest_over: 3}\nlanes: 1\n", 4, 13},
	{"# in braces of a list", head + "field_mappings:\n  - {source: a, destination: B__c}\n  - {source: b, destination: #c}\n  - {source: d, destination: E__c}\n", 5, 30},
	{"# in brackets", head + "record_id: [a, #b]\nlanes: 1\n", 3, 16},
	{"# after text in braces", head + "chat: {channel: general #alerts}\nlanes: 1\n", 3, 25},
	{"double quote not closed", head + "sync: \"abc\nlanes: 1\noperation: upsert\n", 3, 7},
	{"single quote not closed", head + "sync: 'abc\nlanes: 1\noperation: upsert\n", 3, 7},
	{"quote not closed, another one later", head + "sync: 'abc\nlanes: 1\nconnection: 'it'\noperation: upsert\n", 3, 7},
	{"quote not closed in a list", head + "record_id:\n  - \"a\n  - b\nlanes: 1\n", 4, 5},
	{"quote not closed in braces", head + "chat: {channel: \"#a}\nlanes: 1\nsync: \"abc\"\n", 3, 17},
	{"quote not closed in the last line", head + "sync: \"abc", 3, 7},
	{"apostrophe in single quotes", head + "sync: 'it's'\nlanes: 1\n", 3, 11},
	{"text after a quote", head + "sync: \"a\" b\nlanes: 1\n", 3, 10},
	{"backslash in double quotes", head + "sync: \"a\\d\"\nlanes: 1\n", 3, 9},
	{"brace not closed", head + "chat: {channel: a\nlanes: 1\noperation: upsert\n", 3, 7},
	{"brace not closed in a list", head + "field_mappings:\n  - {source: a, destination: B__c\n  - {source: b, destination: C__c}\n", 4, 5},
	{"bracket not closed", head + "record_id: [a, b\nlanes: 1\noperation: upsert\n", 3, 12},
	{"bracket not closed in the last line", head + "record_id: [a, b", 3, 12},
	{"bracket not closed within braces", head + "field_mappings:\n  - {source: a, destination: B__c, values: [a, b}\nlanes: 1\n", 4, 44},
	{"bracket closed by a brace", head + "record_id: [a, b}\nlanes: 1\n", 3, 12},
	{"text after a bracket", head + "record_id: [a, b] c\nlanes: 1\n", 3, 18},
	{"brace not closed over lines", head + "field_mappings: [\n  {source: a, destination: B__c,\n  {source: b, destination: C__c}\n]\nlanes: 1\n", 4, 3},
	{"comma missing over lines", head + "field_mappings: [\n  {source: a, destination: B__c}\n  {source: b, destination: C__c}\n]\nlanes: 1\n", 5, 3},
	{"comma missing in braces", list + "  - {source: b, destination: C__c data_type: number}\nlanes: 1\n", 7, 35},
	{"comma missing at once", head + "match: {source: a destination: B__c}\nlanes: 1\n", 3, 19},
	{"comma missing after a quote", head + "record_id: [\"a\" \"b\"]\nlanes: 1\n", 3, 17},
	{"colon in a value", head + "sync_frequency: every: 15m\nlanes: 1\n", 3, 22},
	{"colon in a value of a list", list + "  - source: b\n    destination: C__c: D\n", 8, 22},
	{"colon in braces", head + "match: {source: b: c}\nlanes: 1\n", 3, 18},
	{"colon missing", head + "operation upsert\nlanes: 1\n", 3, 10},
	{"blank missing after a colon", head + "operation:upsert\nlanes: 1\n", 3, 11},
	{"equals sign", head + "operation = upsert\nlanes: 1\n", 3, 10},
	{"separator of two", head + "--\nlanes: 1\n", 3, 1},
	{"separator of four", head + "----\nlanes: 1\n", 3, 1},
	{"separator of equals signs", head + "=====\nlanes: 1\n", 3, 1},
	{"end of the document in the middle", head + "...\nlanes: 1\n", 3, 1},
	{"text beside the separator", "--- sync\nlanes: 1\n", 1, 5},
	{"second document", head + "---\nlanes: 1\n", 3, 1},
	{"star", head + "sync_frequency: */15 * * * *\nlanes: 1\n", 3, 17},
	{"at", head + "sync_frequency: @daily\nlanes: 1\n", 3, 17},
	{"percent", head + "sync: %a\nlanes: 1\n", 3, 7},
	{"text below its key", head + "sync: |\nabc\nlanes: 1\n", 4, 1},
	{"not UTF-8", head + "sync: \xff\nlanes: 1\n", 3, 7},
	{"UTF-16", "\xff\xfea\x00:\x00", 1, 1},
	{"carriage returns alone", "\r\r0", 1, 1},
	{"carriage return in a line", head + "sync: a\rlanes: 1\n", 3, 8},
	{"line separator", head + "lanes: 1\ndescription: two\u2028lines\n", 4, 17},
	{"paragraph separator", head + "description: \"two\u2029lines\"\n", 3, 18},
	{"next line", head + "description: two\u0085lines\n", 3, 17},
	{"control character", head + "sync: a\x01\nlanes: 1\n", 3, 8},
	{"blanks of a word processor", head + "field_mappings:\n\u00a0\u00a0- source: a\n\u00a0\u00a0  destination: B__c\n", 4, 1},
	{"typographic quotes", head + "connection: “crm_prod”\n" + fields, 3, 13},
	{"carriage returns", strings.ReplaceAll(head+"chat: {channel: #alerts}\nlanes: 1\n", "\n", "\r\n"), 3, 17},
	{"key twice", head + fields + "lanes: 1\nlanes: 2\n", 5, 1},
	{"# in a value without braces", "connection: chat_prod\nrecord_id: id\nchat:\n  channel: #alerts\n" + message, 4, 3},
}

func TestMistakesOfYAML(t *testing.T) {
	var out strings.Builder
	for _, c := range mistakes {
		_, _, err := yamlfile.Parse("health.yaml", []byte(c.src), conns, kinds)
		var got syncdef.Faults
		if !errors.As(err, &got) {
			t.Errorf("%s: no faults (%v) in\n%s", c.name, err, c.src)
			continue
		}
		if got[0].Line != c.line || (c.col != 0 && got[0].Column != c.col) {
			t.Errorf("%s: want %d:%d, got %v in\n%s", c.name, c.line, c.col, err, c.src)
		}
		fmt.Fprintf(&out, "== %s\n%s\n", c.name, err)
	}
	golden(t, "mistakes.golden", out.String())
}

// A key in the wrong place is told where it belongs.
func TestMisplacedKeys(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{head + fields + "data_type: string\n", "health.yaml:4:1: unknown key data_type; it belongs to one of field_mappings: indent it below a - of the list"},
		{head + fields + "cursor: a\n", "health.yaml:4:1: unknown key cursor; it belongs to incremental: indent it below that key"},
		{list + "    lanes: 1\n", "health.yaml:7:5: unknown key lanes; it belongs to the sync, not to one field: do not indent it"},
	} {
		if _, _, err := yamlfile.Parse("health.yaml", []byte(c.src), conns, kinds); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// A text that is no YAML costs a bounded time, wherever its mistake is.
func TestMistakesInLongFiles(t *testing.T) {
	long := strings.Repeat("# a comment that says nothing in as many words as it can\n", 15_000)
	for _, src := range []string{head + "sync: \"abc\n" + long, long + "sync: \"abc\n", head + "a: [b\n" + long + "c: d\n", strings.Repeat("a: [\n", 100_000)} {
		if _, _, err := yamlfile.Parse("health.yaml", []byte(src), conns, kinds); err == nil || !strings.Contains(err.Error(), "not valid YAML") {
			t.Errorf("got %v", err)
		}
	}
}

// Whatever the text, the search for a cause ends, and names a place in the text.
func FuzzMistakes(f *testing.F) {
	for _, c := range mistakes {
		f.Add(c.src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		_, _, err := yamlfile.Parse("health.yaml", []byte(src), conns, kinds)
		var got syncdef.Faults
		if !errors.As(err, &got) {
			return
		}
		for _, fault := range got {
			if fault.Line < 1 || fault.Line > strings.Count(src, "\n")+2 || fault.Column < 1 {
				t.Errorf("%+v is not in the text", fault)
			}
		}
	})
}
