package schema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"

	"github.com/invopop/jsonschema"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// object is the schema of an object by its table; closed, it has no other keys. A
// key that stands in the table twice, of two types, fits either way.
func object(table []syncdef.Key, closed bool) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties()}
	if closed {
		s.AdditionalProperties = jsonschema.FalseSchema
	}
	for _, key := range table {
		this := of(key, closed)
		switch other, twice := s.Properties.Get(key.Name); {
		case !twice || reflect.DeepEqual(this, other):
		case len(other.AnyOf) > 0:
			this = &jsonschema.Schema{AnyOf: append(slices.Clone(other.AnyOf), this)}
		default:
			this = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{other, this}}
		}
		s.Properties.Set(key.Name, this)
		if key.Needed {
			s.Required = append(s.Required, key.Name)
		}
		if key.Or != "" {
			s.OneOf = append(s.OneOf, &jsonschema.Schema{Required: []string{key.Name}}, &jsonschema.Schema{Required: []string{key.Or}})
		}
		if key.With != "" {
			if s.DependentRequired == nil {
				s.DependentRequired = map[string][]string{}
			}
			s.DependentRequired[key.Name] = []string{key.With}
		}
	}
	return s
}

// of is the schema of one key.
func of(key syncdef.Key, closed bool) *jsonschema.Schema {
	s := value(key, closed)
	s.Description = key.Doc
	s.Default = standard(key)
	return s
}

func value(key syncdef.Key, closed bool) *jsonschema.Schema {
	switch key.Type {
	case syncdef.KeyInteger:
		s := &jsonschema.Schema{Type: "integer", Minimum: number(key.Min)}
		if key.Max != 0 {
			s.Maximum = number(key.Max)
		}
		return s
	case syncdef.KeyBoolean:
		return &jsonschema.Schema{Type: "boolean"}
	case syncdef.KeyDuration: // its bounds are the reader's to check
		return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$`}
	case syncdef.KeyDecimal:
		return either(&jsonschema.Schema{Type: "number"}, &jsonschema.Schema{Type: "string", Pattern: `^-?[0-9]{1,40}(\.[0-9]{1,40})?$`})
	case syncdef.KeyShare:
		return either(&jsonschema.Schema{Type: "number", Minimum: "0", Maximum: "1"},
			&jsonschema.Schema{Type: "string", Pattern: `^[0-9]{1,3}(\.[0-9]{1,6})?%$|^[01](\.[0-9]+)?$`})
	case syncdef.KeyValue:
		return single()
	case syncdef.KeyValues:
		return list(single(), 1)
	case syncdef.KeyTexts:
		return either(text(key), list(text(key), 1))
	case syncdef.KeyObject:
		return object(key.Keys, closed)
	case syncdef.KeyObjects:
		if key.Needed {
			return list(object(key.Keys, closed), 1)
		}
		return list(object(key.Keys, closed), 0)
	default:
		return text(key)
	}
}

// text is one of the key's values, or what its pattern matches, or any. With an
// example that looks like a number, YAML may read one.
func text(key syncdef.Key) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	switch {
	case len(key.Allowed) > 0:
		for _, a := range key.Allowed {
			s.Enum = append(s.Enum, a)
		}
	case key.Pattern != "":
		s.Pattern = "^(?:" + key.Pattern + ")$"
		if _, err := strconv.ParseFloat(key.Example, 64); err == nil {
			return either(s, &jsonschema.Schema{Type: "number"})
		}
	default:
		one := uint64(1)
		s.MinLength = &one
	}
	return s
}

func either(a, b *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{a, b}}
}

// single is any single value: values and defaults may look like numbers.
func single() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
}

func list(items *jsonschema.Schema, least uint64) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "array", Items: items}
	if least > 0 {
		s.MinItems = &least
	}
	return s
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

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
