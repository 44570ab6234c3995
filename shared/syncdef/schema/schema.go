// Package schema makes the JSON Schema for editors from syncdef's tables of keys
// and those that the destination types add. It runs in go generate (of package
// vendors, which has the list of types) and in tests only; nothing that is deployed
// imports it. What needs more than one key to decide (a picklist's default) is left
// to yamlfile.
package schema

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/invopop/jsonschema"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// Generate gives the schema of both kinds of file in sql/syncs. kinds are the
// destination types that there are.
func Generate(kinds []syncdef.Kind) ([]byte, error) {
	definition := slices.Clone(syncdef.DefinitionKeys)
	connection := slices.Clone(syncdef.ConnectionKeys)
	field := slices.Clone(syncdef.FieldKeys)
	for _, kind := range kinds {
		if err := fresh(kind); err != nil {
			return nil, err
		}
		if len(kind.Definition) > 0 {
			definition = append(definition, syncdef.Key{Name: kind.Name, Type: syncdef.KeyObject, Keys: kind.Definition,
				Doc: "What only connections of type " + kind.Name + " have."})
		}
		connection = append(connection, kind.Connection...)
		field = append(field, kind.Field...)
	}
	set(connection, "type", func(k *syncdef.Key) { k.Allowed = syncdef.Kinds(kinds).Names() })
	set(definition, "field_mappings", func(k *syncdef.Key) { k.Keys = field })
	account := object(connection, true)
	account.AllOf = onlyTheirs(kinds)
	b, err := json.MarshalIndent(root(object(definition, true), account), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(b, '\n'), nil
}

// set changes one key of a table that is a copy.
func set(table []syncdef.Key, name string, change func(*syncdef.Key)) {
	for i := range table {
		if table[i].Name == name {
			change(&table[i])
		}
	}
}

// fresh reports a key of a type that there is already: one of the two would not be
// read.
func fresh(kind syncdef.Kind) error {
	section := []syncdef.Key{{Name: kind.Name}}
	for _, pair := range [][2][]syncdef.Key{
		{syncdef.ConnectionKeys, kind.Connection}, {syncdef.FieldKeys, kind.Field}, {syncdef.DefinitionKeys, section},
	} {
		for _, key := range pair[1] {
			if _, twice := syncdef.Named(pair[0], key.Name); twice {
				return fmt.Errorf("the type %s adds the key %s, which there is already", kind.Name, key.Name)
			}
		}
	}
	return nil
}

// root tells the two kinds of file apart by the key connections.
func root(definition, connection *jsonschema.Schema) *jsonschema.Schema {
	file := &jsonschema.Schema{Type: "object", Description: "The vendors' accounts, by name.", Properties: jsonschema.NewProperties()}
	file.Properties.Set("connections", &jsonschema.Schema{
		Type:                 "object",
		PropertyNames:        &jsonschema.Schema{Pattern: syncdef.ConnectionPattern},
		AdditionalProperties: &jsonschema.Schema{Ref: "#/$defs/Connection"},
	})
	warehouse := object(syncdef.WarehouseKeys, true)
	warehouse.Description = "Where the schedules of a stack run penstock_run."
	file.Properties.Set("warehouse", warehouse)
	file.Required = []string{"connections"}
	file.AdditionalProperties = jsonschema.FalseSchema
	return &jsonschema.Schema{
		Version: jsonschema.Version,
		Title:   "Penstock sync definition or connections.yaml",
		Type:    "object",
		If:      &jsonschema.Schema{Required: []string{"connections"}},
		Then:    &jsonschema.Schema{Ref: "#/$defs/Connections"},
		Else:    &jsonschema.Schema{Ref: "#/$defs/Definition"},
		Definitions: jsonschema.Definitions{
			"Connections": file,
			"Connection":  connection,
			"Definition":  definition,
		},
	}
}

// onlyTheirs refuses a connection's keys that are another type's.
func onlyTheirs(kinds []syncdef.Kind) (out []*jsonschema.Schema) {
	for _, kind := range kinds {
		without := jsonschema.NewProperties()
		for _, other := range kinds {
			for _, key := range other.Connection {
				if _, has := syncdef.Named(kind.Connection, key.Name); !has {
					without.Set(key.Name, jsonschema.FalseSchema)
				}
			}
		}
		if without.Len() == 0 {
			continue
		}
		isOf := &jsonschema.Schema{Required: []string{"type"}, Properties: jsonschema.NewProperties()} // without a type nothing is known yet
		isOf.Properties.Set("type", &jsonschema.Schema{Const: kind.Name})
		out = append(out, &jsonschema.Schema{If: isOf, Then: &jsonschema.Schema{Properties: without}})
	}
	return out
}
