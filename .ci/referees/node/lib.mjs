// What the referees in Node share: the simulators' addresses, steps that are counted,
// and the lines that CI prints.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The version of an installed package. */
export function versionOf(name) {
  let at = require.resolve(name);
  for (;;) {
    at = at.slice(0, at.lastIndexOf("/"));
    try {
      const found = JSON.parse(readFileSync(`${at}/package.json`, "utf8"));
      if (found.name === name && found.version) return found.version;
    } catch {
      if (at === "") throw new Error(`${name} is not installed`);
    }
  }
}

/** The simulators, as `penstock sandbox` printed them: url and secrets by type. */
export function simulators(file = process.env.REFEREES_SANDBOX) {
  const out = {};
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const m = /^(\S+)\s+(http:\S+)\s+(\S.*)$/.exec(line);
    if (!m) continue;
    const secret = Object.fromEntries(m[3].split(", ").map((pair) => pair.split(" ")));
    out[m[1].toLowerCase()] = { url: m[2], ...secret };
  }
  return out;
}

/** Runs a client's steps in order; the first that fails ends the process with status 1. */
export async function referee(destination, library, steps) {
  const name = `${library} ${versionOf(library)}`;
  const done = [];
  for (const [step, run] of Object.entries(steps)) {
    try {
      await run();
    } catch (error) {
      console.error(`${destination}: ${name}: ${step}:`, error);
      process.exit(1);
    }
    done.push(step);
  }
  console.log(`${destination}: ${name}: ${done.join(", ")}`);
}

/** Wants a call to fail; answers the error that the client made of it. */
export async function refused(kind, call) {
  let error;
  try {
    await call();
  } catch (e) {
    error = e;
  }
  assert.ok(error, "it was not refused");
  assert.ok(error instanceof kind, `the client did not know the error: ${error?.constructor?.name}: ${error}`);
  return error;
}
