// Package intercom simulates an Intercom workspace over HTTP, as far as contacts,
// their tags and their attributes go:
//
//	GET    /me
//	GET    /contacts, POST /contacts, GET, PUT and DELETE /contacts/{id}
//	POST   /contacts/{id}/archive, /unarchive and /block, POST /contacts/merge
//	GET    /contacts/find_by_external_id/{external_id}, POST /contacts/search
//	GET    /contacts/{id}/tags, POST the same, DELETE /contacts/{id}/tags/{tag}
//	GET    /tags, POST /tags, GET and DELETE /tags/{id}
//	GET    /data_attributes, POST the same, PUT /data_attributes/{id}
//	GET    /_sandbox/records          the contacts, as JSON
//
// It is written from the vendor's OpenAPI description (2.16) and the pages of
// developers.intercom.com, and is as strict: an answer needs an Accept header (406)
// and a known Intercom-Version; a new contact is searched for in vain for a while
// (Config.SearchLag); attributes that do not exist, values of another type or over 255
// characters, and options that are not on the list are refused (400); a contact that
// is there is a 409 that names it, an archived one too; a merged one answers 410 with
// a Link; a contact shows its first ten tags only; calls beyond a window of 10 seconds
// are a 429 with X-RateLimit headers. What the pages leave open is the stricter way:
// an archived contact cannot be read or changed (404), and null clears neither email
// nor external_id.
//
// It imports nothing of the package that delivers to Intercom.
package intercom
