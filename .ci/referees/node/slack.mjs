// @slack/web-api against the simulated Slack.
import assert from "node:assert/strict";
import { WebClient, ErrorCode, LogLevel } from "@slack/web-api";
import { referee, refused, simulators } from "./lib.mjs";

const { url, token } = simulators().slack;
const options = { slackApiUrl: `${url}/api/`, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true, logLevel: LogLevel.ERROR };
const client = new WebClient(token, options);
let channel;
let ts;

await referee("slack", "@slack/web-api", {
  "auth.test": async () => assert.match((await client.auth.test()).team_id, /^T/),
  "conversations.list": async () => {
    const { channels } = await client.conversations.list({ types: "public_channel", limit: 200 });
    channel = channels.find((c) => c.is_member && !c.is_archived).id;
  },
  "chat.postMessage": async () => {
    const out = await client.chat.postMessage({ channel, text: "from a client", metadata: { event_type: "referee", event_payload: { id: "1" } } });
    assert.equal(out.ok, true);
    ts = out.ts;
  },
  "conversations.history": async () => {
    const { messages } = await client.conversations.history({ channel, oldest: ts, inclusive: true, include_all_metadata: true });
    assert.equal(messages[0].text, "from a client");
    assert.equal(messages[0].metadata.event_payload.id, "1");
  },
  errors: async () => {
    const gone = await refused(Error, () => client.chat.postMessage({ channel: "C0NOWHERE", text: "x" }));
    assert.equal(gone.code, ErrorCode.PlatformError);
    assert.equal(gone.data.error, "channel_not_found");
    const bad = await refused(Error, () => new WebClient("xoxb-no", options).auth.test());
    assert.equal(bad.data.error, "invalid_auth");
  },
  "rate limit": async () => {
    const limited = await refused(Error, async () => {
      for (let i = 0; i < 3; i++) await client.chat.postMessage({ channel, text: `${i}` });
    });
    assert.equal(limited.code, ErrorCode.RateLimitedError);
    assert.ok(limited.retryAfter >= 1);
  },
});
