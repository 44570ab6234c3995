package intercom_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// A definition is held against the workspace before its first row.
func TestInspect(t *testing.T) {
	fields := []syncdef.Field{
		mapped("name", syncdef.String), mapped("phone", syncdef.String), mapped("score", syncdef.Integer), mapped("seen", syncdef.DateTime), mapped("seen_text", syncdef.Date),
		mapped("gone", syncdef.String), mapped("locked", syncdef.String), mapped("seats", syncdef.Number), mapped("active", syncdef.String),
		{Source: "t", Destination: "tier", Type: syncdef.Picklist, Values: []string{"gold", "bronze"}}, {Source: "n", Destination: "custom_attributes.note", Type: syncdef.String, MaxLength: 300},
	}
	def := with(byExternalID(), "", fields...)
	def.Fields = fields
	w := newWorld(t, def)
	check := func() []syncdef.Fault {
		t.Helper()
		object, err := w.acct.(dest.Inspector).Describe(t.Context(), &def)
		if err != nil {
			t.Fatal(err)
		}
		return metadata.Check(&def, object).Faults
	}
	faults := check()
	var paths []string
	for _, f := range faults {
		paths = append(paths, strings.TrimPrefix(f.Path, "field_mappings"))
	}
	if d := cmp.Diff([]string{"[5].destination", "[6].destination", "[7].data_type", "[8].data_type", "[9].values[1]", "[10].max_length"}, paths); d != "" {
		t.Errorf("%s%v", d, syncdef.Faults(faults))
	}
	def.Options = []byte(`{"create_attributes":true}`)
	if faults := check(); len(faults) != 5 {
		t.Errorf("%v", faults)
	}
	w.restart()
	w.arm(sandbox.Fault{Match: "/data_attributes", Status: 503, Body: "down"})
	if _, err := w.acct.(dest.Inspector).Describe(t.Context(), &def); asCall(t, err).Class != dest.Unavailable {
		t.Error(err)
	}
}
