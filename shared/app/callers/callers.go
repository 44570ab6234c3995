// Package callers says which caller's protocol a request at the API speaks, by the
// address and by whether a token was verified: what is open at an address, and to whom,
// is the gateway's (template.yaml).
package callers

import (
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// Unread answers what is no request at all: its refusals are plain text.
var Unread = snowflake.Protocol

// Of is the protocol of a request. An error is a *row.Refusal: at the addresses for
// tokens nobody is let in without one that the API verified, should a gateway ever lack
// its authorizer.
func Of(r *gateway.Request) (wire.Protocol, error) {
	switch {
	case r.Verified(bigquery.VerifiedEmail) != "": // a token's holder is that, wherever a gateway's paths begin
		return bigquery.Protocol, nil
	case strings.HasPrefix(r.Path, bigquery.PathPrefix):
		return bigquery.Protocol, row.Refuse("the API has verified no token of this request: the addresses %s... need their authorizer", bigquery.PathPrefix)
	}
	return snowflake.Protocol, nil
}
