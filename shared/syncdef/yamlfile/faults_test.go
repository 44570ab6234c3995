package yamlfile_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

var update = flag.Bool("update", false, "write the golden files")

var conns = syncdef.Connections{
	{Name: "crm_prod", Type: "crm"},
	{Name: "chat_prod", Type: "chat"},
}

// golden compares a text with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: want -, got + (go test -update writes it)\n%s", name, diff)
	}
}

const (
	account = "destination_object: Account\nmatching_strategy: email_domain\n"
	fields  = "field_mappings: [{source: a, destination: B__c}]\n"
	chat    = "connection: chat_prod\nrecord_id: id\nchat: {channel: \"#a\"}\n"
	message = "field_mappings: [{source: a, destination: text}]\n"
)

// one is a definition with a single mapping and these settings in it.
func one(settings string) string {
	return account + "field_mappings:\n  - {source: a, destination: B__c, " + settings + "}\n"
}

// faults are all that a definition can be told: a text, and the paths that it
// must be blamed for, in the order of the text. The wording is in the golden file.
var faults = []struct{ name, src, paths string }{
	// the file
	{"empty file", "", ""},
	{"only a comment", "# nothing\n", ""},
	{"not YAML", "a: [1\n", ""},
	{"star without quotes", account + "sync_frequency: */15 * * * *\n" + fields, ""},
	{"tab", "a:\n\tb: 1\n", ""},
	{"colon in a value", "a: b: c\n", ""},
	{"not a mapping", "- a\n", ""},
	{"two documents", account + fields + "---\na: 1\n", ""},
	{"alias", "destination_object: &o Account\nmatching_strategy: email_domain\nmatch: {source: email, destination: *o}\n" + fields, ""},
	{"merge", account + "field_mappings: [{<<: {source: a}, source: a, destination: B__c}]\n", ""},

	// keys
	{"unknown key, near", account + "feild_mappings: []\n" + fields, "feild_mappings"},
	{"unknown key, far", account + fields + "colour: red\n", "colour"},
	{"unknown key in a mapping", one("max_lenght: 3"), "field_mappings[0].max_lenght"},
	{"duplicate key", account + fields + "lanes: 1\nlanes: 2\n", "lanes"},
	{"key without value", account + fields + "lanes:\n", "lanes"},
	{"key that is a list", account + fields + "[a, b]: 1\n", ""},
	{"everything missing", "lanes: 2\nconnection: crm_prod\n", "destination_object field_mappings matching_strategy"},
	{"everything missing, the connection too", "lanes: 2\n", "connection field_mappings"},
	{"several at once", account + "lanes: 65\nbatch_size: 0\n" + one("scale: 1")[len(account):], "lanes batch_size field_mappings[0].scale"},

	// names and numbers
	{"sync name", account + fields + "sync: Health\n", "sync"},
	{"sync blank", account + fields + "sync: \" \"\n", "sync"},
	{"lanes above", account + fields + "lanes: 65\n", "lanes"},
	{"lanes below", account + fields + "lanes: 0\n", "lanes"},
	{"lanes as text", account + fields + "lanes: \"4\"\n", "lanes"},
	{"batch size above", account + fields + "batch_size: 10001\n", "batch_size"},
	{"batch size with a point", account + fields + "batch_size: 10.5\n", "batch_size"},
	{"model that is a SELECT", account + fields + "model: SELECT * FROM t\n", "model"},
	{"model in quotes", account + fields + "model: '\"My Table\"'\n", "model"},
	{"model of four parts", account + fields + "model: a.b.c.d\n", "model"},
	{"model as a list", account + fields + "model: [t]\n", "model"},
	{"frequency", account + fields + "sync_frequency: sometimes\n", "sync_frequency"},
	{"frequency too short", account + fields + "sync_frequency: every 0m\n", "sync_frequency"},
	{"cron", account + fields + "sync_frequency: 0 25 * * *\n", "sync_frequency"},
	{"cron that never fires", account + fields + "sync_frequency: 0 0 30 2 *\n", "sync_frequency"},
	{"schedule as a word", account + fields + "schedule: hourly\n", "schedule"},
	{"schedule without a frequency", account + fields + "schedule: {time_zone: UTC}\n", "schedule"},
	{"schedule's zone", account + fields + "sync_frequency: daily\nschedule: {time_zone: Berlin}\n", "schedule.time_zone"},
	{"schedule in this machine's zone", account + fields + "sync_frequency: daily\nschedule: {time_zone: Local}\n", "schedule.time_zone"},
	{"jitter without a unit", account + fields + "sync_frequency: daily\nschedule: {jitter: 60}\n", "schedule.jitter"},
	{"jitter as long as the interval", account + fields + "sync_frequency: every 15m\nschedule: {jitter: 15m}\n", "schedule.jitter"},
	{"jitter as long as the shortest gap", account + fields + "sync_frequency: 0,10 6 * * *\nschedule: {jitter: 10m}\n", "schedule.jitter"},
	{"schedule of a stream that is none", account + fields + "sync_frequency: daily\nschedule: {mode: cdc}\n", "schedule.mode"},
	{"when running", account + fields + "sync_frequency: daily\nschedule: {when_running: wait}\n", "schedule.when_running"},
	{"a schedule's dry run", account + fields + "sync_frequency: daily\nschedule: {mode: dry_run}\n", "schedule.mode"},
	{"unknown key of a schedule", account + fields + "sync_frequency: daily\nschedule: {zone: UTC}\n", "schedule.zone"},
	{"after nothing", account + fields + "after: []\n", "after"},
	{"after itself", account + fields + "sync: a\nafter: a\n", "after[0]"},
	{"after no name", account + fields + "after: [A b]\n", "after[0]"},
	{"after twice", account + fields + "after: [a, b, a]\n", "after"},
	{"error handling", account + fields + "error_handling: ignore\n", "error_handling"},
	{"on duplicate", account + fields + "on_duplicate: first\n", "on_duplicate"},
	{"send", account + fields + "send: some\n", "send"},

	// the connection and the object
	{"unknown connection", account + fields + "connection: crm_prd\n", "connection"},
	{"object is no name", "destination_object: \"Account; DROP\"\nmatching_strategy: email_domain\n" + fields, "destination_object"},
	{"operation", account + fields + "operation: merge\n", "operation"},
	{"delete", account + fields + "operation: delete\n", "operation"},
	{"mirror", account + fields + "operation: mirror\n", "operation"},
	{"the section of another type", account + fields + "chat: {channel: a}\n", "chat"},

	// matching
	{"strategy", "destination_object: Account\nmatching_strategy: phone\n" + fields, "matching_strategy"},
	{"strategy missing", "destination_object: Account\n" + fields, "matching_strategy"},
	{"field without match", "destination_object: Account\nmatching_strategy: field\n" + fields, "match"},
	{"external id without match", "destination_object: Account\nmatching_strategy: external_id\nrecord_id: id\n" + fields, "match"},
	{"match without strategy", "destination_object: Account\noperation: insert\nrecord_id: id\nmatch: {source: a}\n" + fields, "match"},
	{"match is a word", account + "match: email\n" + fields, "match"},
	{"match key", account + "match: {src: email}\n" + fields, "match.src"},
	{"match destination", account + "match: {destination: Web site}\n" + fields, "match.destination"},
	{"insert without identity", "destination_object: Account\noperation: insert\n" + fields, "record_id"},
	{"record id twice", account + "record_id: [id, ID]\n" + fields, "record_id[1]"},
	{"record id number", account + "record_id: [id, 7]\n" + fields, "record_id[1]"},
	{"record id empty", account + "record_id: []\n" + fields, "record_id"},
	{"create on update", account + "operation: update\non_missing: create\n" + fields, "on_missing"},
	{"on missing on insert", account + "operation: insert\non_missing: report\n" + fields, "on_missing"},
	{"on missing", account + "on_missing: skip\n" + fields, "on_missing"},

	// mappings
	{"mappings are a mapping", account + "field_mappings: {a: B__c}\n", "field_mappings"},
	{"mappings are empty", account + "field_mappings: []\n", "field_mappings"},
	{"a mapping is a word", account + "field_mappings: [a]\n", "field_mappings[0]"},
	{"source and destination missing", account + "field_mappings: [{data_type: string}]\n", "field_mappings[0].source field_mappings[0].destination"},
	{"source is a number", account + "field_mappings: [{source: 1, destination: B__c}]\n", "field_mappings[0].source"},
	{"destination blank", account + "field_mappings: [{source: a, destination: \" \"}]\n", "field_mappings[0].destination"},
	{"destination twice", account + "field_mappings:\n  - {source: a, destination: B__c}\n  - {source: b, destination: b__C}\n", "field_mappings[1].destination"},
	{"Id mapped", account + "field_mappings: [{source: a, destination: Id}]\n", "field_mappings[0].destination"},
	{"data type", one("data_type: text"), "field_mappings[0].data_type"},
	{"data type, its settings not judged", one("data_type: decimal, scale: 1, min: 0, values: [a]"), "field_mappings[0].data_type"},
	{"scale on text", one("scale: 1"), "field_mappings[0].scale"},
	{"scale on an integer", one("data_type: integer, scale: 1"), "field_mappings[0].scale"},
	{"scale above", one("data_type: number, scale: 19"), "field_mappings[0].scale"},
	{"min on text", one("min: 1"), "field_mappings[0].min"},
	{"min is a word", one("data_type: number, min: low"), "field_mappings[0].min"},
	{"min with an exponent", one("data_type: number, min: 1e999999999"), "field_mappings[0].min"},
	{"min over max", one("data_type: number, min: 10, max: 9.5"), "field_mappings[0].min"},
	{"no whole number between", one("data_type: integer, min: 0.5, max: 0.7"), "field_mappings[0].min"},
	{"no whole number between, below zero", one("data_type: integer, min: -0.7, max: -0.5"), "field_mappings[0].min"},
	{"value with blanks in a multipicklist", one("data_type: multipicklist, values: [\" a\", b]"), "field_mappings[0].values[0]"},
	{"separator empty", one("as: join, separator: \"\""), "field_mappings[0].separator"},
	{"separator empty, of names", one("data_type: json, as: flat, separator: \"\""), "field_mappings[0].separator"},
	{"values on text", one("values: [a]"), "field_mappings[0].values"},
	{"values empty", one("data_type: picklist, values: []"), "field_mappings[0].values"},
	{"value twice", one("data_type: picklist, values: [a, b, a]"), "field_mappings[0].values[2]"},
	{"value blank", one("data_type: picklist, values: [a, \"\"]"), "field_mappings[0].values[1]"},
	{"value is a list", one("data_type: picklist, values: [[a]]"), "field_mappings[0].values[0]"},
	{"max_length on a number", one("data_type: number, max_length: 3"), "field_mappings[0].max_length"},
	{"max_length zero", one("max_length: 0"), "field_mappings[0].max_length"},
	{"on_too_long alone", one("on_too_long: truncate"), "field_mappings[0].on_too_long"},
	{"on_too_long", one("max_length: 3, on_too_long: cut"), "field_mappings[0].on_too_long"},
	{"transform", one("transform: [trim, shout]"), "field_mappings[0].transform[1]"},
	{"transform that no value survives", one("data_type: picklist, values: [at risk, Healthy, 1], transform: [trim, lower]"), "field_mappings[0].values[1]"},
	{"transform on a date", one("data_type: date, transform: trim"), "field_mappings[0].transform"},
	{"time zone", one("data_type: datetime, time_zone: Europe/Atlantis"), "field_mappings[0].time_zone"},
	{"time zone of the machine", one("data_type: datetime, time_zone: Local"), "field_mappings[0].time_zone"},
	{"time zone of a file of this machine", one("data_type: datetime, time_zone: posixrules"), "field_mappings[0].time_zone"},
	{"time zone on a date", one("data_type: date, time_zone: UTC"), "field_mappings[0].time_zone"},
	{"time zone of an epoch", one("data_type: datetime, format: epoch_seconds, time_zone: UTC"), "field_mappings[0].time_zone"},
	{"format", one("data_type: datetime, format: iso"), "field_mappings[0].format"},
	{"format on text", one("format: epoch_seconds"), "field_mappings[0].format"},
	{"on_unknown", one("data_type: picklist, values: [a], default: a, on_unknown: keep"), "field_mappings[0].on_unknown"},
	{"on_unknown on text", one("default: a, on_unknown: default"), "field_mappings[0].on_unknown"},
	{"on_unknown without values", one("data_type: picklist, default: a, on_unknown: default"), "field_mappings[0].on_unknown"},
	{"on_unknown default without one", one("data_type: picklist, values: [a], on_unknown: default"), "field_mappings[0].on_unknown"},
	{"on_null", one("on_null: drop"), "field_mappings[0].on_null"},
	{"on_null default without one", one("on_null: default"), "field_mappings[0].on_null"},
	{"default outside values", one("data_type: picklist, values: [a, b], default: c"), "field_mappings[0].default"},
	{"default is no number", one("data_type: number, default: none"), "field_mappings[0].default"},
	{"default is no whole number", one("data_type: integer, default: 1.5"), "field_mappings[0].default"},
	{"default below min", one("data_type: number, min: 0, default: -1"), "field_mappings[0].default"},
	{"default above max", one("data_type: number, max: 9, default: 10"), "field_mappings[0].default"},
	{"default is no boolean", one("data_type: boolean, default: 1"), "field_mappings[0].default"},
	{"default is no JSON", one("data_type: json, default: \"{\""), "field_mappings[0].default"},
	{"default is no email", one("data_type: email, default: nobody"), "field_mappings[0].default"},
	{"default is no date", one("data_type: date, default: soon"), "field_mappings[0].default"},
	{"default before the destination's dates", one("data_type: date, default: 1899-12-31"), "field_mappings[0].default"},
	{"default is no time", one("data_type: datetime, default: noon"), "field_mappings[0].default"},
	{"default is an email of no domain", one("data_type: email, default: \"a@b\""), "field_mappings[0].default"},
	{"value longer than max_length", one("data_type: picklist, values: [abcd], max_length: 3"), "field_mappings[0].values"},
	{"default too long", one("max_length: 3, default: four"), "field_mappings[0].default"},
	{"default is a list", one("default: [a]"), "field_mappings[0].default"},

	// rows that failed
	{"attempts above", account + fields + "retry: {attempts: 21}\n", "retry.attempts"},
	{"attempts below", account + fields + "retry: {attempts: 0}\n", "retry.attempts"},
	{"base without a unit", account + fields + "retry: {base: 60}\n", "retry.base"},
	{"base is no duration", account + fields + "retry: {base: soon}\n", "retry.base"},
	{"base too short", account + fields + "retry: {base: 10ms}\n", "retry.base"},
	{"max too long", account + fields + "retry: {max: 25h}\n", "retry.max"},
	{"max below base", account + fields + "retry: {base: 2h, max: 1h}\n", "retry.max"},
	{"base above the usual max", account + fields + "retry: {base: 2h}\n", "retry.base"},
	{"retry is a number", account + fields + "retry: 3\n", "retry"},
	{"retry key", account + fields + "retry: {tries: 3}\n", "retry.tries"},
	{"store_source", account + fields + "store_source: some\n", "store_source"},
	{"include_failed is no duration", account + fields + "incremental: {cursor: a, include_failed: a day}\n", "incremental.include_failed"},
	{"include_failed negative", account + fields + "incremental: {cursor: a, include_failed: -1h}\n", "incremental.include_failed"},
	{"include_failed too long", account + fields + "incremental: {cursor: a, include_failed: 721h}\n", "incremental.include_failed"},

	// a match that cannot work
	{"match case is a word", byField("case: sometimes", "string"), "match.case"},
	{"match type", byField("data_type: decimal", "string"), "match.data_type"},
	{"case of a number", byField("case: true, data_type: number", "number"), "match.case"},
	{"case of an id", byField("case: true, data_type: id", "string"), "match.case"},
	{"case of a mapped number", byField("case: false", "integer"), "match.case"},
	{"case of a mapped date", byField("case: false", "date"), "match.case"},
	{"number, mapped as text", byField("data_type: number", "string"), "match.data_type"},
	{"text, mapped as a number", byField("data_type: text", "number"), "match.data_type"},
	{"id, mapped as a picklist", byField("data_type: id", "picklist"), "match.data_type"},
	{"case kept in the match, changed in the mapping", byField("case: true", "string, transform: [trim, lower]"), "match.case"},
	{"email as a number", "destination_object: Contact\nmatching_strategy: email\nmatch: {data_type: number}\n" + fields, "match.data_type"},
	{"domain as an id", account + "match: {data_type: id}\n" + fields, "match.data_type"},
	{"case of a domain", account + "match: {case: true}\n" + fields, "match.case"},
	{"name, mapped as a number", "destination_object: Account\nmatching_strategy: name\nfield_mappings: [{source: n, destination: name, data_type: number}]\n", "field_mappings[0].data_type"},

	// who may
	{"allow is a word", account + fields + "allow: analyst\n", "allow"},
	{"allow names nobody", account + fields + "allow: {}\n", "allow"},
	{"allow: no list", account + fields + "allow: {push: }\n", "allow.push"},
	{"allow: an empty list", account + fields + "allow: {push: [], errors: [SUPPORT]}\n", "allow.push"},
	{"allow: misspelt", account + fields + "allow: {pusch: [LOADER], errors: [SUPPORT]}\n", "allow.pusch"},
	{"allow: no name", account + fields + "allow: {push: [LOADER, 7, \" \"], errors: {role: SUPPORT}}\n", "allow.push[1] allow.push[2] allow.errors[0]"},
	{"allow: twice", account + fields + "allow: {push: [LOADER, LOADER]}\n", "allow.push[1]"},
	{"allow: too long", account + fields + "allow: {push: [" + strings.Repeat("R", 1021) + "]}\n", "allow.push[0]"},
	{"allow: too many", account + fields + "allow: {push: [" + manyRoles + "]}\n", "allow.push"},

	// incremental and what a later version does
	{"incremental without cursor", account + fields + "incremental: {include_failed: 24h}\n", "incremental.cursor"},
	{"incremental is empty", account + fields + "incremental: {}\n", "incremental.cursor"},
	{"created without cursor", account + fields + "incremental: {created: b}\n", "incremental.cursor"},
	{"created is the cursor", account + fields + "incremental: {cursor: a, created: A}\n", "incremental.created"},
	{"overlap is no duration", account + fields + "incremental: {cursor: a, overlap: a bit}\n", "incremental.overlap"},
	{"overlap too long", account + fields + "incremental: {cursor: a, overlap: 721h}\n", "incremental.overlap"},
	{"overlap negative", account + fields + "incremental: {cursor: a, overlap: -5}\n", "incremental.overlap"},
	{"always without period", account + fields + "incremental: {cursor: a, always: mrr > 10000}\n", "incremental.always"},
	{"always too often", account + fields + "incremental: {cursor: a, always: mrr > 10000 every 5s}\n", "incremental.always"},
	{"always ends the statement", account + fields + "incremental: {cursor: a, always: \"true; DROP TABLE x every 24h\"}\n", "incremental.always"},
	{"always hides", account + fields + "incremental: {cursor: a, always: \"true -- every 24h\"}\n", "incremental.always"},
	{"always hides differently", account + fields + "incremental: {cursor: a, always: \"a /* b */ every 24h\"}\n", "incremental.always"},
	{"always leaves its brackets", account + fields + "incremental: {cursor: a, always: \"a) OR (b every 24h\"}\n", "incremental.always"},
	{"always is several", account + fields + "incremental: {cursor: a, always: \"a, b every 24h\"}\n", "incremental.always"},
	{"always with an open quote", account + fields + "incremental: {cursor: a, always: \"a = 'b every 24h\"}\n", "incremental.always"},
	{"always with an escape", account + fields + "incremental: {cursor: a, always: 'a = ''\\'' every 24h'}\n", "incremental.always"},
	{"order_by ends the statement", account + fields + "incremental: {cursor: a, order_by: [b, \"c; d\"]}\n", "incremental.order_by[1]"},
	{"order_by is several", account + fields + "incremental: {cursor: a, order_by: \"b, c\"}\n", "incremental.order_by[0]"},
	{"order_by is empty", account + fields + "incremental: {cursor: a, order_by: []}\n", "incremental.order_by"},
	{"stream and cursor", account + fields + "incremental: {cursor: a, stream: b}\n", "incremental.cursor"},
	{"stream and always", account + fields + "incremental: {stream: b, always: a every 24h, order_by: c, changed_only: true}\n", "incremental.always incremental.order_by incremental.changed_only"},
	{"stream is no name", account + fields + "incremental: {stream: 'a b'}\n", "incremental.stream"},
	{"changed_only and cursor", account + fields + "incremental: {cursor: a, changed_only: true, overlap: 5m}\n", "incremental.cursor incremental.overlap"},
	{"changed_only is a word", account + fields + "incremental: {changed_only: sometimes}\n", "incremental.changed_only"},
	{"a column of ours", account + fields + "incremental: {cursor: Penstock_Priority}\n", "incremental.cursor"},
	{"incremental is a word", account + fields + "incremental: updated_at\n", "incremental"},
	{"incremental key", account + fields + "incremental: {cursor: a, kursor: b}\n", "incremental.kursor"},
	{"quality share", account + fields + "quality: {warn_over: 5}\n", "quality.warn_over"},
	{"quality share of many digits", account + fields + "quality: {block_over: 0.123456789, rules: [{column: a, not_null: true, warn_over: 101%}]}\n", "quality.block_over quality.rules[0].warn_over"},
	{"quality of nothing", account + fields + "quality: {warn_over: 1%, rules: []}\n", "quality"},
	{"quality key", account + fields + "quality: {warn: 1%}\n", "quality.warn"},
	{"quality rules", account + fields + "quality: {rules: {column: a}}\n", "quality.rules"},
	{"quality rule", account + fields + "quality: {rules: [{not_null: true}]}\n", "quality.rules[0].column"},
	{"quality rule of no kind", account + fields + "quality: {rules: [{column: a, warn_over: 1%}]}\n", "quality.rules[0]"},
	{"quality rule misspelt", account + fields + "quality: {rules: [{column: a, notnull: true}]}\n", "quality.rules[0].notnull"},
	{"quality rule of two kinds", account + fields + "quality: {rules: [{column: a, not_null: true, max_length: 3}]}\n", "quality.rules[0].max_length"},
	{"quality rule that is false", account + fields + "quality: {rules: [{column: a, not_null: false}]}\n", "quality.rules[0].not_null"},
	{"quality rule that warns too late", account + fields + "quality: {block_over: 5%, rules: [{column: a, not_null: true, warn_over: 6%}]}\n", "quality.rules[0].warn_over"},
	{"quality that warns too late", account + fields + "quality: {warn_over: 0.2, block_over: 0.1, min_rows: 1}\n", "quality.warn_over"},
	{"quality rule that only counts", account + fields + "quality: {rules: [{column: a, not_null: true, count_only: true, block_over: 0}]}\n", "quality.rules[0].block_over"},
	{"quality between one", account + fields + "quality: {rules: [{column: a, between: [1]}, {column: b, between: 3}, {column: c, between: [a, 1]}, {column: d, between: [2, 1]}]}\n", "quality.rules[0].between quality.rules[1].between quality.rules[2].between[0] quality.rules[3].between"},
	{"quality length", account + fields + "quality: {rules: [{column: a, max_length: 0}, {column: b, max_length: long}]}\n", "quality.rules[0].max_length quality.rules[1].max_length"},
	{"quality in", account + fields + "quality: {rules: [{column: a, in: []}, {column: b, in: low}, {column: c, in: [null, [a], .inf, 0x1F, \"a\\tb\"]}]}\n", "quality.rules[0].in quality.rules[1].in quality.rules[2].in[0] quality.rules[2].in[1] quality.rules[2].in[2] quality.rules[2].in[3] quality.rules[2].in[4]"},
	{"quality rows", account + fields + "quality: {min_rows: -1}\n", "quality.min_rows"},
	{"quality matches: look-around", account + fields + "quality: {rules: [{column: a, matches: \"^(?=.*@)a\"}, {column: a, matches: \"a(?!b)\"}, {column: a, matches: \"(?<=a)b\"}]}\n", "quality.rules[0].matches quality.rules[1].matches quality.rules[2].matches"},
	{"quality matches: what differs", account + fields + `quality: {rules: [{column: a, matches: '(a)\1'}, {column: a, matches: '\bab'}, {column: a, matches: '(?m)^a'}, {column: a, matches: '\p{Greek}'}, {column: a, matches: '[\\/]'}, {column: a, matches: '\t'}, {column: a, matches: 'a{300}'}, {column: a, matches: 'a('}, {column: a, matches: 7}]}` + "\n", "quality.rules[0].matches quality.rules[1].matches quality.rules[2].matches quality.rules[3].matches quality.rules[4].matches quality.rules[5].matches quality.rules[6].matches quality.rules[7].matches quality.rules[8].matches"},
	{"mirror share", account + fields + "mirror: {max_deletes: many}\n", "mirror.max_deletes"},
	{"notifications", account + fields + "notifications: {type: email}\n", "notifications"},
	{"notification", account + fields + "notifications: [{recipients: [1]}]\n", "notifications[0].type notifications[0].recipients[0]"},
	{"a notification is a word", account + fields + "notifications: [email]\n", "notifications[0]"},
	{"mirror is a word", account + fields + "mirror: 5%\n", "mirror"},
	{"quality is a list", account + fields + "quality: [a]\n", "quality"},
	{"alias in a section", account + fields + "mirror: {a: &x 1, b: *x}\n", "mirror.a mirror.b "},
	{"freshness", account + fields + "freshness: {warn_after: 2}\n", "freshness.warn_after"},
	{"freshness is a duration", account + fields + "freshness: 2h\n", "freshness"},
	{"freshness key", account + fields + "freshness: {warn: 2h}\n", "freshness.warn"},
	{"freshness no duration", account + fields + "freshness: {stale_after: soon}\n", "freshness.stale_after"},
	{"freshness too short", account + fields + "freshness: {stale_after: 30s}\n", "freshness.stale_after"},
	{"freshness too long", account + fields + "freshness: {stale_after: 9000h}\n", "freshness.stale_after"},
	{"freshness warns late", account + fields + "freshness: {warn_after: 5h, stale_after: 4h}\n", "freshness.warn_after"},

	// a type of one object, without matching
	{"chat: nothing given", "connection: chat_prod\nlanes: 1\n", "field_mappings record_id chat.channel"},
	{"chat: no channel", "connection: chat_prod\nrecord_id: id\n" + message, "chat.channel"},
	{"chat: object", chat + message + "destination_object: reaction\n", "destination_object"},
	{"chat: upsert", chat + message + "operation: upsert\n", "operation"},
	{"chat: unknown operation", chat + message + "operation: send\n", "operation"},
	{"chat: delete", chat + message + "operation: delete\n", "operation"},
	{"chat: matching", chat + message + "matching_strategy: email\nmatch: {source: a}\non_missing: report\n", "matching_strategy match on_missing"},
	{"chat: channel with a blank", "connection: chat_prod\nrecord_id: id\nchat: {channel: two words}\n" + message, "chat.channel"},
	{"chat: digest", "connection: chat_prod\nrecord_id: id\nchat: {channel: a, digest_over: 0}\n" + message, "chat.digest_over"},
	{"chat: section is a word", "connection: chat_prod\nrecord_id: id\nchat: a\n" + message, "chat"},
	{"chat: boolean", "connection: chat_prod\nrecord_id: id\nchat: {channel: a, threads: often}\n" + message, "chat.threads"},
	{"chat: text", "connection: chat_prod\nrecord_id: id\nchat: {channel: a, greeting: 7}\n" + message, "chat.greeting"},
	{"chat: empty key", "connection: chat_prod\nrecord_id: id\nchat: {channel: , digest_over: 3}\n" + message, "chat.channel"},
	{"chat: key of a mapping", chat + "field_mappings: [{source: a, destination: text, markup: maybe, tone: shrill}]\n", "field_mappings[0].markup field_mappings[0].tone"},
	{"crm: no such key of a mapping", one("markup: true"), "field_mappings[0].markup"},
	{"crm: own key", account + "crm: {duplicates: keep}\n" + fields, "crm.duplicates"},
	{"chat: key", "connection: chat_prod\nrecord_id: id\nchat: {channel: a, thread: b}\n" + message, "chat.thread"},
}

var manyRoles = func() string {
	names := make([]string, 101)
	for i := range names {
		names[i] = fmt.Sprintf("R%d", i)
	}
	return strings.Join(names, ", ")
}()

// byField matches by a field that is mapped too, with these settings of match and
// of the mapping's data_type.
func byField(match, mapped string) string {
	return "destination_object: Account\nmatching_strategy: field\noperation: update\nmatch: {source: code, destination: Code__c, " + match +
		"}\nfield_mappings: [{source: code, destination: code__c, data_type: " + mapped + "}]\n"
}

func TestFaults(t *testing.T) {
	var out strings.Builder
	for _, c := range faults {
		_, _, err := yamlfile.Parse("health.yaml", []byte(c.src), conns, kinds)
		var got syncdef.Faults
		if !errors.As(err, &got) {
			t.Errorf("%s: no faults (%v) in\n%s", c.name, err, c.src)
			continue
		}
		paths := make([]string, len(got))
		for i, f := range got {
			paths[i] = f.Path
			if f.File != "health.yaml" || f.Line < 1 || f.Column < 1 {
				t.Errorf("%s: a fault without its place: %+v", c.name, f)
			}
		}
		if diff := cmp.Diff(c.paths, strings.Join(paths, " ")); diff != "" {
			t.Errorf("%s: paths, want -, got +\n%s\n%v", c.name, diff, err)
		}
		fmt.Fprintf(&out, "== %s\n%s\n", c.name, err)
	}
	golden(t, "faults.golden", out.String())
}

// A file given by mistake costs little and says little.
func TestHugeFiles(t *testing.T) {
	_, _, err := yamlfile.Parse("dump.yaml", []byte(strings.Repeat("# x\n", 300_000)), conns, kinds)
	if want := "dump.yaml:1:1: the file has 1200000 bytes; a sync definition has at most 1048576"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "column_%d: 1\n", i)
	}
	_, _, err = yamlfile.Parse("dump.yaml", []byte(b.String()), conns, kinds)
	var got syncdef.Faults
	if !errors.As(err, &got) || len(got) != 200 {
		t.Errorf("%d faults for 20,000 unknown keys, want 200", len(got))
	}
}

func TestConnectionIsChosenOrAskedFor(t *testing.T) {
	two := append(syncdef.Connections{{Name: "crm_eu", Type: "crm"}}, conns...)
	for _, c := range []struct {
		name  string
		src   string
		conns syncdef.Connections
		want  string // the connection, or a part of the fault
	}{
		{"the one", account + fields, conns, "crm_prod"},
		{"the one for messages", "destination_object: message\nrecord_id: id\nchat: {channel: a}\n" + message, conns, "chat_prod"},
		{"told by the section", "record_id: id\nchat: {channel: a}\n" + message, conns, "chat_prod"},
		{"named", "connection: crm_eu\n" + account + fields, two, "crm_eu"},
		{"two", account + fields, two, "name one: crm_eu, crm_prod"},
		{"none of the type", account + fields, conns.OfType("chat"), "has none of type crm; there are: chat_prod"},
		{"none at all", account + fields, nil, "it has no connections at all"},
		{"misspelt", "connection: crm_pord\n" + account + fields, two, "did you mean crm_prod? There are: crm_eu, crm_prod, chat_prod"},
	} {
		d, _, err := yamlfile.Parse("a.yaml", []byte(c.src), c.conns, kinds)
		if got := d.Connection + fmt.Sprint(err); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", c.name, d.Connection, err, c.want)
		}
	}
}
