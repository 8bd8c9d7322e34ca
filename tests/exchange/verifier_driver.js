// Runs the browser's verifier under Node, where the tests can ask it: one question a line, one answer a line.
"use strict";

const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");

const own = require(process.argv[2]);

async function bundle({ path, policy, seen }) {
  try {
    const result = await own.verify(new Uint8Array(readFileSync(path)), policy, seen ? new Uint8Array(readFileSync(seen)) : null);
    delete result.note;
    return result;
  } catch (problem) {
    if (problem instanceof own.Misuse) return { outcome: "misuse", codes: {} };
    throw problem;
  }
}

/** The codes that the replay of one case comes to. */
function story({ events, people, definitions, rulebooks, name }) {
  const report = new own.Report();
  const ground = new own.Ground();
  people.forEach((one) => ground.take(one));
  const replay = new own.CaseReplay(name, ground, new own.Library(definitions, rulebooks), report);
  for (const one of events) {
    try {
      replay.take(new own.Told(one, null, false));
    } catch {
      report.add("shape", "形状", "shape");
    }
  }
  return [...report.codes.keys()].sort();
}

/** What rules say of values: [hash of the definition, rule, values by key] each. */
function rules({ path }) {
  const { definitions, rulebooks, asked } = JSON.parse(readFileSync(path, "utf-8"));
  const library = new own.Library(definitions, rulebooks);
  return asked.map(([digest, name, seen]) => library.law(digest, "b").rule(name).verdict(seen));
}

const ANSWERS = { bundle, story, rules, text: ({ text }) => own.readCanonical(text) !== null, codes: () => [Object.fromEntries(own.CODES), Object.fromEntries(own.SHAPES)] };

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await ANSWERS[asked.what](asked))}\n`);
  }
})();
