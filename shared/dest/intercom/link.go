package intercom

import "net/url"

// link is a contact's page in the workspace.
func link(_, app, object, id string) string {
	if app == "" || object != "contact" && object != "contacts" {
		return ""
	}
	return "https://app.intercom.com/a/apps/" + url.PathEscape(app) + "/users/" + url.PathEscape(id) + "/all-conversations"
}
