package syncdef_test

import (
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestMeant(t *testing.T) {
	var types, operations, onErrors []string
	for _, w := range syncdef.Types {
		types = append(types, string(w))
	}
	for _, w := range syncdef.Operations {
		operations = append(operations, string(w))
	}
	for _, w := range syncdef.OnErrors {
		onErrors = append(onErrors, string(w))
	}
	for _, c := range []struct {
		word, want string
		allowed    []string
	}{
		{"text", "string", types}, {"varchar", "string", types}, {"VARCHAR(80)", "string", types}, {"String", "string", types},
		{"int", "integer", types}, {"INT", "integer", types}, {"bigint", "integer", types},
		{"float", "number", types}, {"numeric(10,2)", "number", types}, {"double precision", "number", types}, {"numbre", "number", types},
		{"timestamp", "datetime", types}, {"timestamp with time zone", "datetime", types}, {"TIMESTAMP_NTZ", "datetime", types}, {"date-time", "datetime", types},
		{"bool", "boolean", types}, {"enum", "picklist", types}, {"variant", "json", types}, {"Date", "date", types},
		{"colour", "", types}, {"", "", types},
		{"Upsert", "upsert", operations}, {"UPSERT", "upsert", operations}, {"upsret", "upsert", operations}, {"merge", "upsert", operations}, {"create", "insert", operations},
		{"continue", "continue_on_error", onErrors}, {"Continue on error", "continue_on_error", onErrors}, {"ignore", "", onErrors},
	} {
		if got := syncdef.Meant(c.word, c.allowed); got != c.want {
			t.Errorf("%q: got %q, want %q", c.word, got, c.want)
		}
	}
}

func TestMeantKey(t *testing.T) {
	top, field := syncdef.KeyNames(syncdef.DefinitionKeys), syncdef.KeyNames(syncdef.FieldKeys)
	for _, c := range []struct {
		word, want string
		known      []string
	}{
		{"feild_mappings", "field_mappings", top}, {"fieldMappings", "field_mappings", top}, {"mappings", "field_mappings", top},
		{"object", "destination_object", top}, {"Operation", "operation", top}, {"cron", "sync_frequency", top}, {"depends_on", "after", top}, {"primary_key", "record_id", top},
		{"type", "data_type", field}, {"Data_Type", "data_type", field}, {"column", "source", field}, {"to", "destination", field}, {"max_lenght", "max_length", field},
		{"weather", "", top},
	} {
		if got := syncdef.MeantKey(c.word, c.known); got != c.want {
			t.Errorf("%q: got %q, want %q", c.word, got, c.want)
		}
	}
}
