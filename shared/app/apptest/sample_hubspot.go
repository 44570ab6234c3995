package apptest

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	hubspotsim "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// NewHubSpot is a World of one sync of contacts, which is among the tests of its
// destination type, and what stands in for the vendor.
func NewHubSpot(t testing.TB) (*World, *hubspotsim.Server) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	set, err := yamlfile.Load(filepath.Join(filepath.Dir(file), "..", "..", "dest", "hubspot", "testdata", "syncs"), dest.Kinds([]dest.Vendor{hubspot.Vendor}))
	if err != nil {
		t.Fatal(err)
	}
	clock := NewClock()
	server, err := hubspotsim.New(hubspotsim.Options{Token: hubspotsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return NewOf(t, clock, []Service{{Vendor: hubspot.Vendor, Server: server, Secret: hubspotsim.Sandbox.Secret}}, set), server
}

// hubSpotWorld is NewHubSpot's World.
func hubSpotWorld(t testing.TB) *World {
	w, _ := NewHubSpot(t)
	return w
}

// PushHubSpot is the sample push-hubspot: what two customers are worth.
func PushHubSpot() []byte {
	const query = "01b1a2c3-0604-8f1e-0000-000000000008"
	return Request("push", query, query+":1:1:0:0",
		[]string{`"hubspot_contacts"`, `{"CUSTOMER_ID":"cust_001","EMAIL":"John@AcmeCorp.com","INTERESTS":["sql","etl"],"LTV_SEGMENT":"high","LTV_USD":144000,"RENEWAL_DATE":"2024-12-31","UPDATED_AT":"2024-01-15T10:30:00Z"}`},
		[]string{`"hubspot_contacts"`, `{"CUSTOMER_ID":"cust_003","EMAIL":"mike@enterprise.com","INTERESTS":null,"LTV_SEGMENT":null,"LTV_USD":null,"RENEWAL_DATE":null,"UPDATED_AT":"2024-01-15T10:40:00Z"}`},
	)
}
