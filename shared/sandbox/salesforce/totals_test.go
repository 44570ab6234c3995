package salesforce

import (
	"net/url"
	"strings"
	"testing"
)

func TestTotals(t *testing.T) {
	o := seeded(t, []string{"Name", "Health_Score__c", "Health_Score_Last_Updated__c"},
		[]string{"a", "85.0", "2026-03-01T11:00:00Z"},
		[]string{"b", "9", "2026-03-01T12:00:00+02:00"},
		[]string{"c", "", ""})
	send := func(soql string) string {
		_, _, body := o.send("GET", data+"query?q="+url.QueryEscape(soql), "")
		return body
	}
	for soql, want := range map[string]string{
		`SELECT COUNT(Id), COUNT(Health_Score__c) n, MIN(Health_Score__c) least, max(health_score__c) FROM Account`: `"expr0":3,"n":2,"least":9,"expr3":85.0}`,
		`SELECT MIN(Health_Score_Last_Updated__c) x FROM Account WHERE Name != 'c'`:                                 `{"type":"AggregateResult"},"x":"2026-03-01T10:00:00.000+0000"}]}`,
		`SELECT COUNT(Id) n, MAX(Health_Score__c) x FROM Account WHERE Name = 'z'`:                                  `"n":0,"x":null}`,
		`SELECT COUNT() FROM Account WHERE Health_Score_Last_Updated__c >= 2026-03-01T11:00:00Z`:                    `{"totalSize":1,`,
		`SELECT COUNT() FROM Account WHERE Health_Score_Last_Updated__c < 2026-03-01T11:00:00Z`:                     `{"totalSize":1,`,
		`SELECT COUNT() FROM Account WHERE Health_Score__c > 9 OR Health_Score__c <= 9`:                             `{"totalSize":2,`,
		`SELECT COUNT() FROM Account WHERE Health_Score_Last_Updated__c >= '2026-03-01T11:00:00Z'`:                  `INVALID_FIELD`,
		`SELECT COUNT() FROM Account WHERE Health_Score_Last_Updated__c >= 2026-03-01`:                              `INVALID_FIELD`,
		`SELECT COUNT() FROM Account WHERE Health_Score_Last_Updated__c >= null`:                                    `INVALID_FIELD`,
		`SELECT COUNT() FROM Account WHERE Products__c > 'a'`:                                                       `INVALID_FIELD`,
		`SELECT COUNT(Products__c) FROM Account`:                                                                    `does not support aggregate operator COUNT`,
		`SELECT COUNT(Description) FROM Account`:                                                                    `MALFORMED_QUERY`,
		`SELECT Name, COUNT(Id) FROM Account`:                                                                       `must be grouped or aggregated`,
		`SELECT COUNT(Id) n, COUNT(Name) N FROM Account`:                                                            `duplicate alias`,
		`SELECT COUNT(Nope) FROM Account`:                                                                           `INVALID_FIELD`,
		`SELECT SUM(Health_Score__c) FROM Account`:                                                                  `MALFORMED_QUERY`,
		`SELECT COUNT(Id FROM Account`:                                                                              `MALFORMED_QUERY`,
	} {
		if got := send(soql); !strings.Contains(got, want) {
			t.Errorf("%s\n got %s\nwant %s", soql, got, want)
		}
	}
}
