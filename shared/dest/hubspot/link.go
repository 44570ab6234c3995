package hubspot

import (
	"net/url"
	"strings"
)

// typeIDs are HubSpot's ids of its own objects ("Understanding the CRM": object type ids).
var typeIDs = map[string]string{"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5", "products": "0-7"}

// link is a record's page. One of an object of the portal's own is known by an id that
// only its schema tells, unless the definition names it by that.
func link(_, portal, object, id string) string {
	kind := typeIDs[objectPath(object)]
	if kind == "" && (strings.HasPrefix(object, "0-") || strings.HasPrefix(object, "2-")) {
		kind = object
	}
	if kind == "" || portal == "" {
		return ""
	}
	return "https://app.hubspot.com/contacts/" + url.PathEscape(portal) + "/record/" + url.PathEscape(kind) + "/" + url.PathEscape(id)
}
