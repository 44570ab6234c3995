package sql

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// scored is a definition whose model stands beside it.
var scored = Sync{
	Definition: syncdef.Definition{Sync: "scored", Fields: []syncdef.Field{{Source: "score"}, {Source: "address.city"}, {Source: "Since", Type: syncdef.Date}}, Incremental: &syncdef.Incremental{Cursor: "updated_at"}, RecordID: []string{"customer_id"}},
	Model:      "SELECT c.customer_id, c.score, c.address, c.since, c.updated_at FROM customers AS c;\n",
}

// kept is a definition whose model's history is shown, with a column of every type.
var kept = Sync{Definition: syncdef.Definition{
	Sync: "kept", Model: "analytics.customer_health", RecordID: []string{"customer_id", "Region"}, Match: syncdef.Match{Source: "email", Destination: "Website"},
	Fields: []syncdef.Field{
		{Source: "health_score", Type: syncdef.Number}, {Source: "risk_category"}, {Source: "seats", Type: syncdef.Integer}, {Source: "paying", Type: syncdef.Boolean},
		{Source: "Since", Type: syncdef.Date}, {Source: "changed", Type: syncdef.DateTime}, {Source: "address.city", Type: syncdef.String},
	},
	Incremental: &syncdef.Incremental{ChangedOnly: true},
}}

// Snowflake's teardown runs on a stand-in after the script, twice, and what it is to leave
// is left.
func TestFakesnowTeardown(t *testing.T) {
	p := filled(Snowflake)
	teardown, err := Teardown(Snowflake, p)
	if err != nil {
		t.Fatal(err)
	}
	var drops []statement
	for _, s := range split(teardown) {
		if strings.HasPrefix(s, "DROP TABLE") || strings.HasPrefix(s, "DROP VIEW") { // it has none of the others
			drops = append(drops, statement{Text: s})
		}
	}
	if len(drops) < 15 {
		t.Fatalf("%d drops", len(drops))
	}
	ask := statement{Text: "SELECT LISTAGG(LOWER(table_name), ' ') WITHIN GROUP (ORDER BY table_name) FROM information_schema.tables WHERE table_schema = 'PUBLIC'"}
	all := append(append(append([]statement(nil), drops...), drops...), ask)
	answers := fakesnow(t, all)
	for i, a := range answers {
		if a.Error != "" {
			t.Errorf("%s\n%s", a.Error, all[i].Text)
		}
	}
	if d := cmp.Diff("customer_health_comprehensive customer_health_history customer_health_scores deleted_customers", answers[len(answers)-1].text()); d != "" {
		t.Error(d)
	}
}

// A definition's views, and its model's, by dialect.
func TestSyncViews(t *testing.T) {
	var all strings.Builder
	for _, dialect := range Dialects {
		p := filled(dialect)
		p.Syncs = []Sync{scored, kept}
		parts, err := Parts(dialect, p)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range parts {
			if f.Name == syncsFile {
				all.WriteString("-- " + string(dialect) + "\n" + f.Text + "\n")
				found = true
			}
		}
		if !found {
			t.Errorf("%s: no %s", dialect, syncsFile)
		}
	}
	golden(t, "sync_views.golden", all.String())
}

// Of several syncs that read one model the last one's history is shown, and the view is
// made once: Redshift would refuse to make another one in its place.
func TestSyncViewsOfOneModel(t *testing.T) {
	other := kept
	other.Definition.Sync, other.Definition.Fields = "later", other.Definition.Fields[:1]
	for _, dialect := range Dialects {
		p := filled(dialect)
		p.Syncs = []Sync{kept, other}
		script, err := Setup(dialect, p)
		if err != nil {
			t.Fatal(err)
		}
		made := regexp.MustCompile("(?m)^CREATE OR REPLACE VIEW \\S*"+HistorySuffix).FindAllString(script, -1)
		if len(made) != 1 || !strings.Contains(script, ".sync = 'later'") || strings.Contains(script, ".sync = 'kept'") {
			t.Errorf("%s: %d views", dialect, len(made))
		}
	}
}
