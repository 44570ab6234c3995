package schema

import (
	"fmt"

	"github.com/invopop/jsonschema"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// replace sets how a key is written in YAML, keeping its description. A key that
// the Go type does not have is an error, so that a rename cannot go unnoticed.
func replace(defs jsonschema.Definitions, name string, with map[string]*jsonschema.Schema) error {
	def := defs[name]
	if def == nil {
		return fmt.Errorf("the schema has no %s", name)
	}
	for key, s := range with {
		old, ok := def.Properties.Get(key)
		if !ok {
			return fmt.Errorf("the schema of %s has no key %s", name, key)
		}
		if s.Description == "" {
			s.Description = old.Description
		}
		def.Properties.Set(key, s)
	}
	return nil
}

// scalar is any single value: values and defaults may look like numbers.
func scalar() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
}

func decimal() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "number"}, {Type: "string", Pattern: `^-?[0-9]{1,40}(\.[0-9]{1,40})?$`},
	}}
}

func definition(defs jsonschema.Definitions) error {
	err := replace(defs, "Definition", map[string]*jsonschema.Schema{
		"sync":               text(syncdef.NamePattern),
		"connection":         text(syncdef.ConnectionPattern),
		"destination_object": text(`^[A-Za-z][A-Za-z0-9_]{0,79}$`),
		"record_id":          oneOrMore(text("")),
		"field_mappings":     list(&jsonschema.Schema{Ref: "#/$defs/Field"}),
		"batch_size":         between(1, syncdef.MaxBatchSize, syncdef.DefaultBatchSize),
		"lanes":              between(1, syncdef.MaxLanes, nil),
		"sync_frequency":     text(""),
	})
	if err != nil {
		return err
	}
	defs["Definition"].Required = []string{"field_mappings"}
	return nil
}

func field(defs jsonschema.Definitions) error {
	err := replace(defs, "Field", map[string]*jsonschema.Schema{
		"source":      text(""),
		"destination": text(""),
		"scale":       between(0, syncdef.MaxScale, nil),
		"min":         decimal(),
		"max":         decimal(),
		"values":      list(scalar()),
		"max_length":  between(1, 131_072, nil),
		"default":     scalar(),
		"transform":   oneOrMore(enum(syncdef.Transforms)),
		"format":      enum(syncdef.Formats),
		"time_zone":   text(""),
	})
	if err != nil {
		return err
	}
	defs["Field"].Required = []string{"source", "destination"}
	return nil
}

// sections gives their shape to the parts that Go keeps as they are, and the
// bounds of those that it knows.
func sections(defs jsonschema.Definitions) error {
	share := &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "number", Minimum: "0", Maximum: "1"}, {Type: "string", Pattern: `^[0-9]{1,3}(\.[0-9]{1,6})?%$|^[01](\.[0-9]+)?$`},
	}}
	rule := object("")
	rule.Properties.Set("column", text(""))
	rule.Required = []string{"column"}
	quality := object("")
	quality.Properties.Set("warn_over", share)
	quality.Properties.Set("block_over", share)
	quality.Properties.Set("rules", &jsonschema.Schema{Type: "array", Items: rule})
	mirror := object("")
	mirror.Properties.Set("max_deletes", share)
	notification := object("")
	notification.Properties.Set("type", text(""))
	notification.Properties.Set("recipients", oneOrMore(text("")))
	notification.Properties.Set("conditions", oneOrMore(text("")))
	notification.Required = []string{"type"}
	freshness := object("")
	for _, key := range []string{"warn_after", "stale_after", "destination_field"} {
		freshness.Properties.Set(key, text(""))
	}
	err := replace(defs, "Definition", map[string]*jsonschema.Schema{
		"quality":       quality,
		"mirror":        mirror,
		"notifications": {Type: "array", Items: notification},
		"freshness":     freshness,
	})
	if err != nil {
		return err
	}
	defs["Incremental"].Required = []string{"cursor"}
	return replace(defs, "Slack", map[string]*jsonschema.Schema{
		"channel":     text(`^\S+$`),
		"digest_over": between(1, 10_000, syncdef.DefaultDigestOver),
	})
}

func connection(defs jsonschema.Definitions) error {
	err := replace(defs, "Connection", map[string]*jsonschema.Schema{
		"type":        enum(syncdef.ConnectionTypes),
		"url":         text(`^https?://`),
		"secret":      text(""),
		"auth":        enum(syncdef.Auths),
		"api_version": {OneOf: []*jsonschema.Schema{{Type: "string", Pattern: `^[0-9]{2,3}\.0$`}, {Type: "number"}}},
	})
	if err != nil {
		return err
	}
	defs["Connection"].Properties.Delete("name") // the key says it
	defs["Connection"].Required = []string{"type"}
	return replace(defs, "Quota", map[string]*jsonschema.Schema{
		"calls_per_day": between(1, 1_000_000_000, nil),
		"share":         between(1, 100, syncdef.DefaultShare),
	})
}
