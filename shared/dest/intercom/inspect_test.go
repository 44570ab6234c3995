package intercom_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/intercom"
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

// What an app may not do is told: attributes that it may not read are not checked, and a
// test of the connection names the permission.
func TestDenied(t *testing.T) {
	def := with(byExternalID(), "", mapped("plan", syncdef.Integer))
	w := newWorld(t, def, func(c *sim.Config) { c.Denied = []string{"data_attributes", "tags"} })
	inspector := w.acct.(dest.Inspector)
	o, err := inspector.Describe(t.Context(), &def)
	if err != nil || !o.Makes || len(o.Notices) != 1 || !strings.Contains(o.Notices[0].Message, "permission to read them") {
		t.Errorf("%+v, %v", o, err)
	}
	rights, err := inspector.Rights(t.Context(), []syncdef.Definition{def})
	if err != nil || len(rights) != 3 || rights[0].Missing != "" || rights[1].Missing == "" || !rights[1].Some || rights[2].Missing == "" {
		t.Errorf("%+v, %v", rights, err)
	}
	tagged := def
	tagged.Fields = append(tagged.Fields, mapped("tags", syncdef.JSON))
	if rights, err := inspector.Rights(t.Context(), []syncdef.Definition{tagged}); err != nil || rights[1].Some {
		t.Errorf("a sync that writes tags needs them: %+v, %v", rights, err)
	}
	w = newWorld(t, def, func(c *sim.Config) {
		c.Attributes = append(c.Attributes, sim.Attribute{Name: "closed", Type: "string", ReadOnly: true})
	})
	if o, err = w.acct.(dest.Inspector).Describe(t.Context(), &def); err != nil {
		t.Fatal(err)
	}
	if f := o.Find("custom_attributes.closed"); f == nil || !f.NoUpdate || f.Length != 255 {
		t.Errorf("%+v", f)
	}
	if f := o.Find("created_at"); f == nil || !f.NoCreate {
		t.Errorf("%+v", f)
	}
}
