package sql

import "github.com/penstock-data/penstock/shared/syncdef"

// gateQuery is the query of a gate view, "" where the definition has no quality.
func gateQuery(Params, syncdef.Definition) (string, error) { return "", nil }
