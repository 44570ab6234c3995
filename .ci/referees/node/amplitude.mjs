// @amplitude/analytics-node against the simulated Amplitude, by both of its endpoints.
import assert from "node:assert/strict";
import { createInstance, Identify, Types } from "@amplitude/analytics-node";
import { referee, simulators } from "./lib.mjs";

const { url, api_key: key } = simulators().amplitude;

/** A client of an endpoint that tells nobody but its caller. */
async function open(path, options = {}) {
  const client = createInstance();
  await client.init(options.key ?? key, { serverUrl: url + path, flushQueueSize: 1, flushIntervalMillis: 1, flushMaxRetries: 1, logLevel: Types.LogLevel.None }).promise;
  return client;
}

async function user(id) {
  const { users } = await (await fetch(`${url}/_sandbox/records`)).json();
  return users.find((u) => u.user_id === id)?.user_properties;
}

const steps = {};
for (const path of ["/2/httpapi", "/batch"]) {
  const id = `node${path}`;
  steps[`identify by ${path}`] = async () => {
    const client = await open(path);
    const change = new Identify().set("plan", "pro").setOnce("first", 1).add("logins", 2).append("seen", "a").unset("old");
    const { code, message } = await client.identify(change, { user_id: id }).promise;
    assert.equal(code, 200, message);
    const got = await user(id);
    assert.equal(got.plan, "pro");
    assert.equal(got.logins, 2);
  };
  steps[`track by ${path}`] = async () => assert.equal((await (await open(path)).track("opened", { n: 1 }, { user_id: id }).promise).code, 200);
  steps[`errors by ${path}`] = async () => {
    assert.equal((await (await open(path)).track("opened", {}, { user_id: "x" }).promise).code, 400);
    assert.equal((await (await open(path, { key: "no" })).track("opened", {}, { user_id: id }).promise).code, 400);
  };
}
steps.group = async () => assert.equal((await (await open("/batch")).groupIdentify("org", "acme", new Identify().set("tier", "gold"), { user_id: "node-group" }).promise).code, 200);

await referee("amplitude", "@amplitude/analytics-node", steps);
