// Package amplitude delivers records as user properties of an Amplitude project:
// each record is one $identify event of a batch upload. It is given mapped records
// and answers one outcome for each; it decides neither order nor retries, but for
// the rounds in which the events that Amplitude named as faulty are left out.
//
// # Objects
//
// The one object is user: the user with the row's user_id, whom the first event
// makes. A user id is compared as it is, case included, without white space around
// it, and is fixed for ever. These are refused before anything is sent, as Amplitude
// refuses them or leaves them out: an id of fewer than amplitude.min_id_length
// characters (5), one of more than 1,024, and placeholders in any case: anonymous,
// nil, none, null, n/a, na, undefined, unknown, lmy47d, {}, 0, -1, the UUID of zeros.
//
// A field mapping's destination is a user property, and operation says how the
// column's value changes it:
//
//	set       the property is the value; null removes it (the default)
//	set_once  the value is kept only while the property has none; null removes it
//	add       the number is added to it; null adds nothing
//	append    the value, or each of a list's, is put at the end of the property's
//	          list; null appends nothing
//	unset     the property is removed, whatever the column holds
//
// A property may be built of several columns, as in address.city or plans[0]: it is
// sent whole whenever one of them changes, and its parts have one operation. The
// destination * stands for each member of an object, which is set as a property of its
// name, and plan_* puts plan_ before it; what is mapped by its name counts instead, and
// a member that a later object lacks keeps its value.
//
// Numbers, booleans, texts, lists and objects are sent as they are mapped; dates are
// ISO 8601 texts, which sort. The destination device_id is no property: it names the
// device that the event is counted for, and goes along when only other columns have
// changed; without one Amplitude makes a device of the user id.
//
//	destination_object: user
//	matching_strategy: external_id
//	match: {source: customer_id, destination: user_id}
//	field_mappings:
//	  - {source: daily_active_users, destination: daily_active_users, data_type: integer}
//	  - {source: first_plan, destination: first_plan, operation: set_once}
//
// add and append are sent when the column's value has changed since the row was last
// delivered: the same value again adds nothing. They cannot be combined with send:
// all. In a full run and after a change of the mapping a row of which anything
// changed is sent whole, and adds once more.
//
// # Deletes
//
// Amplitude removes no user over these calls, and a user's past events keep what they were
// sent with. A deleted row therefore clears: every mapped property is removed from the user
// ($unset), whatever its operation, from the next event on (on_delete: clear, the only one).
// What * or plan_* made of an object's members stays, for nothing remembers their names: what
// has to go has a mapping of its own.
// Deleting a user for good is Amplitude's User Privacy API, which takes up to 30 days, mails
// every administrator, and makes a new user of what is sent afterwards; it is left to people.
// operation: delete clears the mapped properties of each row's user, and makes a user
// without properties of an id that the project does not know.
//
// # The same event twice
//
// Each event has an insert_id, made of the sync, the row's sequence and key, and
// what is sent: an event that is sent again is dropped by Amplitude, within 7 days
// and on the same device, while a newer value of the user is another event. So a
// call whose answer was lost is made again.
//
// Each value of add and append is an event of its own, without device_id, and its
// insert_id has in place of the row's sequence that of the user's last row that surely
// arrived. Until it is known what arrived, every row that has the value sends the same
// event: it adds once, whatever else changed since. (A value that the user had before the
// row whose answer was lost, and has again after it, adds nothing then.) A person's retry of
// such a row more than 7 days later may add once more: Amplitude has forgotten the event.
//
// # What Amplitude would lose in silence
//
//	text over 1,024 characters  cut; here the row is rejected: texts get max_length
//	                            1024, which on_too_long: truncate may cut openly
//	1,800 updates an hour and   dropped; here the row fails and is due again. Each
//	user                        process counts for itself, never too few
//	values deeper than 40       refused here
//	a project's properties      taken and never indexed: nobody can ask how many there
//	beyond 1,000                are; a sync may map 1,000
//
// A property is shown with the user's next event, and for the events from then on.
//
// # Answers
//
// A request is taken as a whole or not at all. A 400 names events by their index,
// and not always all of them: these rows are rejected, and the others are sent again
// without them, at most 8 times a call. A 429 names users and devices: they come
// again in 15 seconds, or in 4 hours where the day's quota is spent, and the others
// are sent without them.
//
//	the row        events_with_invalid_fields, events_with_missing_fields,
//	               events_with_invalid_id_lengths, silenced_events; throttled_users
//	               and exceeded_daily_quota_users, which are due again
//	the call       413; a 400 that names nobody
//	the version    413, 414 and 431 for one small event
//	the connection an invalid API key; 429 that names nobody
//	not told       403 (a barred region, or a filter that dislikes one value); 5xx, 408,
//	               HTML, a refusal that does not say what of; an answer that was lost or
//	               counts other than was sent. After a 503 nothing was taken; that is
//	               not relied on
//
// # The account
//
// Amplitude does not tell which project an API key belongs to, so that Identity is
// empty and no account is pinned. Probe sends a batch without events: whatever
// Amplitude says of that shows that it answers, but for a key that it does not take.
//
// # Before the first row
//
// Amplitude shows an upload's API key nothing of the project, neither properties nor
// permissions: penstock validate --connection and penstock fields say so, and penstock
// connect test finds out whether the key is taken.
//
// # Limits
//
// "Batch Event Upload API", "HTTP V2 API", "Identify API" and "Limits" of Amplitude's
// documentation:
//
//	request     2,000 events and 20 MB; a batch_size other than the 1,000 of every
//	            sync that writes none bounds a call too
//	user        1,000 events a second, 500,000 a day; 1,800 property updates an hour,
//	            of which a row takes one, and one for each value that it adds
//	requests    none is published for batches; of uploads 100 a second on the
//	            smallest plan. Here 10 a second, 4 at once
//	insert_id   remembered for 7 days
//
// Nothing is published that a connection's share could be taken of.
package amplitude
