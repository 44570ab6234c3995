// Package hubspot is HubSpot's CRM on one machine, written from its public API
// specification (2026-09) and developer documentation, as strict as it is and never
// kinder. Paths carry a dated version or a numeric one, as the vendor's own client
// libraries call it, and mean the same:
//
//	POST   /crm/objects/2026-09/{object}/batch/{upsert,update,create,read,archive}   /crm/v3/objects/…
//	POST   /crm/objects/2026-09/{object}        create; /search; /gdpr-delete of contacts
//	GET    /crm/objects/2026-09/{object}[/{id}] read; PATCH updates, DELETE archives
//	GET    /crm/properties/2026-09/{object}[/{name}]   POST makes one; /batch/{create,read}
//	GET    /crm-object-schemas/2026-09/schemas[/{object}]
//	GET    /account-info/2026-09/details
//
// Every request carries the bearer token. Values are texts; a number, boolean or null
// in their place is refused. Unknown and read-only properties, ids that are there
// twice, and more than 100 inputs fail the whole call. One record's invalid value or
// clash fails that record where every input has a trace id of its own, else the whole
// call, as it always does with Options.WholeBatch. Search sees a record at once, which
// is the one way in which it is kinder.
package hubspot
