package sql

import "github.com/penstock-data/penstock/shared/syncdef"

// reservedColumns are the columns penstock_always and penstock_priority of a source
// view, as far as the definition asks for them: "EXPRESSION AS NAME".
func reservedColumns(Params, syncdef.Definition) ([]string, error) { return nil, nil }
