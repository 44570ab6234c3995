package deliver

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// appendCleared appends what a deleting row sends: null for every mapped field but the
// one that the record is found by, where the definition clears, and nothing elsewhere.
// Of an object whose members are fields each, nobody knows here which ones it has.
func appendCleared(fields []dest.Field, def *syncdef.Definition, program *mapping.Program) []dest.Field {
	if def.OnDelete != syncdef.RemoveClear {
		return fields
	}
	for n, name := range program.Names() {
		if _, spreads := program.Spread(n); !spreads && !strings.EqualFold(name, def.Match.Destination) {
			fields = append(fields, dest.Field{Name: name, Value: null})
		}
	}
	return fields
}

// null clears a field.
var null = jsontext.Value("null")
