// Package slack simulates the part of Slack's Web API that Penstock uses, for
// tests and the demo: chat.postMessage, conversations.history, conversations.list
// and auth.test below /api/, with Slack's way of failing (HTTP 200 and "ok": false),
// its tokens, scopes, channels, cursors, metadata and limits. Faults, call counts and
// the journal are the Core's, channels and messages a record store. It renders
// nothing, so that a text's markup stays as it was sent, and knows neither users nor
// threads.
//
//	GET /_sandbox/records    {"messages": [{"channel", "channel_name", "ts", "text", "metadata"}]}
//	GET /_sandbox/channels   {"channels": [{"id", "name", ...}]}, as ReadChannels takes them
//
// A fault's fail_records are the names by which a message is known: its channel's
// id, the channel's name with or without #, and the strings of its metadata's
// payload. Actions are revoke_token and restore_token.
//
// # Where it is stricter than is published
//
//   - The limit is a message a second and channel; Slack lets short bursts pass.
//   - After a 429 the method refuses everybody until Retry-After is over: that a
//     limit counts per method and workspace is published, whether another channel
//     still gets through is not.
//   - A text is counted as it is sent, entities as their letters, and refused over
//     40,000 characters; Slack may cut it instead.
//   - A channel's name has to be written in lower case, as Slack keeps it.
//   - A person's id or name is no channel.
package slack
