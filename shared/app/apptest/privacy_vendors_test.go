package apptest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/sandbox"
	amplitudesim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	hubspotsim "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
)

// others is a trail over the destinations that are matched otherwise than Salesforce's: one
// sync of each.
func others(t *testing.T) (*trail, map[string]*sandbox.Core) {
	t.Helper()
	clock := NewClock()
	hub, err := hubspotsim.New(hubspotsim.Options{Token: hubspotsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	com, err := intercomsim.New(intercomsim.Config{Token: intercomsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	amp, err := amplitudesim.New(amplitudesim.Config{APIKey: amplitudesim.Sandbox.Secret["api_key"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := NewOf(t, clock, []Service{
		{Vendor: hubspot.Vendor, Server: hub, Secret: hubspotsim.Sandbox.Secret},
		{Vendor: intercom.Vendor, Server: com, Secret: intercomsim.Sandbox.Secret},
		{Vendor: amplitude.Vendor, Server: amp, Secret: amplitudesim.Sandbox.Secret},
	}, load(t, "testdata/privacy", []dest.Vendor{hubspot.Vendor, intercom.Vendor, amplitude.Vendor}))
	return &trail{World: w, syncs: []string{"hub_contacts", "com_contacts", "amp_users"}},
		map[string]*sandbox.Core{"hub_contacts": hub.Core(), "com_contacts": com.Core(), "amp_users": amp.Core()}
}

// contact is a row of such a sync; name is the mark by which a fault knows its calls.
func (tr *trail) contact(more string) (name, object string) {
	name = tr.mark()
	return name, fmt.Sprintf(`{"id":%q,"email":"%s@%s.example","name":%q,"n":%s%s}`, tr.mark(), tr.mark(), tr.mark(), name, tr.number(), more)
}

// quotes are what a vendor may answer with a row's value in it, by status. MARK is the value.
var quotes = []sandbox.Fault{
	{Status: 400, Body: `{"status":"error","category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"MARK was not valid\",\"error\":\"MARK\",\"name\":\"firstname\"}]","correlationId":"MARK"}`},
	{Status: 400, Body: `{"type":"error.list","errors":[{"code":"parameter_invalid","message":"Custom attribute 'MARK' does not exist","field":"MARK"}]}`},
	{Status: 400, Body: `{"code":400,"error":"Invalid field values on some events: MARK","events_with_invalid_fields":{"MARK":[0]},"silenced_events":[0]}`},
	{Status: 403, Body: `{"error":"MARK","errors":[{"code":"MARK","message":"MARK"}]}`},
	{Status: 404, Body: `{"type":"error.list","errors":[{"code":"not_found","message":"MARK"}],"message":"MARK"}`},
	{Status: 409, Body: `{"category":"CONFLICT","message":"Contact already exists. Existing ID: MARK","errors":[{"code":"conflict","message":"A contact matching those details already exists with id=MARK"}]}`},
	{Status: 413, Body: `MARK`},
	{Status: 422, Body: `{"errors":[{"code":"MARK","message":"MARK"}],"category":"MARK","message":"MARK","subCategory":"MARK"}`},
	{Status: 423, Body: `{"message":"MARK","category":"MARK"}`},
	{Status: 429, Headers: map[string]string{"Retry-After": "MARK", "X-RateLimit-Reset": "MARK"}, Body: `{"message":"MARK","policyName":"MARK","errors":[{"code":"rate_limit_exceeded","message":"MARK"}],"throttled_users":{"MARK":1}}`},
	{Status: 302, Headers: map[string]string{"Location": "https://elsewhere.example/?q=MARK"}},
	{Status: 500, Body: `<html>MARK</html>`, ContentType: "text/html"},
	{Status: 207, Body: `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"MARK","message":"MARK","context":{"id":["MARK"]}}]}`},
	{Status: 200, Body: `{"id":"MARK","type":"contact","email":"MARK","name":"MARK"}`},
	{Status: 200, Body: `MARK`},
	{Cut: -9}, {Shorten: 1}, {DropAfterCommit: true},
}

func TestPrivacyOfOthers(t *testing.T) {
	for _, sync := range []string{"hub_contacts", "com_contacts", "amp_users"} {
		t.Run(sync, func(t *testing.T) {
			tr, cores := others(t)
			tr.search(t, func(t *testing.T, tr *trail) {
				text := func() string { return `"` + tr.mark() + `"` }
				for _, more := range []string{ // values and members that are not taken, by us or by the vendor
					`,"p":` + text(), `,"n":` + text(), `,"list":` + text(), `,"list":[` + text() + `,{"x":` + text() + `}]`, `,"object":{` + text() + `:{"a":` + text() + `}}`,
					`,"object":{"email":` + text() + `}`, `,"object":{"a b.` + tr.mark() + `":1}`, `,"object":[` + text() + `]`, `,"email":` + text(),
				} {
					_, object := tr.contact(more)
					tr.push(t, sync, object)
				}
				tr.Pass(t, time.Minute)
				for _, f := range quotes {
					name, object := tr.contact("")
					f.Holding, f.Count = name, -1
					f.Body = strings.ReplaceAll(f.Body, "MARK", name)
					headers := map[string]string{}
					for h, value := range f.Headers {
						headers[h] = strings.ReplaceAll(value, "MARK", name)
					}
					f.Headers = headers
					if err := cores[sync].AddFault(f); err != nil {
						t.Fatal(err)
					}
					_, neighbour := tr.contact("")
					tr.push(t, sync, object, neighbour)
					tr.Pass(t, time.Minute)
				}
			})
			if tr.failures < len(quotes)/2 {
				t.Errorf("%d rows failed: most answers were not met", tr.failures)
			}
		})
	}
}
