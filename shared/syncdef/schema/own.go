package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/invopop/jsonschema"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// ownSections gives a definition the object under each type's name.
func ownSections(def *jsonschema.Schema, kinds syncdef.Kinds) {
	def.Properties.Delete("options")
	for _, kind := range kinds {
		if len(kind.Definition) == 0 {
			continue
		}
		section := object("The keys of connections of type " + kind.Name + ".")
		section.AdditionalProperties = jsonschema.FalseSchema
		for _, key := range kind.Definition {
			section.Properties.Set(key.Name, own(key))
		}
		def.Properties.Set(kind.Name, section)
	}
}

// ownKeys puts the types' own keys beside the common ones. A key that two types
// have fits either; one that is common already is an error.
func ownKeys(def *jsonschema.Schema, kinds syncdef.Kinds, table func(syncdef.Kind) []syncdef.Key) error {
	common := map[string]bool{}
	for p := def.Properties.Oldest(); p != nil; p = p.Next() {
		common[p.Key] = true
	}
	for _, kind := range kinds {
		for _, key := range table(kind) {
			if common[key.Name] {
				return fmt.Errorf("%s adds the key %s, which there is already", kind.Name, key.Name)
			}
			this := own(key)
			switch other, twice := def.Properties.Get(key.Name); {
			case !twice || reflect.DeepEqual(this, other):
			case len(other.AnyOf) > 0:
				this = &jsonschema.Schema{AnyOf: append(slices.Clone(other.AnyOf), this)}
			default:
				this = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{other, this}}
			}
			def.Properties.Set(key.Name, this)
		}
	}
	return nil
}

// onlyTheirs refuses a connection's keys that are another type's.
func onlyTheirs(kinds syncdef.Kinds) (out []*jsonschema.Schema) {
	for _, kind := range kinds {
		isOf := object("")
		isOf.Properties.Set("type", &jsonschema.Schema{Const: kind.Name})
		isOf.Required = []string{"type"} // without one nothing is known yet
		without := jsonschema.NewProperties()
		for _, other := range kinds {
			for _, key := range other.Connection {
				if !slices.ContainsFunc(kind.Connection, func(k syncdef.Key) bool { return k.Name == key.Name }) {
					without.Set(key.Name, jsonschema.FalseSchema)
				}
			}
		}
		if without.Len() > 0 {
			out = append(out, &jsonschema.Schema{If: isOf, Then: &jsonschema.Schema{Properties: without}})
		}
	}
	return out
}

// own is the schema of one key of a table.
func own(key syncdef.Key) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	switch {
	case key.Type == syncdef.KeyBoolean:
		s.Type = "boolean"
	case key.Type == syncdef.KeyInteger:
		s = &jsonschema.Schema{Type: "integer", Minimum: json.Number(strconv.Itoa(key.Min))}
		if key.Max != 0 {
			s.Maximum = json.Number(strconv.Itoa(key.Max))
		}
	case len(key.Allowed) > 0:
		s = enum(key.Allowed)
	case key.Pattern != "":
		s.Pattern = "^(?:" + key.Pattern + ")$"
		if _, err := strconv.ParseFloat(key.Example, 64); err == nil { // then YAML may read a number
			s = &jsonschema.Schema{OneOf: []*jsonschema.Schema{s, {Type: "number"}}}
		}
	default:
		s = text("")
	}
	s.Description = key.Doc
	s.Default = standard(key)
	return s
}

// standard is a key's default as a value of its type, nil when it has none.
func standard(key syncdef.Key) any {
	switch {
	case key.Default == "":
		return nil
	case key.Type == syncdef.KeyBoolean:
		return key.Default == "true"
	case key.Type == syncdef.KeyInteger:
		return json.Number(key.Default)
	default:
		return key.Default
	}
}
