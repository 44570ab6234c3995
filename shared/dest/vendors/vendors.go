// Package vendors is the one list of the destination types that the command line
// is built with. A worker links the one vendor that it delivers to, and nothing
// else links any.
package vendors

import (
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/dest/slack"
)

// All are the vendors, in the order in which people are told of them.
var All = []dest.Vendor{salesforce.Vendor, slack.Vendor}
