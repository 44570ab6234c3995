package sql

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire"
)

// Redshift has every function, with every number of arguments that it takes, and nobody
// may call one but those to whom it is granted.
func TestRedshiftHasEveryFunction(t *testing.T) {
	script, err := Setup(Redshift, filled(Redshift))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range wire.Functions() {
		f, _ := wire.Lookup(name)
		for n := f.Needed; n <= len(f.Params); n++ {
			types := strings.TrimSuffix(strings.Repeat(`(?:VARCHAR\(\d+\)|BIGINT), `, n), ", ")
			signature := `penstock\.` + name + `\(` + types + `\)`
			declared := regexp.MustCompile(`(?s)CREATE OR REPLACE EXTERNAL FUNCTION ` + signature + "\n" + `    RETURNS VARCHAR\(65535\)\n    VOLATILE\n    LAMBDA '[^']+'\n    IAM_ROLE '[^']+'\n` +
				`    RETRY_TIMEOUT 60000\n    MAX_BATCH_ROWS \d+\n    MAX_BATCH_SIZE 1 MB;\nREVOKE ALL ON FUNCTION ` + signature + ` FROM PUBLIC;\nGRANT EXECUTE ON FUNCTION ` + signature + ` TO ROLE loader;`)
			if !declared.MatchString(script) {
				t.Errorf("%s with %d arguments is not declared, or not revoked from PUBLIC", name, n)
			}
			reads := name == wire.Status || name == wire.Errors || name == wire.Freshness || name == wire.Syncs
			if granted := regexp.MustCompile(`GRANT EXECUTE ON FUNCTION ` + signature + ` TO ROLE analyst;`).MatchString(script); granted != reads {
				t.Errorf("%s: readers may call it: %t", name, granted)
			}
		}
	}
	if !strings.Contains(script, "REVOKE ALL ON PROCEDURE penstock.penstock_run(VARCHAR, VARCHAR) FROM PUBLIC;") {
		t.Error("everybody may run penstock_run")
	}
}

// The row that a source view makes: times as text, a cursor by what it is, the columns
// that say that a record is gone, and of a long row its record.
func TestRedshiftRow(t *testing.T) {
	d := syncdef.Definition{
		Sync: "health", RecordID: []string{"Customer_ID"}, Strategy: syncdef.MatchEmail, Match: syncdef.Match{Source: "email"},
		Fields: []syncdef.Field{
			{Source: "email", Type: syncdef.Email}, {Source: "Seen_At", Type: syncdef.DateTime}, {Source: "born", Type: syncdef.Date}, {Source: "address.city", Type: syncdef.String},
		},
		Incremental: &syncdef.Incremental{Cursor: "updated_at"},
	}
	model := "SELECT *, gone AS Should_Delete_From_Destination FROM crm.customers"
	for _, c := range []struct{ model, also string }{{model, ", 'should_delete_from_destination', m.should_delete_from_destination"}, {"", ""}, {"SELECT * FROM not_should_delete_from_destinations", ""}} {
		views, err := Views(Redshift, Params{Schema: "penstock", Syncs: []Sync{{Definition: d, Model: c.model}}}, d)
		if err != nil || len(views) == 0 || views[0].Name != "penstock_source_health" {
			t.Fatal(views, err)
		}
		const cursor = "CASE WHEN CAN_JSON_PARSE(m.updated_at::VARCHAR(255)) THEN JSON_PARSE(m.updated_at::VARCHAR(255)) ELSE m.updated_at::VARCHAR(255)::SUPER END"
		whole := "OBJECT('customer_id', m.customer_id, 'email', m.email, 'seen_at', m.seen_at::VARCHAR(64), 'born', m.born::VARCHAR(64), 'address', m.address, 'updated_at', " + cursor + c.also + ")"
		id := "OBJECT('customer_id', m.customer_id)"
		want := fmt.Sprintf(`CASE
        WHEN JSON_SIZE(%[1]s) <= 65535 THEN JSON_SERIALIZE(%[1]s)
        WHEN JSON_SIZE(%[2]s) <= 32767 THEN '{"penstock_too_large":' || JSON_SIZE(%[1]s)::VARCHAR(32) || ',' || SUBSTRING(JSON_SERIALIZE(%[2]s), 2)
        ELSE '{"penstock_too_large":' || JSON_SIZE(%[1]s)::VARCHAR(32) || '}'
    END AS penstock_row`, whole, id)
		if !strings.Contains(views[0].Query, want) {
			t.Errorf("%s\nwant\n%s", views[0].Query, want)
		}
	}
}
