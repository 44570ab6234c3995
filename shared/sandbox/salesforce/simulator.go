package salesforce

import (
	"github.com/penstock-data/penstock/shared/sandbox"
)

// Sandbox is this simulator as a value. Its secret serves both flows.
var Sandbox = sandbox.Simulator{
	Type: "salesforce", Title: "Salesforce",
	Secret: secretOf(StandardCredentials()),
	Open:   start,
	Hints:  []string{"curl URL/_sandbox/records?object=Account"},
}

// StandardCredentials are those of Sandbox.
func StandardCredentials() Credentials {
	return Credentials{
		ClientID: "penstock-sandbox", ClientSecret: "penstock-sandbox-secret",
		Username: "penstock@sandbox.example", PublicKey: &standardKey.PublicKey,
	}
}

func secretOf(c Credentials) map[string]string {
	return map[string]string{"client_id": c.ClientID, "client_secret": c.ClientSecret, "username": c.Username, "private_key": encoded(standardKey)}
}

func start(s sandbox.Settings) (sandbox.Simulated, error) {
	return New(Options{
		Core:        sandbox.Options{Journal: s.Journal, Now: s.Now, ThreadCPU: true},
		Credentials: StandardCredentials(),
		OrgID:       newOrganisation(), // a new one each time that no journal is kept, since its records are new
		SchemaFile:  s.Names, AcceptCustom: s.Accept, Notice: s.Notice,
	})
}
