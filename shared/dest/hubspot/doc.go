// Package hubspot delivers records to HubSpot's CRM: contacts, companies, deals and
// any other object, standard or of one's own, by its name (contacts, p123_car) or id
// (0-1, 2-4711).
//
// Sources: HubSpot's public API specification, files Crm/Objects, Crm/Properties and
// Account/Account Info of 2026-09, and its developer documentation: "API usage
// guidelines and limits", "Handling API errors", "Upsert contacts", "Properties",
// "Service Keys".
//
//	operation  call                                              success
//	upsert     POST /crm/objects/2026-09/{object}/batch/upsert   200 (207), new says created
//	update     POST /crm/objects/2026-09/{object}/batch/update   200 (207)
//	insert     POST /crm/objects/2026-09/{object}/batch/create   201 (207)
//	archive    POST /crm/objects/2026-09/{object}/batch/archive  204, also where it is gone
//	look up    POST /crm/objects/2026-09/{object}/batch/read     200 (207)
//
// A call takes 100 records of one object. Every record carries a trace id
// (objectWriteTraceId), by which results and errors are told apart; what an answer
// says is read from its body and never from its status, and an answer that does not
// account for every record, counts errors that it does not list, or is of a batch that
// is not COMPLETE, is no answer. Of an insert, which is not sent twice, what such an answer
// names holds all the same: only of the other records it is not known whether they were made.
// A record that a look-up's answer is silent about is asked for once more before it counts as
// not there.
//
// An insert whose answer was lost is looked for by its match before it is sent again. What
// was created since it was tried (createdAt) is the row's; what was there before is
// another's and stays as it is: HubSpot then refuses the row. Where that cannot be told
// (created in the 5 minutes before, or a row that writes the date of creation) the row is
// the error unknown.
//
// An upsert needs a property with unique values: email of contacts, or one of one's
// own that was created so (hasUniqueValue; 10 an object). Records that are matched by an
// address and whose id is known are updated by it: an upsert by email is documented to be
// whole records only, and the address may be stored in another spelling. A match by
// hs_object_id updates records that exist. Records may also answer to secondary email
// addresses, so that the address of an answer need not be the one that was asked for.
//
// A deleted row archives its record (on_delete: archive), which can be restored in HubSpot
// within 90 days, and is no longer found: a row of its key that comes back makes a new one.
// on_delete: clear empties the mapped properties instead and keeps the record. Records are
// archived by their ids, those that the sync does not know by the unique property's value.
// Before that they are read, 100 a call: HubSpot answers the id of a record that was merged
// into another with that other one, which is not the row's to archive or to clear. What is
// not there, or was merged, is as good as archived. Of a contact that is known by an address
// alone, the address must be its own: one that has it as a secondary address, as after a
// merge, stays, and the row fails with secondary_match, which names it. Erasing a person for
// good is left to people (Privacy in HubSpot).
//
// Values are texts: a number plain and without commas, a boolean true or false, a
// date YYYY-MM-DD, a datetime in ISO 8601, an option by its internal value, several
// options joined by semicolons; an empty text clears. A text that begins with a
// semicolon would add to several options instead of replacing them: its row is refused.
// A number that records are matched by has one spelling, whatever the row's (101 for
// 101.0 and 1.01e2), and 64 digits at most. Texts that records are matched by are compared
// without case, for HubSpot does not document how it compares them: of two rows that
// differ by case alone the later one holds. match: {case: true} keeps them apart.
//
// Limits: 190 calls in 10 seconds and 650,000 a day on Professional and Enterprise,
// 100 and 250,000 below; 429 names the policy. 423 says that a record or the account is
// locked, for 2 seconds or more: a probe tells which. 477 says that the account is being
// moved, for up to 24 hours. 414 also says that one record has more than 250 identities.
//
// The credential is a Service Key (or a legacy private app's token), sent as Bearer:
// secret {"token": "pat-..."}; scopes crm.objects.OBJECT.read, crm.objects.OBJECT.write
// and crm.schemas.OBJECT.read.
//
// Before the first row penstock validate --connection holds a definition against the
// object's properties and schema: names, types, options (a hidden one is taken, and
// told), read-only and archived properties, unique ones, and those that a new record
// must have. penstock connect test sends each object a batch without records, which
// changes nothing, to find out whether the key may write.
//
// Files: kind.go says what a definition may hold, check.go judges one, hubspot.go is
// the account, destination.go cuts and makes calls, encode.go and decode.go write and
// read bodies, errors.go and codes.go say what failed and whose it is, lookup.go finds
// records, properties.go reads the object's properties, client.go makes the calls.
package hubspot
