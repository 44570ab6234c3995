// intercom-client against the simulated Intercom.
import assert from "node:assert/strict";
import { IntercomClient, IntercomError, Intercom } from "intercom-client";
import { referee, refused, simulators } from "./lib.mjs";

const { url, token } = simulators().intercom;
const client = new IntercomClient({ token, baseUrl: url, maxRetries: 0 });
let id;
let tag;

await referee("intercom", "intercom-client", {
  create: async () => {
    const made = await client.contacts.create({ external_id: "node-1", email: "one@intercom.example", name: "One" });
    assert.equal(made.external_id, "node-1");
    id = made.id;
  },
  "find by id and external id": async () => {
    assert.equal((await client.contacts.find({ contact_id: id })).name, "One");
    assert.equal((await client.contacts.showContactByExternalId({ external_id: "node-1" })).id, id);
  },
  "create an attribute": async () => {
    const made = await client.dataAttributes.create({ name: "node_score", model: "contact", data_type: "integer" });
    assert.equal(made.name, "node_score");
    assert.ok((await client.dataAttributes.list({ model: "contact" })).data.some((a) => a.name === "node_score"));
  },
  update: async () => {
    const out = await client.contacts.update({ contact_id: id, name: "Uno", custom_attributes: { node_score: 7 } });
    assert.equal(out.custom_attributes.node_score, 7);
  },
  tag: async () => {
    tag = await client.tags.create({ name: "node" });
    await client.tags.tagContact({ contact_id: id, id: tag.id });
    assert.deepEqual((await client.contacts.listAttachedTags({ contact_id: id })).data.map((t) => t.name), ["node"]);
    await client.tags.untagContact({ contact_id: id, tag_id: tag.id });
    assert.ok((await client.tags.list()).data.some((t) => t.id === tag.id));
  },
  search: async () => {
    const page = await client.contacts.search({ query: { operator: "AND", value: [{ field: "external_id", operator: "=", value: "none" }] }, pagination: { per_page: 5 } });
    assert.equal(page.data.length, 0);
  },
  list: async () => assert.ok((await client.contacts.list()).data.some((c) => c.id === id)),
  "archive, unarchive, delete": async () => {
    assert.equal((await client.contacts.archive({ contact_id: id })).archived, true);
    assert.equal((await client.contacts.unarchive({ contact_id: id })).archived, false);
    assert.equal((await client.contacts.delete({ contact_id: id })).deleted, true);
  },
  errors: async () => {
    const gone = await refused(IntercomError, () => client.contacts.find({ contact_id: id }));
    assert.equal(gone.statusCode, 404);
    assert.equal(gone.body.errors[0].code, "not_found");
    const made = await client.contacts.create({ external_id: "node-2" });
    const clash = await refused(IntercomError, () => client.contacts.create({ external_id: "node-2" }));
    assert.equal(clash.statusCode, 409);
    assert.equal(clash.body.errors[0].code, "conflict");
    const bad = await refused(IntercomError, () => client.contacts.update({ contact_id: made.id, custom_attributes: { nope: 1 } }));
    assert.equal(bad.statusCode, 400);
    await refused(Intercom.UnauthorizedError, () => new IntercomClient({ token: "no", baseUrl: url }).contacts.list());
  },
});
