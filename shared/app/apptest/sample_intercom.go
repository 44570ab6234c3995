package apptest

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// NewIntercom is a World of the sample's sync of people, which is among the tests of
// its destination type, and what stands in for the vendor.
func NewIntercom(t testing.TB) (*World, *intercomsim.Server) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	set, err := yamlfile.Load(filepath.Join(filepath.Dir(file), "..", "..", "dest", "intercom", "testdata", "syncs"), dest.Kinds([]dest.Vendor{intercom.Vendor}))
	if err != nil {
		t.Fatal(err)
	}
	clock := NewClock()
	server, err := intercomsim.New(intercomsim.Config{Token: intercomsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return NewOf(t, clock, []Service{{Vendor: intercom.Vendor, Server: server, Secret: intercomsim.Sandbox.Secret}}, set), server
}

// intercomWorld is NewIntercom's World.
func intercomWorld(t testing.TB) *World {
	w, _ := NewIntercom(t)
	return w
}

// PushIntercom is the sample push-intercom: the health of two people.
func PushIntercom() []byte {
	const query = "01b1a2c3-0604-8f1e-0000-00000000000a"
	return Request("push", query, query+":1:1:0:0",
		[]string{`"intercom_health"`, `{"CUSTOM_ATTRIBUTES":{"account_value":"12500","health_percentage":85,"risk_level":"LOW_RISK","training_completed":true},"HEALTH_SCORE_DECIMAL":0.8547,"RISK_CATEGORY":"low_risk","USER_EMAIL":"john@acmecorp.com","USER_TAGS":["health_score_high","risk_low_risk","high_value"]}`},
		[]string{`"intercom_health"`, `{"CUSTOM_ATTRIBUTES":{"account_value":null,"health_percentage":40,"risk_level":"HIGH_RISK","training_completed":false},"HEALTH_SCORE_DECIMAL":0.4,"RISK_CATEGORY":"high_risk","USER_EMAIL":"mike@enterprise.com","USER_TAGS":["health_score_low","risk_high_risk","standard_value"]}`},
	)
}
