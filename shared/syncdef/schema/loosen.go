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

// duration is a Go duration in hours, minutes and seconds; its bounds are the
// reader's to check.
const duration = `^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$`

func definition(defs jsonschema.Definitions, kinds syncdef.Kinds) error {
	err := replace(defs, "Definition", map[string]*jsonschema.Schema{
		"sync":               text(syncdef.NamePattern),
		"connection":         text(syncdef.ConnectionPattern),
		"destination_object": text(""),
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
	ownSections(defs["Definition"], kinds)
	return nil
}

func field(defs jsonschema.Definitions, kinds syncdef.Kinds) error {
	err := replace(defs, "Field", map[string]*jsonschema.Schema{
		"source":      text(""),
		"destination": text(""),
		"scale":       between(0, syncdef.MaxScale, nil),
		"min":         decimal(),
		"max":         decimal(),
		"values":      list(scalar()),
		"max_length":  between(1, syncdef.MaxLength, nil),
		"default":     scalar(),
		"transform":   oneOrMore(enum(syncdef.Transforms)),
		"format":      enum(syncdef.Formats),
		"time_zone":   text(""),
	})
	if err != nil {
		return err
	}
	defs["Field"].Required = []string{"source", "destination"}
	defs["Field"].Properties.Delete("options") // the types' own keys stand in its place
	defs["Field"].Properties.Delete("markup")  // likewise: only some types have it
	return ownKeys(defs["Field"], kinds, func(k syncdef.Kind) []syncdef.Key { return k.Field })
}

// sections gives their shape to the parts that Go keeps as they are, and the
// bounds of those that it knows.
func sections(defs jsonschema.Definitions, _ syncdef.Kinds) error {
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
	err = replace(defs, "Incremental", map[string]*jsonschema.Schema{"include_failed": text(duration)})
	if err != nil {
		return err
	}
	return replace(defs, "Retry", map[string]*jsonschema.Schema{
		"attempts": between(1, syncdef.MaxRetryAttempts, syncdef.DefaultRetryAttempts),
		"base":     text(duration),
		"max":      text(duration),
	})
}

func connection(defs jsonschema.Definitions, kinds syncdef.Kinds) error {
	err := replace(defs, "Connection", map[string]*jsonschema.Schema{
		"type":   enum(kinds.Names()),
		"url":    text(`^https?://`),
		"secret": text(""),
	})
	if err != nil {
		return err
	}
	defs["Connection"].Properties.Delete("name") // the key says it
	defs["Connection"].Properties.Delete("options")
	defs["Connection"].Required = []string{"type"}
	if err := ownKeys(defs["Connection"], kinds, func(k syncdef.Kind) []syncdef.Key { return k.Connection }); err != nil {
		return err
	}
	defs["Connection"].AllOf = onlyTheirs(kinds)
	return replace(defs, "Quota", map[string]*jsonschema.Schema{
		"calls_per_day": between(1, 1_000_000_000, nil),
		"share":         between(1, 100, nil),
	})
}
