package sql

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// judged is a definition whose gate has every kind of rule.
var judged = syncdef.Definition{Sync: "judged", Model: "accounts", RecordID: []string{"id"}, Fields: []syncdef.Field{{Source: "score"}}, Quality: &syncdef.Quality{
	WarnOver: "0.01", BlockOver: "0.05", MinRows: 1, Rules: []syncdef.QualityRule{
		{Column: "email", NotEmpty: true}, {Column: "id", NotNull: true, BlockOver: "0"}, {Column: "score", Between: []syncdef.Decimal{"0", "1.5"}},
		{Column: "name", MaxLength: 255, CountOnly: true}, {Column: "email", Matches: `^[^@\s]+@[^@]+[.]\w{2,}$`},
		{Column: "risk", In: []json.RawMessage{json.RawMessage(`"low"`), json.RawMessage(`"it's"`), json.RawMessage("1")}},
	},
}}

// A definition with quality has a gate's view, whose row names the definition.
func TestGateView(t *testing.T) {
	g, err := quality.Compile(&judged)
	if err != nil {
		t.Fatal(err)
	}
	for _, dialect := range Dialects {
		views, err := Views(dialect, filled(dialect), judged)
		if err != nil {
			t.Fatal(err)
		}
		v := views[len(views)-1]
		if v.Name != quality.ViewName("judged") || !strings.Contains(v.Query, "'"+g.ID()+"' AS definition") {
			t.Errorf("%s: %s: %s", dialect, v.Name, v.Query)
		}
	}
}
