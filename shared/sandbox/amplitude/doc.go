// Package amplitude simulates the part of Amplitude's ingestion that Penstock and
// Amplitude's own client libraries use, for tests and the demo: POST /batch and
// /2/httpapi with events, and /identify and /groupidentify with forms. It keeps users,
// groups and what becomes of their properties; events are counted and not kept. Faults,
// call counts and the journal are the Core's, users and groups a record store.
//
//	GET /_sandbox/records    {"users": [{"user_id", "user_properties"}], "groups":
//	                         [{"group_type", "group_value", "group_properties"}], "events": 3}
//
// A fault's fail_records are user ids, its code the member of the answer that names
// them: events_with_invalid_fields, events_with_missing_fields,
// events_with_invalid_id_lengths, silenced_events (400), throttled_users and
// exceeded_daily_quota_users (429). Its message is the field that the answer names.
//
// # As silent as Amplitude
//
// These are answered with 200 and lost: property updates of a user beyond 1,800 an
// hour, what a text has beyond 1,024 characters, properties beyond 1,000 a project,
// events whose user id is a number, and events with an insert_id that the device had
// within 7 days. Of /2/httpapi's refusals only the first event is named. Throttles and
// the hour's updates are forgotten when the process ends.
//
// # Where it is stricter than is published
//
//   - An answer names events of one kind of fault only: lengths of ids, then missing
//     fields, then invalid ones; so that the lists are as incomplete as they may be.
//   - A sixth type of groups is refused; it is not published what becomes of it. The
//     types that events alone named are forgotten when the process ends.
//   - A placeholder for an id is refused in any case, null within $set too, and so is
//     an operation that the pages do not list.
//   - An event needs a user id or a device id, also a $groupidentify.
//   - Characters are UTF-16 units.
//   - A property is kept at once; in Amplitude it shows with the user's next event.
package amplitude
