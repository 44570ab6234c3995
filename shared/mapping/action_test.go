package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// removing is a sync that may delete: it matches by m, and its rows are named by id.
func removing(op syncdef.Operation) *syncdef.Definition {
	return &syncdef.Definition{
		Sync: "s", RecordID: []string{"id"}, Strategy: syncdef.MatchEmail, Match: syncdef.Match{Source: "m"}, Operation: op, OnDelete: syncdef.RemoveDelete,
		Fields: []syncdef.Field{{Source: "v", Destination: "V", Type: syncdef.Number, OnNull: syncdef.ClearNull}},
	}
}

// acted says what becomes of a row: its action, key and record id, or its fault.
func acted(m *Mapper, object string) string {
	got, fault := m.Map(jsontext.Value(object))
	if fault != nil {
		return "! " + fault.Rule + " " + fault.Field
	}
	words := map[row.Action]string{row.Upsert: "upsert", row.Delete: "delete", row.OldHalf: "old half"}
	return strings.TrimSpace(fmt.Sprintf("%s %s/%s", words[got.Action], got.Key, got.RecordID))
}

func TestActions(t *testing.T) {
	const whole = `"id":1,"m":"a@b.com","v":1`
	for columns, want := range map[string]string{
		``:                        "upsert",
		`"sync_action":null`:      "upsert",
		`"sync_action":""`:        "upsert",
		`"sync_action":" \t"`:     "upsert",
		`"sync_action":"upsert"`:  "upsert",
		`"SYNC_ACTION":"Upsert "`: "upsert",
		`"sync_action":"DELETE"`:  "delete",
		`"Sync_Action":"delete"`:  "delete",
		`"sync_action":"remove"`:  "! unknown_action sync_action",
		`"sync_action":true`:      "! unknown_action sync_action",
		`"sync_action":{}`:        "! unknown_action sync_action",
		`"sync_action":"delete","SYNC_ACTION":"upsert"`:                              "delete",
		`"Sync_action":"delete","SYNC_ACTION":"upsert"`:                              "! ambiguous_column sync_action",
		`"should_delete_from_destination":true`:                                      "delete",
		`"SHOULD_DELETE_FROM_DESTINATION":"Yes"`:                                     "delete",
		`"should_delete_from_destination":1`:                                         "delete",
		`"should_delete_from_destination":"f"`:                                       "upsert",
		`"should_delete_from_destination":null`:                                      "upsert",
		`"should_delete_from_destination":"maybe"`:                                   "! not_a_boolean should_delete_from_destination",
		`"should_delete_from_destination":true,"sync_action":"upsert"`:               "delete",
		`"METADATA$ACTION":"INSERT","METADATA$ISUPDATE":false`:                       "upsert",
		`"METADATA$ACTION":"INSERT","METADATA$ISUPDATE":true`:                        "upsert",
		`"METADATA$ACTION":"DELETE","METADATA$ISUPDATE":false`:                       "delete",
		`"metadata$action":"DELETE","metadata$isupdate":"FALSE"`:                     "delete",
		`"METADATA$ACTION":"DELETE","METADATA$ISUPDATE":true`:                        "old half",
		`"METADATA$ACTION":"DELETE","METADATA$ISUPDATE":"TRUE"`:                      "old half",
		`"METADATA$ACTION":"DELETE","METADATA$ISUPDATE":true,"sync_action":"delete"`: "old half",
		`"sync_action":"delete","change_type":"DELETE","is_update":true`:             "old half",
		`"sync_action":"delete","change_type":"DELETE","IS_UPDATE":"FALSE"`:          "delete",
		`"sync_action":"delete","is_update":"the row's own"`:                         "delete",
		`"sync_action":"upsert","change_type":"INSERT","is_update":true`:             "upsert",
		`"is_update":true,"should_delete_from_destination":true`:                     "delete",
		`"METADATA$ACTION":"DELETE"`:                                                 "! missing_column METADATA$ISUPDATE",
		`"METADATA$ACTION":"DELETE","METADATA$ISUPDATE":""`:                          "! missing_column METADATA$ISUPDATE",
		`"METADATA$ACTION":" ","METADATA$ISUPDATE":""`:                               "upsert",
		`"sync_action":"delete","is_update":""`:                                      "delete",
		`"sync_action":"","should_delete_from_destination":"true"`:                   "delete",
		`"should_delete_from_destination":""`:                                        "upsert",
		`"should_delete_from_destination":"  "`:                                      "upsert",
		`"METADATA$ACTION":"UPDATE","METADATA$ISUPDATE":true`:                        "! unknown_action METADATA$ACTION",
	} {
		m := compiledDef(t, removing(syncdef.Upsert))
		if !strings.HasPrefix(want, "!") {
			want += " a@b.com/1"
		}
		object := "{" + strings.TrimSuffix(whole+","+columns, ",") + "}"
		for range 2 { // the second time its columns are known
			if got := acted(m, object); got != want {
				t.Errorf("%s: %s, want %s", columns, got, want)
			}
		}
	}
}

// A deleting row needs the match value or the record id, and nothing else.
func TestDeletingRowsNeedLittle(t *testing.T) {
	for object, want := range map[string]string{
		`{"m":"a@b.com"}`:                 "delete a@b.com/",
		`{"id":1,"m":null}`:               "delete /1",
		`{"id":1,"m":"  "}`:               "delete /1",
		`{"id":1}`:                        "delete /1",
		`{"id":1,"m":"a@b.com","v":"no"}`: "delete a@b.com/1",
		`{"id":1,"m":"nonsense"}`:         "! not_an_email m",
		`{"id":1,"m":{}}`:                 "! not_a_string m",
		`{"id":null,"m":null}`:            "! missing_match_value m",
		`{"id":1,"M":"a@b.com","m ":1}`:   "delete a@b.com/1",
		`{"v":1}`:                         "! missing_column m",
	} {
		if got := acted(compiledDef(t, removing(syncdef.Delete)), object); got != want {
			t.Errorf("%s: %s, want %s", object, got, want)
		}
	}
}

// A sync that removes nothing takes no deleting row; the old half of an update is none.
func TestNothingIsRemoved(t *testing.T) {
	d := removing(syncdef.Upsert)
	d.OnDelete = ""
	for columns, want := range map[string]string{
		`"sync_action":"delete"`:                               "! cannot_delete sync_action",
		`"should_delete_from_destination":true`:                "! cannot_delete should_delete_from_destination",
		`"METADATA$ACTION":"DELETE","METADATA$ISUPDATE":false`: "! cannot_delete METADATA$ACTION",
		`"METADATA$ACTION":"DELETE","METADATA$ISUPDATE":true`:  "old half a@b.com/1",
		`"sync_action":"upsert"`:                               "upsert a@b.com/1",
	} {
		if got := acted(compiledDef(t, d), `{"id":1,"m":"a@b.com","v":1,`+columns+`}`); got != want {
			t.Errorf("%s: %s, want %s", columns, got, want)
		}
	}
}

// No message of an action holds a value (I6).
func TestActionsQuoteNothing(t *testing.T) {
	for _, columns := range []string{`"sync_action":"secret-4711"`, `"should_delete_from_destination":"secret-4711"`, `"METADATA$ACTION":"secret-4711"`} {
		_, fault := compiledDef(t, removing(syncdef.Upsert)).Map(jsontext.Value(`{"id":1,"m":"a@b.com","v":1,` + columns + `}`))
		if fault == nil || strings.Contains(fault.Message, "4711") || !strings.Contains(fault.Message, "allowed: ") {
			t.Errorf("%s: %+v", columns, fault)
		}
	}
}
