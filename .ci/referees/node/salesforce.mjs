// jsforce against the simulated Salesforce.
import assert from "node:assert/strict";
import jsforce from "jsforce";
import { referee, refused, simulators } from "./lib.mjs";

const { url, client_id: clientId, client_secret: clientSecret } = simulators().salesforce;
const conn = new jsforce.Connection({ oauth2: { loginUrl: url, clientId, clientSecret }, instanceUrl: url, version: "62.0" });
const accounts = conn.sobject("Account");
let id;
let ids;

await referee("salesforce", "jsforce", {
  "log in": async () => {
    const user = await conn.authorize({ grant_type: "client_credentials" });
    assert.match(user.organizationId, /^00D/);
    assert.ok(conn.accessToken);
  },
  versions: async () => {
    const versions = await conn.request("/services/data");
    assert.ok(versions.some((v) => v.version === "62.0"));
  },
  identity: async () => assert.equal((await conn.identity()).organization_id, conn.userInfo.organizationId),
  limits: async () => assert.ok((await conn.limits()).DailyApiRequests.Remaining > 0),
  "list objects": async () => assert.ok((await conn.describeGlobal()).sobjects.some((o) => o.name === "Contact" && o.createable)),
  describe: async () => {
    const { fields } = await accounts.describe();
    assert.equal(fields.find((f) => f.name === "Customer_ID__c").externalId, true);
  },
  create: async () => {
    const made = await accounts.create({ Name: "jsforce", Phone: "1" });
    assert.equal(made.success, true);
    id = made.id;
  },
  retrieve: async () => assert.equal((await accounts.retrieve(id)).Name, "jsforce"),
  update: async () => assert.deepEqual(await accounts.update({ Id: id, Phone: "2" }), { id, success: true, errors: [] }),
  upsert: async () => {
    assert.equal((await accounts.upsert({ Customer_ID__c: "js-1", Name: "made" }, "Customer_ID__c")).created, true);
    assert.equal((await accounts.upsert({ Customer_ID__c: "js-1", Name: "found" }, "Customer_ID__c")).created, false);
  },
  collections: async () => {
    const made = await accounts.create([{ Name: "one" }, { Name: "two" }, { Phone: "no name" }]);
    assert.deepEqual(made.map((r) => r.success), [true, true, false]);
    assert.equal(made[2].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
    ids = made.slice(0, 2).map((r) => r.id);
    assert.ok((await accounts.update(ids.map((Id) => ({ Id, Phone: "3" })))).every((r) => r.success));
    const up = await conn.upsert("Account", [{ Customer_ID__c: "js-1", Name: "again" }, { Customer_ID__c: "js-2", Name: "new" }], "Customer_ID__c");
    assert.deepEqual(up.map((r) => r.created), [false, true]);
    assert.deepEqual((await accounts.retrieve(ids)).map((r) => r.Phone), ["3", "3"]);
  },
  query: async () => {
    const found = await accounts.find({ Customer_ID__c: { $in: ["js-1", "js-2"] } }, ["Id", "Name"]).sort("Name");
    assert.deepEqual(found.map((r) => r.Name), ["again", "new"]);
    assert.equal(await accounts.count({ Phone: "3" }), 2);
  },
  composite: async () => {
    const base = "/services/data/v62.0";
    const { compositeResponse } = await conn.requestPost(`${base}/composite`, {
      allOrNone: false,
      compositeRequest: [
        { method: "PATCH", url: `${base}/sobjects/Account/${id}`, referenceId: "a", body: { Phone: "4" } },
        { method: "GET", url: `${base}/sobjects/Account/${id}?fields=Phone`, referenceId: "b" },
      ],
    });
    assert.deepEqual(compositeResponse.map((r) => r.httpStatusCode), [204, 200]);
    assert.equal(compositeResponse[1].body.Phone, "4");
  },
  delete: async () => {
    assert.equal((await accounts.destroy(id)).success, true);
    assert.ok((await accounts.destroy(ids)).every((r) => r.success));
  },
  errors: async () => {
    assert.equal((await refused(Error, () => accounts.retrieve(id))).errorCode, "ENTITY_IS_DELETED");
    const bad = await refused(Error, () => accounts.create({ Name: "x", Health_Contact_Email__c: "nobody" }));
    assert.equal(bad.errorCode, "INVALID_EMAIL_ADDRESS");
    assert.equal((await refused(Error, () => conn.query("SELECT Nope FROM Account"))).errorCode, "INVALID_FIELD");
    assert.equal((await refused(Error, () => conn.sobject("Nope").describe())).errorCode, "NOT_FOUND");
  },
  "expired session": async () => {
    const other = new jsforce.Connection({ instanceUrl: url, accessToken: "expired", version: "62.0" });
    assert.equal((await refused(Error, () => other.limits())).errorCode, "INVALID_SESSION_ID");
  },
});
