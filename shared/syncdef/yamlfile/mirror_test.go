package yamlfile_test

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// A mirror is an upsert that says how much it may remove.
func TestMirror(t *testing.T) {
	const head = "connection: crm_prod\ndestination_object: Account\nmatching_strategy: email\nfield_mappings: [{source: a, destination: B}]\n"
	for src, want := range map[string]string{
		"operation: mirror\n":                                  "5%",
		"operation: mirror\nmirror: {}\n":                      "5%",
		"operation: mirror\nmirror: {max_deletes: 20%}\n":      "20%",
		"operation: mirror\nmirror: {max_deletes: 200}\n":      "200",
		"operation: mirror\nmirror: {max_deletes: 0.5}\n":      "0.5",
		"operation: mirror\nmirror: {max_deletes: \"100%\"}\n": "100%",
	} {
		d, notices, err := yamlfile.Parse("health.yaml", []byte(head+src), conns, removers())
		if err != nil || d.Operation != syncdef.Upsert || d.Mirror == nil || d.Mirror.MaxDeletes != want || d.OnDelete != syncdef.RemoveArchive || len(notices) > 0 {
			t.Errorf("%s: %+v, %v, %v", src, d.Mirror, notices, err)
		}
	}
	// A file that says how much, and mirrors nothing, works as it is, and is told so.
	d, notices, err := yamlfile.Parse("health.yaml", []byte(head+"operation: upsert\nmirror: {max_deletes: 5%}\n"), conns, removers())
	if err != nil || d.Mirror != nil || len(notices) != 1 || !strings.Contains(notices[0].Message, "operation: mirror does") {
		t.Errorf("%+v, %v, %v", d.Mirror, notices, err)
	}
	for _, src := range []string{"mirror: {max_deletes: many}\n", "mirror: {max_deletes: 101%}\n", "mirror: {max_deletes: -1}\n", "mirror: {max: 1}\n", "mirror: yes\n", "on_delete: clear\n"} {
		if _, _, err := yamlfile.Parse("health.yaml", []byte(head+"operation: mirror\n"+src), conns, removers()); err == nil {
			t.Errorf("taken: %s", src)
		}
	}
	// A destination that removes nothing mirrors nothing.
	if _, _, err := yamlfile.Parse("health.yaml", []byte("connection: chat_prod\nrecord_id: id\nfield_mappings: [{source: a, destination: B}]\noperation: mirror\n"), conns, removers()); err == nil {
		t.Error("a chat is mirrored")
	}
}

func TestMirrorAllowed(t *testing.T) {
	for most, cases := range map[string]map[int64]int64{
		"5%": {0: 0, 10: 0, 20: 1, 39: 1, 1_000_000_000_000: 50_000_000_000}, "100%": {7: 7}, "0%": {100: 0}, "0.5%": {199: 0, 200: 1},
		"0.05": {100: 5, 19: 0}, "1.0": {3: 3}, ".5": {3: 1}, "2": {100: 2, 1: 2}, "": {100: 0}, "many": {100: 0}, "-1": {100: 0},
	} {
		for held, want := range cases {
			if got := (&syncdef.Mirror{MaxDeletes: most}).Allowed(held); got != want {
				t.Errorf("%q of %d: %d, want %d", most, held, got, want)
			}
		}
	}
}
