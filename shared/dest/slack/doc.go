// Package slack delivers records as messages of a Slack bot, through
// chat.postMessage of the Web API. It is given mapped records and answers one
// outcome for each; it decides neither order nor retries. An account keeps the
// token, the ids of the channels that it has met, and how many rows running were
// refused with a code that nobody knows.
//
// # Objects
//
// The one object is a message. A record has the fields
//
//	text     required; the message. &, < and > of a column are escaped, so that no
//	         value mentions anybody or hides a link; *bold* and :warning: work. A
//	         field mapping with markup: true sends the column as it is, as Slack's
//	         markup; so are the definition's own texts, a default or picklist value.
//	channel  the channel's id (C024BE91L) or name (#alerts); when absent or null,
//	         slack.channel of the definition
//
// The outcome's ID is "channel id:ts", for example C024BE91L:1712345678.000100,
// because a ts is unique within its channel only.
//
//	field_mappings:
//	  - {source: message, destination: text, max_length: 2000, on_too_long: truncate}
//	  - {source: team_channel, destination: channel}
//	slack:
//	  channel: "#customer-health"  # of rows whose team_channel is null
//	  digest_over: 20
//	  on_too_long: reject          # a message over 4,000 characters, or truncate
//
// A field mapping may make the text of a template, whose own text is markup, while &,
// < and > of the columns in it are shown as they are (so that it takes no data_type
// json or multipicklist and no as: join, which would read it once more):
//
//	field_mappings:
//	  - {value: "<https://crm.example/{{id}}|{{company}}>: {{message}}", destination: text}
//
// Slack asks for 4,000 characters at most and cuts at 40,000. A longer message is
// refused, or with on_too_long: truncate cut to 4,000 with … at its end: between two
// characters as people see them, and never within a link, a mention, an address, an
// emoji's name or an entity. A text that begins with such a part and has no room for
// it is refused.
//
// # Digests
//
// When a run has queued more rows for a channel than slack.digest_over, the channel
// gets one message for the run, which counts the rows and lists the first of them.
// Batch.Total says how many there are; where it is nil, the records in hand are
// counted. Rows that turn out to have been posted are left out; where some are not
// compared yet, as in a run of very many rows, the digest says "up to". Before a digest is sent the channel's history is searched for it, so that
// a run that takes several invocations sends it once, and a call that is made in
// parts posts once. Two workers that work on one run and channel at the same time
// could still send two: a Slack sync has one lane.
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
// A record id, compared as it is, is sent once, whatever the run; a record that was
// tried before counts as sent in a digest of the run that tried it as well, whichever
// run brings it now (and of that run's other tries: run and run~2). The search goes
// back 14 days, which is how long a queue keeps a row, and reads at most 20 pages of
// 200 messages. What was tried before that, or may be behind more messages, is not sent
// again: it is the stored error unknown, which asks a person to look. An answer that
// lacks its messages, or the cursor that it promises, is no answer.
//
// # Answers
//
// Slack fails with HTTP 200 and "ok": false. codes.go lists the codes, http.go says
// what is an answer at all.
//
//	the row        what is wrong with the message (msg_too_long, no_text, metadata, what
//	               a shared channel may not have); a bad channel that is not every
//	               row's; a code that is not listed, for two rows running
//	the version    a bad channel that the definition names for all its rows; of both
//	               kinds is one that the app lacks the scope to look into
//	the connection token, scopes, 429 (by method and workspace, Slack says); no
//	               connection; a code that is not listed, from the third row on
//	not told       5xx, an answer that was lost or cut off, HTML, internal_error,
//	               fatal_error, request_timeout: perhaps carried out, so Received
//
// # The account
//
// Identity is the team_id of auth.test, or the organisation's id for an app that is
// installed in a whole Enterprise organisation: then a channel's name is ambiguous,
// and channels are given by their ids. Probe is auth.test too.
//
// # Before the first row
//
// penstock validate --connection looks for the channels that a definition names, in
// conversations.list: that each is there, in use, and that the bot is in it. Channels
// that a column names show row by row. penstock connect test holds the token's scopes,
// which Slack's answers name, against those below.
//
// # Limits
//
// Slack, "Rate limits" and the methods' pages:
//
//	chat.postMessage       about 1 message a second and channel. The limit on the
//	                       whole workspace is not published: Slack answers 429, and
//	                       the Retry-After is passed on.
//	conversations.history  tier 3, 50 or more a minute for an internal app; here 30, so
//	                       that the further pages of one lookup still fit in; the next
//	                       one waits until they are paid for. An app that is
//	                       distributed outside Slack's marketplace gets 1 call of
//	                       15 messages a minute: install Penstock's as an internal one.
//	conversations.list     tier 2, 20 or more a minute; called once per name that is not
//	                       known yet, and where Slack cut a listing off it goes on.
//	auth.test              in the hundreds a minute; here 60.
//	text                   4,000 characters, by this package's choice; 40,000 by Slack.
//	                       A digest stays below 4,000.
//
// Slack counts an app's calls apart from all others', so the connection's share is
// the whole of these. One call is in flight at a time, so that a channel's messages
// keep their order.
//
// # Scopes
//
//	chat:write        to post; the bot must be a member: /invite @penstock
//	channels:history  to look for what was sent (groups:history in private channels)
//	channels:read     to find a channel's id by its name (groups:read for private
//	                  channels; not needed where ids are given)
package slack
