package salesforce

import (
	"github.com/penstock-data/penstock/shared/sandbox"
)

// Sandbox is this simulator as a value.
var Sandbox = sandbox.Simulator{
	Type: "salesforce", Title: "Salesforce",
	Secret: map[string]string{"client_id": "penstock-sandbox", "client_secret": "penstock-sandbox-secret"},
	Open:   start,
	Hints:  []string{"curl URL/_sandbox/records?object=Account"},
}

func start(s sandbox.Settings) (sandbox.Simulated, error) {
	return New(Options{
		Core:        sandbox.Options{Journal: s.Journal, Now: s.Now, ThreadCPU: true},
		Credentials: Credentials{ClientID: "penstock-sandbox", ClientSecret: "penstock-sandbox-secret"},
		OrgID:       newOrganisation(), // a new one each time that no journal is kept, since its records are new
		SchemaFile:  s.Names, AcceptCustom: s.Accept, Notice: s.Notice,
	})
}
