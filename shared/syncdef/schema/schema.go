// Package schema makes the JSON Schema for editors from the Go types of syncdef,
// their comments, the lists of allowed values and the tables of keys that the
// destination types add. It runs in go generate (of package vendors, which has the
// list of types) and in tests only; nothing that is deployed imports it. What
// needs more than one key to decide (a picklist's default) is left to yamlfile.
package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/invopop/jsonschema"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// Generate gives the schema of both kinds of file in sql/syncs. source is the
// folder of package syncdef, whose comments become the descriptions, relative to
// the folder of the package with the path here, in which it is called. kinds are
// the destination types that there are.
func Generate(here, source string, kinds []syncdef.Kind) ([]byte, error) {
	r := &jsonschema.Reflector{Anonymous: true, RequiredFromJSONSchemaTags: true, Mapper: words}
	if err := r.AddGoComments(here, source); err != nil {
		return nil, fmt.Errorf("read the comments of %s: %w", source, err)
	}
	defs := r.Reflect(syncdef.Definition{}).Definitions
	for name, def := range r.Reflect(syncdef.Connection{}).Definitions {
		defs[name] = def
	}
	for _, loosen := range []func(jsonschema.Definitions, syncdef.Kinds) error{definition, field, sections, connection} {
		if err := loosen(defs, kinds); err != nil {
			return nil, err
		}
	}
	b, err := json.MarshalIndent(root(defs), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(b, '\n'), nil
}

// root tells the two kinds of file apart by the key connections.
func root(defs jsonschema.Definitions) *jsonschema.Schema {
	file := object("The vendors' accounts, by name.")
	file.Properties.Set("connections", &jsonschema.Schema{
		Type:                 "object",
		PropertyNames:        &jsonschema.Schema{Pattern: syncdef.ConnectionPattern},
		AdditionalProperties: &jsonschema.Schema{Ref: "#/$defs/Connection"},
	})
	file.Required = []string{"connections"}
	file.AdditionalProperties = jsonschema.FalseSchema
	defs["Connections"] = file
	return &jsonschema.Schema{
		Version:     jsonschema.Version,
		Title:       "Penstock sync definition or connections.yaml",
		Type:        "object",
		If:          &jsonschema.Schema{Required: []string{"connections"}},
		Then:        &jsonschema.Schema{Ref: "#/$defs/Connections"},
		Else:        &jsonschema.Schema{Ref: "#/$defs/Definition"},
		Definitions: defs,
	}
}

// words maps the enumerations to the lists that the reader uses.
func words(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[syncdef.Type]():
		return enum(syncdef.Types)
	case reflect.TypeFor[syncdef.Strategy]():
		return enum(syncdef.Strategies)
	case reflect.TypeFor[syncdef.Operation]():
		return enum(syncdef.Operations)
	case reflect.TypeFor[syncdef.OnError]():
		return enum(syncdef.OnErrors)
	case reflect.TypeFor[syncdef.OnMissing]():
		return enum(syncdef.OnMissings)
	case reflect.TypeFor[syncdef.OnDuplicate]():
		return enum(syncdef.OnDuplicates)
	case reflect.TypeFor[syncdef.Send]():
		return enum(syncdef.Sends)
	case reflect.TypeFor[syncdef.OnNull]():
		return enum(syncdef.OnNulls)
	case reflect.TypeFor[syncdef.TooLong]():
		return enum(syncdef.TooLongs)
	case reflect.TypeFor[syncdef.OnUnknown]():
		return enum(syncdef.OnUnknowns)
	case reflect.TypeFor[syncdef.StoreSource]():
		return enum(syncdef.StoreSources)
	case reflect.TypeFor[syncdef.MatchType]():
		return enum(syncdef.MatchTypes)
	default:
		return nil
	}
}

func enum[T ~string](allowed []T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, a := range allowed {
		s.Enum = append(s.Enum, string(a))
	}
	return s
}

func text(pattern string) *jsonschema.Schema {
	one := uint64(1)
	return &jsonschema.Schema{Type: "string", Pattern: pattern, MinLength: &one}
}

func between(lo, hi int, standard any) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: json.Number(strconv.Itoa(lo)),
		Maximum: json.Number(strconv.Itoa(hi)), Default: standard}
}

func list(items *jsonschema.Schema) *jsonschema.Schema {
	one := uint64(1)
	return &jsonschema.Schema{Type: "array", Items: items, MinItems: &one}
}

// oneOrMore is a value or a list of them.
func oneOrMore(items *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{items, list(items)}}
}

// object is one that may have other keys than those that are set.
func object(description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", Description: description, Properties: jsonschema.NewProperties()}
}
