// Package intercom delivers records to the contacts of an Intercom workspace, over the
// REST API 2.16. It is given mapped records and answers one outcome for each; it
// decides neither order nor retries.
//
// # Contacts
//
// The one object is contact. A contact is found by its external_id or its email,
// updated by Intercom's own id, which the ledger remembers, and created where
// on_missing is create. A new contact is a user unless a column is mapped to role. A
// field mapping's destination is one of the contact's own fields
//
//	name, phone, avatar, email, external_id, role, owner_id, language_override,
//	unsubscribed_from_emails, signed_up_at, last_seen_at
//
// or custom_attributes, tags, or else the name of a custom attribute, alone or in full
// (plan, custom_attributes.plan). Dates and times are sent as Unix seconds, except to a
// custom attribute that holds text. Null clears a field.
//
//	sync: intercom_health
//	connection: intercom_prod
//	destination_object: contact
//	matching_strategy: email
//	match: {source: user_email, destination: email}
//	field_mappings:
//	  - {source: health_score_decimal, destination: health_score, data_type: number}
//	  - {source: custom_attributes, destination: custom_attributes, data_type: json}
//	  - {source: user_tags, destination: tags, data_type: json}
//	intercom:
//	  create_attributes: true
//	  managed_tags: [health_score_, risk_, high_value, standard_value]
//
// # Finding contacts
//
// Contacts that the ledger does not know are searched for, 15 values a call. The search
// shows a new contact only after minutes: one that it misses is created, Intercom
// answers 409 with the id of the one that is there, and that one is updated. A record
// that is alone in its lookup, and one that must not be created, is asked for by its
// external id directly, which has no lag. A merged contact (410) leads to the one that
// it became, which gets the whole row. An email need not be unique: a row that more
// than one contact matches fails with ambiguous_match and their ids, a lead and a user
// of one address among them. Where the row also maps an email or an external_id, the
// contact of a 409 is read first: one that another field points to is never overwritten
// (conflict). external_id is compared as it is; whether its case counts is not
// published, so that two rows of a batch that differ by nothing else are rejected until
// match: {case: true} or {case: false} says so. A search with fewer or more contacts than
// it says is no answer, nor is one of another contact than was asked for or written.
//
// An archived contact is not shown by the search, and its 409 says that it is
// archived. on_archived: report fails the row and names the contact; on_archived:
// unarchive restores and updates it. A blocked one cannot be restored.
//
// # Custom attributes
//
// The workspace's attributes are read once in ten minutes, with their types, options,
// and whether they can be written. One that a mapping names and the workspace lacks, or
// that cannot be written, halts the version; with create_attributes: true it is created
// with the mapping's data type. A column that is mapped to custom_attributes (data_type:
// json) holds an object whose members become attributes: what is wrong with one of them
// is that row's failure alone. Members that a later object lacks keep their values; null
// clears one. Created for a member, an attribute is a string, a boolean or a float. What
// has a mapping of its own is written by that, and as: flat lifts the members of objects
// within the object. A text over 255 characters is refused before it is sent, since
// Intercom may cut it, and so is a text that is none of an attribute's options.
//
// # Tags
//
// A column that is mapped to tags (data_type: json) holds a list of names, compared
// without case; tags that the workspace lacks are created. managed_tags says how the
// names of the sync's own tags begin. Of a contact's tags, those that begin so and that
// the row does not list are taken off, and those that the row lists are put on; no
// other tag is ever touched, so that what people set stays. A row with a tag that
// begins otherwise is refused, because nothing could take it off again. Nothing is
// remembered of what was set before, so choose beginnings that people do not use. Null
// is the empty list.
//
// # Deletes
//
// A deleted row archives its contact (on_delete: archive), deletes it for good (on_delete:
// delete), or empties the mapped fields and takes off the managed tags (on_delete: clear);
// attributes that came of an object's members stay then, as nothing remembers their names. A
// contact that the sync archived is taken out of the archive when its row comes back,
// whatever on_archived says. What is not there, archived already, or merged into another
// contact is as good as removed: a merge is never followed to remove the other one. A
// contact that the ledger does not know, as of operation: delete, is searched for, and
// within minutes of its making is found by its external_id only.
//
// # Answers
//
//	the row        parameter_invalid and its kind; conflict, ambiguous_match,
//	               contact_archived, not_restorable; too_many_requests (tried again)
//	the version    an unknown or read-only attribute of a mapping; attributes that
//	               cannot be created; 403 forbidden, action_forbidden and
//	               api_plan_restricted, but for the probe
//	the connection 401, 406, a redirect; 429 rate_limit_exceeded; no connection
//	not told       5xx, 408, any other 403, too_many_requests to a search, an answer
//	               that was lost or cut off, HTML
//
// A create whose answer was lost is repeated: Intercom then answers 409 with its id. Of a lead
// (role) it may not: its row comes back after ten minutes, when the search shows whether it is
// there. A newer row of it that comes before makes a second one.
//
// # The account
//
// Identity is the app id of the workspace (GET /me), and so is the probe. The secret
// holds {"token": "..."}, the access token of an app that was made in the Developer Hub
// for this workspace. The app needs to read and write users and leads, to read and
// write tags, and to read attributes; to create attributes, to write them too. Without
// the right to read attributes Intercom judges each contact by itself.
//
// # Before the first row
//
// penstock validate --connection reads the workspace's attributes, archived ones
// included: that each is there, can be written, is of the mapping's type and has the
// options that it names, and that no text may be longer than 255 characters. penstock
// connect test names the permissions to read that the app lacks; those to write show
// with the first contact, since Intercom tells nobody an app's permissions.
//
// # Limits
//
//	calls          10,000 a minute and app, counted in windows of 10 seconds
//	               (calls_per_minute; quota.share is 50 percent where nothing is
//	               written). A smaller X-RateLimit-Limit of Intercom's own holds.
//	a contact      one call to create or update it, one for each tag that is put on or
//	               taken off; a contact with more than ten tags one more to read them
//	a search       15 values, 150 contacts a page
//	calls at once  8 from one invocation, 32 from one process
//
// Sources, by name: Intercom API reference 2.16 (Contacts, Tags, Data Attributes,
// Admins), "Search contacts", "Pagination", "Rate Limiting", "HTTP Responses",
// "Regional Hosting", "Versioning".
package intercom
