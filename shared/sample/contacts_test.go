//go:build cgo

package sample

import (
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// contacts is intercom_health's mapping: values, an object, and a list.
func contacts() *syncdef.Definition {
	return &syncdef.Definition{Sync: ContactHealth, OnDelete: syncdef.RemoveArchive, Match: syncdef.Match{Source: "user_email", Destination: "email"}, Fields: []syncdef.Field{
		{Source: "health_score_decimal", Destination: "health_score", Type: syncdef.Number},
		{Source: "risk_category", Destination: "risk_category", Type: syncdef.Picklist},
		{Source: "custom_attributes", Destination: "custom_attributes", Type: syncdef.JSON},
		{Source: "user_tags", Destination: "tags", Type: syncdef.JSON},
	}}
}

// held are the contacts as a right delivery leaves them, by customer.
func held(t *testing.T, db *sql.DB) map[string]account {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT customer_id, user_email, CAST(health_score_decimal AS VARCHAR), risk_category,
		CAST(custom_attributes AS VARCHAR), CAST(to_json(user_tags) AS VARCHAR) FROM intercom_customer_health_sync JOIN sample.customers USING (customer_id)
		WHERE NOT should_delete_from_destination AND fault NOT IN ('malformed_email', 'score_out_of_range', 'unknown_risk')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]account{}
	for rows.Next() {
		var id, email, risk, attributes, tags string
		var score *string
		if err := rows.Scan(&id, &email, &score, &risk, &attributes, &tags); err != nil {
			t.Fatal(err)
		}
		a := account{"Id": "c" + id, "email": email, "risk_category": risk, "tags": tags}
		if score != nil {
			a["health_score"] = *score
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(attributes), &members); err != nil {
			t.Fatal(err)
		}
		for name, v := range members {
			if text := strings.Trim(string(v), `"`); text != "null" {
				a[name] = text
			}
		}
		out[id] = a
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Records that the sync makes: an object's members and a list's texts are compared one
// by one, and a record that is there twice, too much or not at all is found.
func TestCompareContacts(t *testing.T) {
	db := warehouse(t)
	now := time.Now().Add(-5 * time.Minute)
	generate(t, db, 200, now)
	_, p := rescore(t, db, now.Add(time.Minute))
	var good, gone string
	for query, into := range map[string]*string{
		"SELECT customer_id FROM sample.customers WHERE fault = 'none' AND left_pass IS NULL AND n = (SELECT min(n) FROM sample.customers WHERE n > 0 AND fault = 'none' AND left_pass IS NULL)": &good,
		"SELECT domain FROM sample.customers WHERE left_pass IS NOT NULL LIMIT 1": &gone,
	} {
		if err := db.QueryRowContext(t.Context(), query).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		change func(map[string]account)
		want   []Difference // Record and Want are not compared
	}{
		{"as it should be", func(map[string]account) {}, nil},
		{"a number written otherwise, tags in another order", func(m map[string]account) {
			m[good]["health_score"] += "00"
			var tags []string
			if err := json.Unmarshal([]byte(m[good]["tags"]), &tags); err != nil || len(tags) < 2 {
				t.Fatal(tags, err)
			}
			slices.Reverse(tags)
			m[good]["tags"] = `["` + strings.Join(tags, `","`) + `"]`
		}, nil},
		{"a member", func(m map[string]account) { m[good]["risk_level"] = "x" }, []Difference{{Customer: good, Field: "risk_level", Got: "x"}}},
		{"a member that is not there", func(m map[string]account) { delete(m[good], "support_priority") }, []Difference{{Customer: good, Field: "support_priority", Got: "null"}}},
		{"one tag only", func(m map[string]account) { m[good]["tags"] = `["high_value"]` }, []Difference{{Customer: good, Field: "tags", Got: `["high_value"]`}}},
		{"no tags", func(m map[string]account) { delete(m[good], "tags") }, []Difference{{Customer: good, Field: "tags", Got: "null"}}},
		{"a contact too many", func(m map[string]account) { m["x"] = account{"Id": "x", "email": "x@x.example"} }, []Difference{{Got: "x@x.example"}}},
		{"a contact without an address", func(m map[string]account) { m["x"] = account{"Id": "x"} }, []Difference{{Got: "a record without email"}}},
		{"a customer that is gone", func(m map[string]account) { m["x"] = account{"Id": "x", "email": "a@" + gone} }, []Difference{{Got: "a@" + gone}}},
		{"a contact too few", func(m map[string]account) { delete(m, good) }, []Difference{{Customer: good, Got: "none"}}},
		{"a contact twice", func(m map[string]account) { m["x"] = m[good] }, []Difference{{Got: "2 records "}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := held(t, db)
			email := all[good]["email"]
			c.change(all)
			var records []account
			for _, id := range slices.Sorted(maps.Keys(all)) {
				records = append(records, all[id])
			}
			got, err := Compare(t.Context(), db, contacts(), "intercom_customer_health_sync", each(records))
			if err != nil {
				t.Fatal(err)
			}
			for i := range got.Differences {
				d := &got.Differences[i]
				d.Record, d.Want, d.Got = "", "", strings.TrimSuffix(d.Got, email)
			}
			if d := cmp.Diff(c.want, got.Differences); d != "" || got.Total != len(c.want) {
				t.Errorf("%d differences: %s", got.Total, d)
			}
			if e := p.Expect(ContactHealth); got.Compared != e.Delivered+e.Unchanged-p.last().Gone || got.Records != len(records) {
				t.Errorf("%d compared, %d records, expected %+v", got.Compared, got.Records, e)
			}
		})
	}
}

// What is cleared instead of removed stays, empty: a value that is left is found.
func TestCompareCleared(t *testing.T) {
	db := warehouse(t)
	now := time.Now().Add(-5 * time.Minute)
	generate(t, db, 50, now)
	rescore(t, db, now.Add(time.Minute))
	def := &syncdef.Definition{Sync: ProductUsage, OnDelete: syncdef.RemoveClear, Match: syncdef.Match{Source: "customer_id", Destination: "user_id"}, Fields: []syncdef.Field{
		{Source: "api_calls_trend", Destination: "api_calls_trend", Type: syncdef.String},
	}}
	rows, err := db.QueryContext(t.Context(), "SELECT customer_id, api_calls_trend, should_delete_from_destination FROM amplitude_customer_health_sync ORDER BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var users []account
	var left account
	for rows.Next() {
		var id, trend string
		var gone bool
		if err := rows.Scan(&id, &trend, &gone); err != nil {
			t.Fatal(err)
		}
		a := account{"Id": id, "user_id": id}
		if users = append(users, a); gone {
			left = a
		} else {
			a["api_calls_trend"] = trend
		}
	}
	if left == nil || rows.Err() != nil {
		t.Fatal(left, rows.Err())
	}
	for want, change := range []func(){func() {}, func() { left["api_calls_trend"] = "stable" }} {
		change()
		if got, err := Compare(t.Context(), db, def, "amplitude_customer_health_sync", each(users)); err != nil || got.Total != want {
			t.Errorf("%d differences, want %d: %v %v", got.Total, want, got.Differences, err)
		}
	}
}
