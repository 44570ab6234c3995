package apptest

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	amplitudesim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// NewAmplitude is a World of one sync of users, which is among the tests of its
// destination type, and what stands in for the vendor.
func NewAmplitude(t testing.TB) (*World, *amplitudesim.Server) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	set, err := yamlfile.Load(filepath.Join(filepath.Dir(file), "..", "..", "dest", "amplitude", "testdata", "syncs"), dest.Kinds([]dest.Vendor{amplitude.Vendor}))
	if err != nil {
		t.Fatal(err)
	}
	clock := NewClock()
	server, err := amplitudesim.New(amplitudesim.Config{APIKey: amplitudesim.Sandbox.Secret["api_key"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return NewOf(t, clock, []Service{{Vendor: amplitude.Vendor, Server: server, Secret: amplitudesim.Sandbox.Secret}}, set), server
}

// amplitudeWorld is NewAmplitude's World.
func amplitudeWorld(t testing.TB) *World {
	w, _ := NewAmplitude(t)
	return w
}

// PushAmplitude is the sample push-amplitude: the usage of two customers.
func PushAmplitude() []byte {
	const query = "01b1a2c3-0604-8f1e-0000-000000000009"
	return Request("push", query, query+":1:1:0:0",
		[]string{`"amplitude_usage"`, `{"API_CALLS_TREND":"rising","CUSTOMER_ID":"cust_003","DAILY_ACTIVE_USERS":42,"FEATURE_ADOPTION":0.85,"FIRST_PLAN":"starter","UPDATED_AT":"2024-01-15T10:40:00Z"}`},
		[]string{`"amplitude_usage"`, `{"API_CALLS_TREND":null,"CUSTOMER_ID":"cust_005","DAILY_ACTIVE_USERS":0,"FEATURE_ADOPTION":0.1,"FIRST_PLAN":"growth","UPDATED_AT":"2024-01-15T10:41:00Z"}`},
	)
}
