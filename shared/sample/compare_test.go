//go:build cgo

package sample

import (
	"database/sql"
	"iter"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// An account is a record of a destination that the tests make.
type account map[string]string

func (a account) ID() string { return a["Id"] }

func (a account) Text(field string) ([]byte, bool) {
	v, ok := a[field]
	return []byte(v), ok
}

func each(accounts []account) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, a := range accounts {
			if !yield(a) {
				return
			}
		}
	}
}

// health is sf_health's mapping in the parts that differ in kind.
func health() *syncdef.Definition {
	one, zero, none := 1, 0, "0"
	return &syncdef.Definition{Sync: AccountHealth, Fields: []syncdef.Field{
		{Source: "health_score_percentage", Destination: "Health_Score__c", Type: syncdef.Number, Scale: &one, OnNull: syncdef.ClearNull},
		{Source: "feature_adoption_pct", Destination: "Feature_Adoption__c", Type: syncdef.Number, Scale: &zero, OnNull: syncdef.ClearNull},
		{Source: "health_status_description", Destination: "Health_Status__c", Type: syncdef.Picklist, OnNull: syncdef.ClearNull},
		{Source: "company_name", Destination: "Health_Company_Name__c", Type: syncdef.String, Transform: []string{"trim"}, OnNull: syncdef.ClearNull},
		{Source: "email", Destination: "Health_Contact_Email__c", Type: syncdef.Email, Transform: []string{"trim", "lower"}, OnNull: syncdef.ClearNull},
		{Source: "monthly_recurring_revenue", Destination: "MRR__c", Type: syncdef.Number, OnNull: syncdef.SkipNull},
		{Source: "support_tickets_last_30d", Destination: "Tickets__c", Type: syncdef.Integer, OnNull: syncdef.DefaultNull, Default: &none},
		{Source: "health_score_calculated_at", Destination: "Updated__c", Type: syncdef.DateTime, OnNull: syncdef.ClearNull},
		{Source: "recommended_action", Destination: "Action__c", Type: syncdef.String, MaxLength: 20, OnTooLong: syncdef.TruncateLong, OnNull: syncdef.ClearNull},
	}}
}

// deliver makes the destination as a right delivery leaves it.
func deliver(t *testing.T, db *sql.DB) (accounts []account, byCustomer map[string]account) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT a.customer_id, a.website, a.name, l.fault = 'none' AND m.customer_id IS NOT NULL,
		health_score_percentage::VARCHAR, round(feature_adoption_pct)::VARCHAR, health_status_description, m.company_name, m.email, monthly_recurring_revenue::VARCHAR,
		coalesce(support_tickets_last_30d, 0)::VARCHAR, strftime(health_score_calculated_at, '%Y-%m-%dT%H:%M:%S.000+0000'), left(recommended_action, 20)
		FROM sample.accounts a JOIN sample.customers l USING (customer_id) LEFT JOIN salesforce_customer_health_sync m USING (customer_id) ORDER BY position`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	byCustomer = map[string]account{}
	for rows.Next() {
		var customer, website, name string
		var good bool
		values := make([]*string, 9)
		into := []any{&customer, &website, &name, &good}
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		a := account{"Id": "001" + strconv.Itoa(len(accounts)), "Website": website, "Name": name}
		for i, f := range health().Fields {
			if good && values[i] != nil {
				a[f.Destination] = *values[i]
			}
		}
		accounts, byCustomer[customer] = append(accounts, a), a
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return accounts, byCustomer
}

func TestCompareAccounts(t *testing.T) {
	db := warehouse(t)
	p := generate(t, db, 300, time.Now())
	customer := func(fault Fault) (id string) {
		if err := db.QueryRowContext(t.Context(), `SELECT l.customer_id FROM sample.customers l JOIN salesforce_customer_health_sync m USING (customer_id)
			WHERE fault = ? AND n > 0 AND monthly_recurring_revenue IS NOT NULL ORDER BY n LIMIT 1`, fault).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	good, bad, late := customer(None), customer(ScoreOutOfRange), ""
	if err := db.QueryRowContext(t.Context(), `SELECT customer_id FROM sample.customers WHERE first_pass = 99 LIMIT 1`).Scan(&late); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(map[string]account, []account) []account
		want   []Difference // Record, and Want where it is a seeded text, are not compared
	}{
		{"as it should be", nil, nil},
		{"the same number, written otherwise", func(m map[string]account, _ []account) []account {
			m[good]["Health_Score__c"] += "00"
			m[good]["MRR__c"] += ".0"
			return nil
		}, nil},
		{"the same instant, written otherwise", func(m map[string]account, _ []account) []account {
			at, _ := time.Parse("2006-01-02T15:04:05.000-0700", m[good]["Updated__c"])
			m[good]["Updated__c"] = at.In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05.000-0700")
			return nil
		}, nil},
		{"another number", func(m map[string]account, _ []account) []account { m[good]["Health_Score__c"] = "0.1"; return nil }, []Difference{{Customer: good, Field: "Health_Score__c", Got: "0.1"}}},
		{"no number", func(m map[string]account, _ []account) []account { m[good]["MRR__c"] = "many"; return nil }, []Difference{{Customer: good, Field: "MRR__c", Got: "many"}}},
		{"a null", func(m map[string]account, _ []account) []account { delete(m[good], "Updated__c"); return nil }, []Difference{{Customer: good, Field: "Updated__c", Got: "null"}}},
		{"a second too late", func(m map[string]account, _ []account) []account {
			m[good]["Updated__c"] = "2026-01-01T00:00:01.000+0000"
			return nil
		}, []Difference{{Customer: good, Field: "Updated__c", Got: "2026-01-01T00:00:01.000+0000"}}},
		{"two texts", func(m map[string]account, _ []account) []account {
			m[good]["Health_Company_Name__c"], m[good]["Name"] = "O''Brien", "x"
			return nil
		}, []Difference{{Customer: good, Field: "Health_Company_Name__c", Got: "O''Brien"}, {Customer: good, Field: "Name", Got: "x"}}},
		{"a faulty row was delivered", func(m map[string]account, _ []account) []account { m[bad]["Health_Score__c"] = "120"; return nil }, []Difference{{Customer: bad, Field: "Health_Score__c", Got: "120"}}},
		{"an Account of nobody yet was touched", func(m map[string]account, _ []account) []account { m[late]["Name"] = "new"; return nil }, []Difference{{Customer: late, Field: "Name", Got: "new"}}},
		{"an Account too many", func(_ map[string]account, all []account) []account {
			return append(all, account{"Id": "0019", "Website": "https://created.example"})
		}, []Difference{{Got: "https://created.example"}}},
		{"an Account too few", func(_ map[string]account, all []account) []account { return all[1:] }, []Difference{{Customer: "cust_003", Got: "none"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			accounts, byCustomer := deliver(t, db)
			if c.change != nil {
				if changed := c.change(byCustomer, accounts); changed != nil {
					accounts = changed
				}
			}
			got, err := Compare(t.Context(), db, health(), "salesforce_customer_health_sync", each(accounts))
			if err != nil {
				t.Fatal(err)
			}
			for i := range got.Differences {
				got.Differences[i].Record, got.Differences[i].Want = "", ""
			}
			if d := cmp.Diff(c.want, got.Differences); d != "" || got.Total != len(c.want) || got.Matches() != (c.want == nil) {
				t.Errorf("%d differences: %s", got.Total, d)
			}
			if got.Compared != p.Faults[None] || got.Records != len(accounts) {
				t.Errorf("%d compared, %d records; want %d and %d", got.Compared, got.Records, p.Faults[None], len(accounts))
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	db := warehouse(b)
	generate(b, db, 100_000, time.Now())
	var accounts []account
	if err := Accounts(b.Context(), db, func(website, name string) bool {
		accounts = append(accounts, account{"Id": strconv.Itoa(len(accounts)), "Website": website, "Name": name})
		return true
	}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Compare(b.Context(), db, health(), "salesforce_customer_health_sync", each(accounts)); err != nil {
			b.Fatal(err)
		}
	}
}
