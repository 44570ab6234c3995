package salesforce

import "github.com/penstock-data/penstock/shared/dest"

// Vendor is Salesforce as a destination type.
var Vendor = dest.Vendor{Kind: Kind, Open: Open, Link: link}
