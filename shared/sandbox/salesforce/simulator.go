package salesforce

import (
	"hash/fnv"

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
		OrgID:       organisation(s.Journal),
		SchemaFile:  s.Names, AcceptCustom: s.Accept, Notice: s.Notice,
	})
}

// organisation is the organisation's id: each journal is one of its own.
func organisation(journal string) string {
	h := fnv.New64a()
	h.Write([]byte(journal))
	var id [18]byte
	copy(id[:], "00D5g0")
	for i, n := 14, h.Sum64()>>20; i >= 6; i-- {
		id[i] = digits62[n%62]
		n /= 62
	}
	checksum(&id)
	return string(id[:])
}
