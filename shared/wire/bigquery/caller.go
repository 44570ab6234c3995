package bigquery

import (
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// What the API's authorizer says of who calls, by name.
const (
	VerifiedEmail   = "email"   // of the ID token, a service account's
	VerifiedForward = "forward" // "true" where what this account says of its users is believed
)

// caller is who calls: the service account whose token the API verified. The body's
// sessionUser is written by BigQuery; but between BigQuery and the API stands the
// forwarder, so that it is as true as the forwarder is closed to everybody but the
// connection's service account (Cloud Run's IAM). It counts only where the stack
// names the account as such a forwarder, and never without a verified token: whoever
// holds a token of another account could write any name.
func caller(r wire.Request, user string) row.Caller {
	c := row.Caller{Names: row.Exact, Remedy: remedy}
	if r.Verified == nil {
		return c
	}
	if c.Role = r.Verified(VerifiedEmail); c.Role != "" && r.Verified(VerifiedForward) == "true" {
		c.User = user
	}
	return c
}

const remedy = "the role is the email of the Google service account whose token the API verified; the email of the person who runs the query counts too " +
	"where the stack's parameter TokenForwarders names that account"
