// Package slack delivers records as messages of a Slack bot, through
// chat.postMessage of the Web API. It is given mapped records and answers one
// outcome for each; it decides neither order nor retries, and keeps no state but
// the ids of the channels that it has met.
//
// # Objects
//
// The one object is a message. A record has the fields
//
//	text     required; the message, sent as the model wrote it: Slack's markup
//	         (*bold*, :warning:, <https://...|link>) works, so a model that
//	         includes free text from outside should replace &, < and > itself
//	channel  the channel's id (C024BE91L) or name (#alerts); when absent or null,
//	         slack.channel of the definition
//
// The outcome's ID is "channel id:ts", for example C024BE91L:1712345678.000100,
// because a ts is unique within its channel only.
//
// # Digests
//
// When a run has queued more rows for a channel than slack.digest_over (default
// 20), the channel gets one message for the run, which counts the rows and lists
// the first of them. Batch.Total says how many there are; where it is nil, the
// records in hand are counted. Before a digest is sent the channel's history is
// searched for it, so that a run that takes several invocations sends it once.
// Two workers that work on one run and channel at the same time could still send
// two: a Slack sync has one lane.
//
// # Looking instead of sending twice
//
// chat.postMessage has no idempotency key. Each message therefore carries
// metadata that says what it is, and a record with Intent is looked for in
// conversations.history before it is sent:
//
//	penstock_row     {"run", "sync", "record_id"}
//	penstock_digest  {"run", "sync", "channel", "rows"}
//
// With operation insert a record id is sent once, whatever the run; with the other
// operations a message counts as sent if this run sent it. The search goes back 14
// days, which is how long a queue keeps a row, and reads at most 20 pages of 200
// messages: behind more than 4,000 newer messages a lost answer is sent again.
//
// # Answers
//
// Slack fails with HTTP 200 and "ok": false. What may have been carried out in part
// (internal_error, fatal_error, 5xx, an answer that was lost or cut off) is Unknown
// and settled by looking; request_timeout, a request that arrived cut off, is Retry.
// A bad channel is a Configuration error when the definition names it, and a rejected
// row when the row does. A code that is not known here rejects the row. See codes.go.
//
// # Limits
//
// Slack, "Rate limits" and the methods' pages:
//
//	chat.postMessage       about 1 message a second and channel; here one in 1.05 s,
//	                       the 50 ms being what a request may arrive late or early.
//	                       The limit on the whole workspace is not published: Slack
//	                       answers 429, and the Retry-After is passed on.
//	conversations.history  tier 3, 50 or more a minute for an internal app; here 40
//	                       lookups, which leaves room for further pages. An app that
//	                       is distributed outside Slack's marketplace gets 1 call of
//	                       15 messages a minute: install Penstock's as an internal one.
//	conversations.list     tier 2; called once per name that is not known yet.
//	text                   40,000 characters; a digest stays below 4,000.
//
// Slack counts an app's calls apart from all others', so the connection's share is
// the whole of these.
//
// # Scopes
//
//	chat:write        to post; the bot must be a member: /invite @penstock
//	channels:history  to look for what was sent (groups:history in private channels)
//	channels:read     to find a channel's id by its name (groups:read for private
//	                  channels; not needed where ids are given)
package slack
