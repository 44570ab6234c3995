// @hubspot/api-client against the simulated HubSpot, by the numeric versions it calls.
import assert from "node:assert/strict";
import hubspot from "@hubspot/api-client";
import { referee, refused, simulators } from "./lib.mjs";

const { url, token } = simulators().hubspot;
const client = new hubspot.Client({ accessToken: token, basePath: url, numberOfApiCallRetries: 0 });
const contacts = client.crm.contacts;
const email = (who) => `${who}@hubspot.example`;
let id;

await referee("hubspot", "@hubspot/api-client", {
  create: async () => {
    const made = await contacts.basicApi.create({ properties: { email: email("one"), firstname: "One" }, associations: [] });
    assert.equal(made.properties.firstname, "One");
    assert.ok(made.createdAt instanceof Date);
    id = made.id;
  },
  read: async () => {
    assert.equal((await contacts.basicApi.getById(id, ["email"])).properties.email, email("one"));
    assert.equal((await contacts.basicApi.getById(email("one"), ["firstname"], undefined, undefined, false, "email")).id, id);
  },
  update: async () => assert.equal((await contacts.basicApi.update(id, { properties: { firstname: "Uno" } })).id, id),
  "batch upsert": async () => {
    const out = await contacts.batchApi.upsert({
      inputs: ["one", "two", "three"].map((who, i) => ({ id: email(who), idProperty: "email", objectWriteTraceId: String(i), properties: { firstname: who } })),
    });
    assert.equal(out.status, "COMPLETE");
    assert.deepEqual(out.results.map((r) => r._new).sort(), [false, true, true]);
  },
  "batch of one fault": async () => {
    const out = await contacts.batchApi.upsert({
      inputs: ["high", "enormous"].map((segment, i) => ({ id: email(`s${i}`), idProperty: "email", objectWriteTraceId: String(i), properties: { ltv_segment: segment } })),
    });
    assert.equal(out.numErrors, 1);
    assert.equal(out.results.length, 1);
    assert.deepEqual(out.errors[0].context.objectWriteTraceId, ["1"]);
  },
  "batch create, read, update": async () => {
    const made = await contacts.batchApi.create({ inputs: [{ properties: { email: email("four") }, associations: [] }] });
    const read = await contacts.batchApi.read({ idProperty: "email", inputs: [{ id: email("four") }], properties: ["email"], propertiesWithHistory: [] });
    assert.equal(read.results[0].id, made.results[0].id);
    await contacts.batchApi.update({ inputs: [{ id: made.results[0].id, properties: { firstname: "Four" } }] });
    await contacts.batchApi.archive({ inputs: [{ id: made.results[0].id }] });
  },
  search: async () => {
    const found = await contacts.searchApi.doSearch({
      filterGroups: [{ filters: [{ propertyName: "email", operator: "EQ", value: email("two") }] }],
      properties: ["email"], limit: 10, sorts: [], after: "0",
    });
    assert.equal(found.total, 1);
  },
  describe: async () => {
    const { results } = await client.crm.properties.coreApi.getAll("contacts");
    assert.equal(results.find((p) => p.name === "email").hasUniqueValue, true);
    assert.ok(Array.isArray((await client.crm.schemas.coreApi.getAll()).results));
  },
  "other objects": async () => {
    const made = await client.crm.objects.basicApi.create("companies", { properties: { name: "Acme" }, associations: [] });
    assert.equal((await client.crm.companies.basicApi.getById(made.id, ["name"])).properties.name, "Acme");
    const deal = await client.crm.deals.basicApi.create({ properties: { dealname: "First", dealstage: "closedwon" }, associations: [] });
    await client.crm.deals.basicApi.archive(deal.id);
  },
  delete: async () => {
    await contacts.basicApi.archive(id);
    assert.equal((await refused(Error, () => contacts.basicApi.getById(id))).code, 404);
  },
  errors: async () => {
    const bad = await refused(Error, () => contacts.basicApi.create({ properties: { ltv_segment: "enormous" }, associations: [] }));
    assert.equal(bad.code, 400);
    assert.equal(bad.body.category, "VALIDATION_ERROR");
    const clash = await refused(Error, () => contacts.basicApi.create({ properties: { email: email("two") }, associations: [] }));
    assert.equal(clash.code, 409);
    const other = new hubspot.Client({ accessToken: "no", basePath: url });
    assert.equal((await refused(Error, () => other.crm.contacts.basicApi.getPage())).code, 401);
  },
});
