package sql

import (
	"embed"
	"io/fs"
)

//go:embed syncs/*.yaml syncs/*.sql syncs/penstock.schema.json
var syncs embed.FS

// Syncs are the sample's definitions with their models and connections.yaml, and
// the JSON Schema of both, in the root of the file system that it returns.
func Syncs() fs.FS {
	sub, err := fs.Sub(syncs, "syncs")
	if err != nil {
		panic("sql: " + err.Error()) // the name is a constant
	}
	return sub
}
