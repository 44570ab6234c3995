package sql

import (
	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// gateQuery is the query of a gate view, "" where the definition has no quality.
func gateQuery(params Params, d syncdef.Definition) (string, error) {
	g, err := quality.Compile(&d)
	if err != nil || g == nil {
		return "", err
	}
	return g.Select(quality.In(string(params.dialect)), relation(params, d.Relation())), nil
}
