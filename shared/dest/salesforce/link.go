package salesforce

import (
	"net/url"
	"strings"
)

// link is a record's page: the organisation's domain and the Id, which Salesforce takes
// for every object.
func link(base, _, _, id string) string {
	at, err := url.Parse(base)
	if err != nil || at.Scheme != "https" || at.Host == "" || strings.HasPrefix(at.Host, "login.") || strings.HasPrefix(at.Host, "test.") {
		return "" // where people log in there are no records
	}
	return "https://" + at.Host + "/" + url.PathEscape(id)
}
