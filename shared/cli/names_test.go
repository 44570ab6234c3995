package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// A file of names of another shape is told what shape is wanted, and nothing of this
// program's types.
func TestNamesOfAnotherShape(t *testing.T) {
	for _, sim := range destinations(listed()).simulators() {
		want := map[string]string{
			"salesforce": "write objects: [{name: Contact, fields: ",
			"hubspot":    "write objects: [{name: contacts, properties: ",
			"slack":      `write {"channels": [{"name": `,
			"intercom":   `write {"data": [{"name": `,
			"amplitude":  "takes no file of names",
		}[sim.Type]
		for _, text := range []string{"[1]", `{"objects": "x", "channels": "x", "data": "x"}`, `{"objects": [{"nosuch": 1}], "channels": [7], "data": [7]}`, `"x"`, "{"} {
			file := filepath.Join(t.TempDir(), "own.json")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := sim.Open(sandbox.Settings{Names: file})
			if err == nil || want == "" || !strings.Contains(err.Error(), want) {
				t.Errorf("%s of %s: %v, want %s", text, sim.Type, err, want)
				continue
			}
			for _, internal := range []string{"struct", "Go value", "schemaFile", "JSON, ", "intercom.", "slack.", "hubspot."} {
				if strings.Contains(err.Error(), internal) {
					t.Errorf("%s of %s tells %q: %v", text, sim.Type, internal, err)
				}
			}
		}
	}
}
