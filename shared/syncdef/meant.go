package syncdef

import (
	"slices"
	"strings"
)

// sameAs are words of other languages, of warehouses above all, for what a
// definition calls by another name. Without their length: varchar(80) is varchar.
var sameAs = map[string]string{
	"text": "string", "varchar": "string", "char": "string", "character": "string", "str": "string", "textarea": "string", "uuid": "string",
	"int": "integer", "bigint": "integer", "smallint": "integer", "tinyint": "integer", "int64": "integer", "long": "integer",
	"float": "number", "double": "number", "real": "number", "decimal": "number", "numeric": "number", "float64": "number",
	"currency": "number", "percent": "number", "money": "number",
	"bool": "boolean", "checkbox": "boolean", "bit": "boolean",
	"timestamp": "datetime", "timestamptz": "datetime", "timestamp_ntz": "datetime", "timestamp_ltz": "datetime", "timestamp_tz": "datetime",
	"date_time": "datetime", "time": "datetime",
	"enum": "picklist", "select": "picklist", "dropdown": "picklist", "multipicklist": "picklist",
	"object": "json", "variant": "json", "array": "json", "struct": "json", "super": "json", "jsonb": "json",
	"merge": "upsert", "create": "insert", "append": "insert", "add": "insert",
	"continue": "continue_on_error", "stop": "stop_on_error", "fail": "stop_on_error",
	"domain": "email_domain", "externalid": "external_id", "uppercase": "upper", "lowercase": "lower", "strip": "trim",
}

// keysOf are other words for keys.
var keysOf = map[string]string{
	"fields": "field_mappings", "mapping": "field_mappings", "mappings": "field_mappings", "columns": "field_mappings", "field_map": "field_mappings",
	"object": "destination_object", "name": "sync", "id": "record_id", "key": "record_id", "keys": "record_id", "primary_key": "record_id", "unique_key": "record_id",
	"strategy": "matching_strategy", "match_strategy": "matching_strategy", "matching": "matching_strategy", "match_on": "match",
	"frequency": "sync_frequency", "cron": "sync_frequency", "interval": "sync_frequency",
	"depends_on": "after", "upstream": "after", "needs": "after",
	"column": "source", "from": "source", "field": "destination", "to": "destination", "target": "destination",
	"type": "data_type", "datatype": "data_type", "length": "max_length", "timezone": "time_zone", "tz": "time_zone", "precision": "scale", "decimals": "scale",
	"cursor_field": "cursor", "cursor_column": "cursor", "watermark": "cursor", "on_error": "error_handling", "mode": "operation", "kind": "type", "vendor": "type",
}

// MeantKey is Meant for the name of a key.
func MeantKey(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return near
	}
	for _, k := range known {
		if keysOf[strings.ToLower(name)] == k {
			return k
		}
	}
	return ""
}

// Meant returns the allowed word that a person most likely meant, "" when none is
// close: in other letters (Upsert, onError), by another language's name (varchar),
// or mistyped.
func Meant(word string, allowed []string) string {
	plain, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(word)), "(")
	for _, w := range allowed {
		if plain == w || strings.NewReplacer("-", "_", " ", "_").Replace(plain) == w {
			return w
		}
	}
	if w := sameAs[plain]; slices.Contains(allowed, w) {
		return w
	}
	first, _, _ := strings.Cut(plain, " ") // timestamp with time zone, double precision
	if w := sameAs[first]; slices.Contains(allowed, w) {
		return w
	}
	return Nearest(plain, allowed)
}
