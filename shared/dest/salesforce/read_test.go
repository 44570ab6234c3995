package salesforce_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// free lets everything go.
func free(context.Context, dest.Cost) error { return nil }

// What reading a field back tells depends on its type, and on what the definition does.
func TestReadable(t *testing.T) {
	one, three := 1, 3
	account := inspector(t, canned(http.StatusOK, `{"name":"Account","fields":[
		{"name":"Score__c","type":"double","scale":1},{"name":"Coarse__c","type":"double","scale":1},{"name":"Fine__c","type":"double","scale":1},{"name":"Whole__c","type":"double","scale":0},
		{"name":"Sum__c","type":"double","calculated":true},{"name":"Secret__c","type":"encryptedstring"},{"name":"Done__c","type":"boolean"},
		{"name":"Name","type":"string"},{"name":"OwnerId","type":"reference"},{"name":"At__c","type":"datetime"}]}`)).(dest.Reader)
	def := syncdef.Definition{Object: "Account", Fields: []syncdef.Field{
		{Destination: "Score__c", Type: syncdef.Number}, {Destination: "coarse__C", Type: syncdef.Number, Scale: &one}, {Destination: "Fine__c", Type: syncdef.Number, Scale: &three},
		{Destination: "Whole__c", Type: syncdef.Integer},
	}}
	names := []string{"Score__c", "coarse__C", "Fine__c", "Whole__c", "Sum__c", "Secret__c", "Done__c", "Name", "OwnerId", "At__c", "Gone__c"}
	tells, err := account.Readable(t.Context(), &def, names, free)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, r := range tells {
		line := names[i] + ":"
		for word, is := range map[string]bool{" why": r.Why != "", " alters": r.Alters != "", " trims": r.Trims, " empty": r.Empty != nil, " also": r.Also != nil} {
			if is {
				line += word
			}
		}
		got = append(got, line)
	}
	want := []string{"Score__c: alters", "coarse__C:", "Fine__c: alters", "Whole__c:", "Sum__c: why", "Secret__c: why", "Done__c: empty", "Name: trims", "OwnerId: also", "At__c: also", "Gone__c: why"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !strings.Contains(tells[0].Alters, "write scale: 1") {
		t.Errorf("no remedy: %s", tells[0].Alters)
	}
	short := tells[8].Also([]byte(`"0055g0000000001AAA"`))
	if len(short) != 1 || string(short[0]) != `"0055g0000000001"` {
		t.Errorf("the short form of an id: %s", short)
	}
	if n := len(tells[9].Also([]byte(`"2026-01-15T10:30:00.000+0000"`))); n != 999 {
		t.Errorf("%d moments within a second", n)
	}
	if tells[9].Also([]byte(`"2026-01-15T10:30:00.123+0000"`)) != nil {
		t.Error("a fraction that is shown is kept")
	}
}

// A field that the user may not see is said, and not asked for: asked for, it would fail
// the call for all.
func TestReadWithoutTheRight(t *testing.T) {
	schema := simulator.DefaultSchema()
	schema[0].Fields = append(schema[0].Fields, simulator.Field{Name: "Hidden__c", Type: simulator.Text, Length: 9, Access: simulator.AccessNone})
	account := inspector(t, organisation(t, schema)).(dest.Reader)
	def := syncdef.Definition{Object: "Account"}
	tells, err := account.Readable(t.Context(), &def, []string{"Name", "Hidden__c"}, free)
	if err != nil || tells[0].Why != "" || !strings.Contains(tells[1].Why, "does not show it to the integration user") {
		t.Errorf("%+v, %v", tells, err)
	}
	if _, err := account.Read(t.Context(), &def, []string{"Name", "Hidden__c"}, []string{"0015g0000000001AAA"}, free); err == nil {
		t.Error("a hidden field was read")
	}
	kept, err := account.Read(t.Context(), &def, []string{"Name"}, []string{"0015g0000000001AAA"}, free)
	if err != nil || len(kept) != 1 || !kept[0].Gone {
		t.Errorf("a record that never was: %+v, %v", kept, err)
	}
}

// Records in another order than asked for, or without their ids, are no answer: a record
// would be compared with another one's values.
func TestReadOfOtherRecords(t *testing.T) {
	const one, other = `{"Id":"0015g0000000001AAA","Name":"a"}`, `{"Id":"0015g0000000002AAA","Name":"b"}`
	def, ids := syncdef.Definition{Object: "Account"}, []string{"0015g0000000001AAA", "0015g0000000002AAA"}
	for body, right := range map[string]bool{
		"[" + one + "," + other + "]": true, "[null," + other + "]": true, "[" + other + "," + one + "]": false,
		"[" + one + "," + one + "]": false, "[" + one + `,{"Name":"b"}]`: false, "[" + one + `,{"Id":null,"Name":"b"}]`: false,
	} {
		kept, err := inspector(t, canned(http.StatusOK, body)).(dest.Reader).Read(t.Context(), &def, []string{"Name"}, ids, free)
		if (err == nil) != right || right && (len(kept) != 2 || len(kept[1].Values) != 1 || string(kept[1].Values[0]) != `"b"`) {
			t.Errorf("%s: %+v, %v", body, kept, err)
		}
	}
}
