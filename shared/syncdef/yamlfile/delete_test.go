package yamlfile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// removers are kinds of which the first can delete and archive.
func removers() []syncdef.Kind {
	all := slices.Clone(kinds)
	all[0].Operations = syncdef.Operations
	all[0].Removals = []syncdef.Removal{syncdef.RemoveArchive, syncdef.RemoveDelete}
	return all
}

func TestOnDelete(t *testing.T) {
	const head = "connection: crm_prod\ndestination_object: Account\nmatching_strategy: email\n"
	const fields = "field_mappings: [{source: a, destination: B}]\n"
	for src, want := range map[string]syncdef.Removal{
		head + fields: syncdef.RemoveArchive, head + "on_delete: delete\n" + fields: syncdef.RemoveDelete,
		head + "operation: insert\n" + fields: "", head + "operation: delete\n": syncdef.RemoveArchive, head + "operation: update\non_delete: archive\n" + fields: syncdef.RemoveArchive,
	} {
		d, _, err := yamlfile.Parse("health.yaml", []byte(src), conns, removers())
		if err != nil || d.OnDelete != want {
			t.Errorf("on_delete %q, want %q: %v in\n%s", d.OnDelete, want, err, src)
		}
	}
	for src, want := range map[string]string{
		head + "on_delete: clear\n" + fields:                                 "on_delete: clear is not possible with the CRM; allowed: archive, delete",
		head + "on_delete: remove\n" + fields:                                "allowed: delete, archive, clear",
		head + "operation: insert\non_delete: delete\n" + fields:             "which only adds records",
		head + "operation: delete\non_missing: create\n" + fields:            "operation delete creates nothing",
		"connection: chat_prod\nrecord_id: id\non_delete: delete\n" + fields: "on_delete: Chat removes no records",
	} {
		_, _, err := yamlfile.Parse("health.yaml", []byte(src), conns, removers())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q:\n%s", err, want, src)
		}
	}
}
