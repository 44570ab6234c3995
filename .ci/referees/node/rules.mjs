// Which of a client's request types stands for which of the workers' requests.
//   type   the type that the body must have; read makes the client's argument of the body
//   build  what the client itself sends for the same argument
//   exempt what of the body is not put to the type, and why
//   none   why there is no referee
//   optional  says that no test need send it
import { IntercomClient } from "intercom-client";
import jsforce from "jsforce";
import { versionOf } from "./lib.mjs";

const noBody = "it has no body; that the path is the client's own is shown by the client's run";

export const amplitude = {
  library: "@amplitude/analytics-node",
  imports: ['import { type Payload, type IdentifyEvent, SpecialEventType } from "@amplitude/analytics-core";'],
  rules: [
    {
      name: "POST /batch", method: "POST", path: /^\/batch$/, enums: { $identify: "SpecialEventType.IDENTIFY" },
      type: 'Omit<Payload, "events"> & { events: readonly IdentifyEvent[] }',
    },
  ],
};

// Members of a body that the client's types do not know as the vendor has them.
const without = (what, drops) => ({
  what,
  drop(body) {
    const names = Object.keys(body).filter((name) => drops(name, body[name]));
    for (const name of names) delete body[name];
    return names.length;
  },
});

const objects = (end) => new RegExp(`^/crm/objects/2026-09/[^/]+/batch/${end}$`);

export const hubspot = {
  library: "@hubspot/api-client",
  exempt: "the dated path (2026-09) stands where the client has v3; the bodies are checked",
  imports: [
    'import type * as hs from "@hubspot/api-client/lib/codegen/crm/contacts/index.js";',
    'import { FilterOperatorEnum as op } from "@hubspot/api-client/lib/codegen/crm/contacts/models/Filter.js";',
  ],
  rules: [
    { name: "batch upsert", method: "POST", path: objects("upsert"), type: "hs.BatchInputSimplePublicObjectBatchInputUpsert" },
    { name: "batch update", method: "POST", path: objects("update"), type: "hs.BatchInputSimplePublicObjectBatchInput" },
    { name: "batch create", method: "POST", path: objects("create"), type: "hs.BatchInputSimplePublicObjectBatchInputForCreate" },
    { name: "batch archive", method: "POST", path: objects("archive"), optional: true, type: "hs.BatchInputSimplePublicObjectId" },
    { name: "batch read", method: "POST", path: objects("read"), type: "hs.BatchReadInputSimplePublicObjectId" },
    {
      name: "search", method: "POST", path: /^\/crm\/objects\/2026-09\/[^/]+\/search$/, type: "hs.PublicObjectSearchRequest",
      enums: { GTE: "op.Gte", GT: "op.Gt", LT: "op.Lt", LTE: "op.Lte", HAS_PROPERTY: "op.HasProperty", NOT_HAS_PROPERTY: "op.NotHasProperty" },
      exempt: [without("sorts, objects in the vendor's reference; the client's type has texts", (name) => name === "sorts")],
    },
    { name: "GET account, properties, schemas", method: "GET", path: /^\/(account-info|crm\/properties|crm-object-schemas)\//, none: noBody },
  ],
};

/** An address with its parts unescaped: @ and %40 are one (RFC 3986), a blank in a query is %20 or +. */
function address(url) {
  const at = new URL(url, "https://x.example");
  return JSON.stringify([at.pathname.split("/").map(decodeURIComponent), [...at.searchParams]]);
}

// What intercom-client sends, caught in place of a network.
let sent;
const intercomClient = new IntercomClient({
  token: "t", baseUrl: "https://x.example", maxRetries: 0,
  fetch: async (url, init) => {
    sent = { method: init.method, url: address(url), body: init.body ? JSON.parse(init.body) : undefined };
    return new Response("{}", { headers: { "content-type": "application/json" } });
  },
});
const byClient = (call) => async (r, path) => {
  sent = undefined;
  await call(intercomClient, r.json ?? {}, path.slice(1).map(decodeURIComponent), new URLSearchParams(r.query));
  return sent;
};

const contact = [
  without("null, which clears a field by the vendor's reference", (_, v) => v === null),
  without("owner_id, a text since 2.16; the client's types end at 2.14", (name, v) => name === "owner_id" && typeof v === "string"),
];

export const intercom = {
  library: "intercom-client",
  imports: ['import type { Intercom } from "intercom-client";'],
  plain: (r) => ({ method: r.method, url: address(r.url), body: r.json }),
  rules: [
    {
      name: "create a contact", method: "POST", path: /^\/contacts$/, exempt: contact, type: "Intercom.CreateContactRequest",
      build: byClient((c, body) => c.contacts.create(body)),
    },
    {
      name: "update a contact", method: "PUT", path: /^\/contacts\/([^/]+)$/, exempt: contact, type: "Intercom.UpdateContactRequest",
      read: (body, path) => ({ contact_id: path[1], ...body }),
      build: byClient((c, body, [contact_id]) => c.contacts.update({ ...body, contact_id })),
    },
    { name: "search contacts", method: "POST", path: /^\/contacts\/search$/, type: "Intercom.SearchRequest", build: byClient((c, body) => c.contacts.search(body)) },
    { name: "unarchive a contact", method: "POST", path: /^\/contacts\/([^/]+)\/unarchive$/, build: byClient((c, _, [contact_id]) => c.contacts.unarchive({ contact_id })) },
    { name: "archive a contact", method: "POST", path: /^\/contacts\/([^/]+)\/archive$/, optional: true, build: byClient((c, _, [contact_id]) => c.contacts.archive({ contact_id })) },
    { name: "delete a contact", method: "DELETE", path: /^\/contacts\/([^/]+)$/, optional: true, build: byClient((c, _, [contact_id]) => c.contacts.delete({ contact_id })) },
    { name: "list contacts", method: "GET", path: /^\/contacts$/, optional: true, build: byClient((c, _, __, q) => c.contacts.list({ page: q.get("page") ?? undefined, per_page: q.get("per_page") ?? undefined })) },
    { name: "find by external id", method: "GET", path: /^\/contacts\/find_by_external_id\/([^/]+)$/, build: byClient((c, _, [external_id]) => c.contacts.showContactByExternalId({ external_id })) },
    {
      name: "tag a contact", method: "POST", path: /^\/contacts\/([^/]+)\/tags$/, type: "Intercom.TagContactRequest",
      read: (body, path) => ({ contact_id: path[1], ...body }),
      build: byClient((c, body, [contact_id]) => c.tags.tagContact({ ...body, contact_id })),
    },
    { name: "a contact's tags", method: "GET", path: /^\/contacts\/([^/]+)\/tags$/, build: byClient((c, _, [contact_id]) => c.contacts.listAttachedTags({ contact_id })) },
    { name: "untag a contact", method: "DELETE", path: /^\/contacts\/([^/]+)\/tags\/([^/]+)$/, build: byClient((c, _, [contact_id, tag_id]) => c.tags.untagContact({ contact_id, tag_id })) },
    { name: "read a contact", method: "GET", path: /^\/contacts\/([^/]+)$/, build: byClient((c, _, [contact_id]) => c.contacts.find({ contact_id })) },
    { name: "create a tag", method: "POST", path: /^\/tags$/, type: "Intercom.CreateOrUpdateTagRequest", build: byClient((c, body) => c.tags.create(body)) },
    { name: "list tags", method: "GET", path: /^\/tags$/, build: byClient((c) => c.tags.list()) },
    {
      name: "create an attribute", method: "POST", path: /^\/data_attributes$/, type: "Intercom.CreateDataAttributeRequest",
      exempt: [without("name and model, which the client's type forgets", (name, v) => ["name", "model"].includes(name) && typeof v === "string")], build: byClient((c, body) => c.dataAttributes.create(body)),
    },
    { name: "list attributes", method: "GET", path: /^\/data_attributes$/, build: byClient((c, _, __, q) => c.dataAttributes.list({ model: q.get("model"), include_archived: q.has("include_archived") ? q.get("include_archived") === "true" : undefined })) },
    { name: "the token's workspace", method: "GET", path: /^\/me$/, build: byClient((c) => c.admins.identify()) },
  ],
};

// What jsforce sends, caught in place of a network.
const conn = new jsforce.Connection({ instanceUrl: "https://x.example", accessToken: "t", version: "68.0" });
const bySalesforce = (call) => async (r, path) => {
  let got;
  conn.request = async (request) => {
    const { method = "GET", url, body } = typeof request === "string" ? { url: request } : request;
    got = { method, url: url.replace("https://x.example", ""), body: body && JSON.parse(body) };
    return Object.assign([], { records: [], totalSize: 0, done: true });
  };
  await call(r.json, path, r);
  return lower(got);
};
// Names of fields have no case: jsforce writes id, the worker Id.
function lower(r) {
  r.url = address(r.url.replace("&allOrNone=false", "").replace("allOrNone=false&", "")); // as it is without it
  for (const record of r.body?.records ?? []) {
    for (const name of Object.keys(record)) {
      if (name.toLowerCase() === name) continue;
      record[name.toLowerCase()] = record[name];
      delete record[name];
    }
  }
  return r;
}

/** The form of a login that jsforce sends for a grant. */
async function logIn(r) {
  const { client_id: clientId, client_secret: clientSecret, ...grant } = r.json;
  const oauth2 = new jsforce.OAuth2({ loginUrl: "https://x.example", clientId, clientSecret });
  let got;
  oauth2._transport = {
    httpRequest: async ({ method, url, body }) => {
      got = { method, url, body: Object.fromEntries(new URLSearchParams(body)) };
      return { statusCode: 200, headers: {}, body: "{}" };
    },
  };
  await oauth2.requestToken(grant);
  return lower(got);
}

const data = "/services/data/v68\\.0";
const recordsOf = (body) => [body.records[0].attributes.type, structuredClone(body.records)];

export const salesforce = {
  library: `jsforce ${versionOf("jsforce")}`,
  imports: [],
  plain: (r) => lower({ method: r.method, url: r.url, body: r.type === "application/json" ? structuredClone(r.json) : r.json }),
  rules: [
    {
      name: "upsert records", method: "PATCH", path: new RegExp(`^${data}/composite/sobjects/([^/]+)/([^/]+)$`),
      build: bySalesforce((body, path) => conn.upsert(path[1], structuredClone(body.records), path[2])),
    },
    { name: "update records", method: "PATCH", path: new RegExp(`^${data}/composite/sobjects$`), build: bySalesforce((body) => conn.update(...recordsOf(body))) },
    { name: "create records", method: "POST", path: new RegExp(`^${data}/composite/sobjects$`), build: bySalesforce((body) => conn.create(...recordsOf(body))) },
    { name: "read records back", method: "POST", path: new RegExp(`^${data}/composite/sobjects/([^/]+)$`), build: bySalesforce((body, path) => conn.retrieve(path[1], body.ids, { fields: body.fields })) },
    { name: "delete records", method: "DELETE", path: new RegExp(`^${data}/composite/sobjects$`), build: bySalesforce((_, __, r) => conn.destroy("Account", new URLSearchParams(r.query).get("ids").split(","))) },
    { name: "describe", method: "GET", path: new RegExp(`^${data}/sobjects/([^/]+)/describe$`), build: bySalesforce((_, path) => conn.describe(path[1])) },
    { name: "log in with the client's secret", method: "POST", path: /^\/services\/oauth2\/token$/, when: (r) => r.json.grant_type === "client_credentials", build: logIn },
    { name: "log in with a certificate", method: "POST", path: /^\/services\/oauth2\/token$/, build: logIn },
    { name: "composite", method: "POST", path: new RegExp(`^${data}/composite$`), none: "jsforce ships neither a type nor a method for it; that it takes the answer is shown by the client's run" },
    { name: "query", method: "GET", path: new RegExp(`^${data}/query$`), build: bySalesforce((_, path, r) => conn.query(new URLSearchParams(r.query).get("q"))) },
    { name: "next page", method: "GET", path: new RegExp(`^${data}/query/([^/]+)$`), build: bySalesforce((_, path) => conn.queryMore(path[1])) },
    { name: "resources", method: "GET", path: new RegExp(`^${data}/$`), none: noBody },
  ],
};

/** A form's texts as the client's arguments: it writes booleans, numbers and objects as text. */
function form(body) {
  const { token, ...out } = body;
  for (const [k, v] of Object.entries(out)) {
    if (v === "true" || v === "false" || k === "metadata" || k === "limit") out[k] = JSON.parse(v);
    if (k === "inclusive" || k === "include_all_metadata") out[k] = v === "1" || v === "true" ? true : v === "0" || v === "false" ? false : v;
  }
  return out;
}

export const slack = {
  library: "@slack/web-api",
  imports: ['import type * as slack from "@slack/web-api";'],
  rules: [
    { name: "chat.postMessage", method: "POST", path: /^\/api\/chat\.postMessage$/, read: form, type: "slack.ChatPostMessageArguments" },
    { name: "conversations.history", method: "POST", path: /^\/api\/conversations\.history$/, read: form, type: "slack.ConversationsHistoryArguments" },
    { name: "conversations.list", method: "POST", path: /^\/api\/conversations\.list$/, read: form, type: "slack.ConversationsListArguments" },
    { name: "auth.test", method: "POST", path: /^\/api\/auth\.test$/, read: form, type: "slack.AuthTestArguments" },
  ],
};
