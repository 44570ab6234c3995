// The workers' recorded requests against the request types that the vendors' own
// clients ship (typed), and against what these clients themselves send for the same
// arguments (built). Prints a line per kind of request, and what had no referee; a kind
// with a body that no rule knows, and a rule that met no request, are failures.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import ts from "typescript";
import { amplitude, hubspot, intercom, salesforce, slack } from "./rules.mjs";

const most = 500; // shapes that are checked of one kind of request
const vendors = { amplitude, hubspot, intercom, salesforce, slack };
const folder = process.env.REFEREES_REQUESTS;
let failures = 0;
const fail = (line) => {
  failures++;
  console.log(`FAILED: ${line}`);
};

/** The requests of a file, each with its body read. */
function read(file) {
  return readFileSync(file, "utf8").trim().split("\n").map((line) => {
    const r = JSON.parse(line);
    r.url = r.path + (r.query ? `?${r.query}` : "");
    if (!r.body) return r;
    r.json = r.type.startsWith("application/json") ? JSON.parse(r.body) : Object.fromEntries(new URLSearchParams(r.body));
    return r;
  });
}

// Members whose text is what a type may be about; of others only the kind of value counts.
const telling = new Set(["method", "operator", "model", "data_type", "role", "idProperty", "event_type", "type"]);

/** What makes two bodies alike: members and kinds of values, and an array's kinds of elements. */
function shape(v, name) {
  if (Array.isArray(v)) {
    const kinds = new Map(v.map((e) => shape(e)).map((s) => [JSON.stringify(s), s]));
    return [...kinds.keys()].sort().map((k) => kinds.get(k));
  }
  if (v === null || typeof v !== "object") return telling.has(name) ? v : v === null ? null : typeof v;
  return Object.fromEntries(Object.keys(v).sort().map((k) => [k, shape(v[k], k)]));
}

/** One of each shape; of requests without a body one of each address. */
function distinct(requests) {
  const seen = new Map();
  for (const r of requests) {
    const key = r.json ? JSON.stringify(shape(r.json)) : r.url;
    if (!seen.has(key)) seen.set(key, r);
  }
  return [...seen.values()].slice(0, most);
}

/** A value with one element of each kind in its arrays. */
function thin(v) {
  if (Array.isArray(v)) {
    const kinds = new Map(v.map((e) => [JSON.stringify(shape(e)), e]));
    return [...kinds.values()].map(thin);
  }
  if (v === null || typeof v !== "object") return v;
  return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, thin(e)]));
}

/** A value as TypeScript; enums of the rule stand for their texts. */
function literal(v, enums) {
  if (typeof v === "string") return enums?.[v] ?? JSON.stringify(v);
  if (v === null || typeof v !== "object") return JSON.stringify(v);
  if (Array.isArray(v)) return `[${v.map((e) => literal(e, enums)).join(", ")}]`;
  return `{ ${Object.entries(v).map(([k, e]) => `${JSON.stringify(k)}: ${literal(e, enums)}`).join(", ")} }`;
}

/** Checks all typed samples of a vendor in one program of the compiler. */
function compile(name, imports, samples) {
  const dir = mkdtempSync("./typed-");
  const file = `${dir}/${name}.ts`;
  const lines = [...imports];
  for (const [i, s] of samples.entries()) {
    s.line = lines.length;
    lines.push(`export const r${i}: ${s.rule.type} = ${literal(s.json, s.rule.enums)};`);
  }
  try {
    writeFileSync(file, lines.join("\n"));
    const program = ts.createProgram([file], {
      strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
      module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: ["node"], esModuleInterop: true,
    });
    const source = program.getSourceFile(file);
    for (const d of ts.getPreEmitDiagnostics(program)) {
      const text = ts.flattenDiagnosticMessageText(d.messageText, "\n  ");
      const line = d.file === source && d.start !== undefined ? source.getLineAndCharacterOfPosition(d.start).line : -1;
      const s = samples.find((one) => one.line === line);
      fail(s ? `${name}: ${s.rule.name}: ${JSON.stringify(s.json).slice(0, 300)}\n  ${text}` : `${name}: ${text}`);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Puts the requests to their rules; tells and checks each. */
async function judge(name, vendor, requests) {
  const samples = [];
  const lines = [];
  for (const rule of vendor.rules) {
    const of = requests.filter((r) => !r.rule && r.method === rule.method && rule.path.test(r.path) && (!rule.when || rule.when(r)));
    for (const r of of) r.rule = rule;
    if (of.length === 0 && rule.optional) continue;
    if (of.length === 0) {
      fail(`${name}: ${rule.name}: no worker's request of this kind was recorded`);
      continue;
    }
    if (rule.none) {
      lines.push(`no referee: ${name}: ${rule.name} (${of.length} requests): ${rule.none}`);
      continue;
    }
    const kinds = distinct(of);
    const how = [];
    const exempt = new Map();
    for (const r of kinds) {
      const path = rule.path.exec(r.path);
      if (rule.type) {
        const sample = { rule, json: thin(rule.read ? rule.read(r.json, path) : r.json) };
        for (const e of rule.exempt ?? []) exempt.set(e.what, (exempt.get(e.what) ?? 0) + e.drop(sample.json));
        samples.push(sample);
      }
      if (!rule.build) continue;
      try {
        const built = await rule.build(r, path);
        assert.deepEqual(built, vendor.plain(r));
      } catch (error) {
        fail(`${name}: ${rule.name}: the client sends another request: ${error.message}`);
      }
    }
    if (rule.type) how.push(`typed ${rule.type.split("\n")[0]}`);
    if (rule.build) how.push(`as ${vendor.library} sends it`);
    lines.push(`${name}: ${rule.name}: ${of.length} requests, ${kinds.length} shapes: ${how.join(", ")}`);
    for (const [what, n] of exempt) if (n > 0) lines.push(`exempt: ${name}: ${rule.name}: ${what} (${n} values)`);
  }
  const unknown = requests.filter((r) => !r.rule);
  for (const kind of new Set(unknown.filter((r) => r.json).map((r) => `${r.method} ${r.path}`))) fail(`${name}: no rule for ${kind}`);
  for (const kind of new Set(unknown.filter((r) => !r.json).map((r) => `${r.method} ${r.path}`))) lines.push(`no referee: ${name}: ${kind}: no rule knows it, and it has no body`);
  if (vendor.exempt) lines.push(`exempt: ${name}: ${vendor.exempt}`);
  compile(name, vendor.imports, samples);
  console.log(lines.join("\n"));
}

const files = readdirSync(folder).filter((f) => f.endsWith(".ndjson"));
for (const [name, vendor] of Object.entries(vendors)) {
  if (!files.includes(`${name}.ndjson`)) {
    fail(`${name}: its workers' requests were not recorded`);
    continue;
  }
  await judge(name, vendor, read(`${folder}/${name}.ndjson`));
}
for (const f of files) if (!vendors[f.replace(".ndjson", "")]) console.log(`no referee: ${f.replace(".ndjson", "")}: no client library is asked`);
process.exit(failures > 0 ? 1 : 0);
