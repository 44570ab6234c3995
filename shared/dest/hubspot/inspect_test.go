package hubspot_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A property is described by what it takes and whether it may be written.
func TestDescribe(t *testing.T) {
	opts := options()
	opts.Schema = simulator.DefaultSchema()
	opts.Schema[0].Properties = append(opts.Schema[0].Properties, simulator.Property{Name: "tier", Type: "enumeration", FieldType: "select", Options: []string{"gold", "iron"}, Hidden: []string{"iron"}, Required: true})
	w := start(t, opts, byEmail)
	o, err := w.account.(dest.Inspector).Describe(t.Context(), &byEmail)
	if err != nil {
		t.Fatal(err)
	}
	if f := o.Find("tier"); !f.Required || !f.Options[1].Hidden || f.Options[0].Hidden || slices.Contains(f.Takes, syncdef.JSON) {
		t.Errorf("%+v", f)
	}
	if f := o.Find("interests"); !f.Several || !slices.Contains(f.Takes, syncdef.JSON) {
		t.Errorf("%+v", f)
	}
	if f := o.Find("hubspot_owner_id"); f.Options != nil {
		t.Errorf("options that are elsewhere: %+v", f)
	}
	if f := o.Find("createdate"); !f.NoCreate || !f.NoUpdate || f.Why == "" {
		t.Errorf("%+v", f)
	}
	if f := o.Find("email"); !f.Key || f.Required {
		t.Errorf("%+v", f)
	}
	if o.Find("Tier") != nil {
		t.Error("internal names tell case")
	}
	names, err := w.account.(dest.Inspector).Objects(t.Context())
	if err != nil || !slices.Contains(names, "companies") {
		t.Error(names, err)
	}
}

// A scope that the key lacks is named: to read an object at once, to write its records
// when the connection is tested, which writes none.
func TestScopes(t *testing.T) {
	opts := options()
	opts.Scopes = []string{"crm.objects.contacts.read", "crm.objects.deals.read", "crm.objects.deals.write"}
	w := start(t, opts, byEmail)
	inspector := w.account.(dest.Inspector)
	uses := []syncdef.Definition{byEmail, byEmail, {Object: "deal"}}
	rights, err := inspector.Rights(t.Context(), uses)
	if err != nil || len(rights) != 2 || !strings.Contains(rights[0].Missing, "crm.objects.contacts.write") || rights[1].Missing != "" {
		t.Errorf("%+v, %v", rights, err)
	}
	var call *dest.CallError
	companies := syncdef.Definition{Object: "companies"}
	if _, err := inspector.Describe(t.Context(), &companies); !errors.As(err, &call) || call.Scope != dest.ScopeVersion || !strings.Contains(call.Message, "crm.objects.companies.read") {
		t.Error(err)
	}
	if err := w.sim.Core().AddFault(sandbox.Fault{Match: "batch/update", Status: 503, Count: -1}); err != nil {
		t.Fatal(err)
	}
	if _, err := inspector.Rights(t.Context(), uses); !errors.As(err, &call) || call.Class != dest.Unavailable {
		t.Error("an outage is no right:", err)
	}
}
