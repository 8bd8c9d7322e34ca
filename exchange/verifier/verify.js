// 学籍留痕离线核验（浏览器） — checks a xueji audit bundle in a browser, without any network.
//
// A port of xueji_verify.py, section by section, with the same codes and outcomes; where the two disagree, one of them
// is wrong, and a test runs both over every corpus file. What this page leaves to the other: bundles that unpack to
// more than 1 GiB, and keeping the head for the next time, which is offered as a download instead.
"use strict";

// =====================================================================================================================
// 1  What is found
// =====================================================================================================================

const SOUND = 0, UNSEALED = 10, DIVERGED = 20, INVALID = 30, INCOMPLETE = 40;
const GRAVITY = [SOUND, UNSEALED, DIVERGED, INCOMPLETE, INVALID];
const OUTCOMES = {
  [SOUND]: ["sound", "完好", "sound"],
  [UNSEALED]: ["unsealed", "完好，但尾部尚未封存", "sound, with an unsealed tail"],
  [DIVERGED]: ["diverged", "字节与封存无误，但内容与规则不符", "bytes and seals are good, the history is not"],
  [INVALID]: ["invalid", "无效", "invalid"],
  [INCOMPLETE]: ["incomplete", "不完整", "incomplete"],
};
const CODES = new Map();
const grade = (outcome, words) => words.split(" ").forEach((word) => CODES.set(word, outcome));
grade(UNSEALED, "unsealed");
grade(INVALID, "container manifest line order note signature origin rolled-back forked inconsistent root leaf canonical " +
  "hash chain sequence column log content-hash commitment");
grade(INCOMPLETE, "head-missing quorum no-consistency leaf-missing event-missing definition-missing rule-missing " +
  "personal-missing");
grade(DIVERGED, "shape kind unpublished pinned opening state trigger target applies fields assigned rounds rests " +
  "signature-place signature-twice signature-order quorum-of-slots signers distinct own-case right delegation cause " +
  "timer late deadline effects documents rules verdict against-rules refusal retraction relocation migration seen " +
  "facts row erasure");
const MOST_FINDINGS = 200;

class Report {
  constructor() {
    this.findings = [];
    this.codes = new Map();
    this.tally = new Map();
    this.causes = new Map();
  }

  add(code, zh, en, chain = "", seq = 0) {
    if (!CODES.has(code)) throw new Error(code);
    this.codes.set(code, (this.codes.get(code) || 0) + 1);
    if (this.findings.length < MOST_FINDINGS) this.findings.push({ code, chain, seq, zh, en });
  }

  count(what, by = 1) {
    this.tally.set(what, (this.tally.get(what) || 0) + by);
  }

  counted(what) {
    return this.tally.get(what) || 0;
  }

  want(chain, seq, at, actor, effect, where) {
    this.causes.set(JSON.stringify([chain, seq, at, actor, effect]), where);
  }

  get exitCode() {
    const ranks = [...this.codes.keys()].map((code) => GRAVITY.indexOf(CODES.get(code)));
    return GRAVITY[Math.max(0, ...ranks)];
  }
}

class Stop extends Error {
  constructor(code, zh, en) {
    super(en);
    Object.assign(this, { code, zh, en });
  }
}

class Misuse extends Error {}
class Misshapen extends Error {}

// =====================================================================================================================
// 2  Texts: sorted keys, no spaces, NFC, whole numbers below 2^53 (RFC 8785 without floats)
// =====================================================================================================================

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isWhole = (value) => Number.isSafeInteger(value) && !Object.is(value, -0);
const isHex = (text, length = 64) => typeof text === "string" && text.length === length && /^[0-9a-f]+$/.test(text);
const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
/** A member of a JSON object; absent and null are the same. */
const get = (object, key, otherwise = null) => (object && has(object, key) && object[key] !== null ? object[key] : otherwise);
/** A member that must be there. */
const need = (object, key) => {
  if (!isObject(object) || !has(object, key)) throw new Misshapen(key);
  return object[key];
};
const list = (value) => {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  if (isObject(value)) return Object.keys(value);
  throw new Misshapen("a list");
};
const dict = (value) => {
  if (value === null || value === undefined) return {};
  if (!isObject(value)) throw new Misshapen("an object");
  return value;
};

function byCodePoint(one, other) {
  if (!/[\ud800-\udfff]/.test(one + other)) return one < other ? -1 : one > other ? 1 : 0;
  const [left, right] = [Array.from(one), Array.from(other)];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = left[at].codePointAt(0) - right[at].codePointAt(0);
    if (difference) return difference;
  }
  return left.length - right.length;
}

function writeJson(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Misshapen("a number");
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  const parts = Object.keys(value).sort(byCodePoint).map((key) => `${JSON.stringify(key)}:${writeJson(value[key])}`);
  return `{${parts.join(",")}}`;
}

/** JSON without floats and without whole numbers from 2^53 on. */
function readWhole(text) {
  if (/[0-9][.eE]/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '""'))) throw new Misshapen("a number");
  const value = JSON.parse(text);
  writeJson(value);
  return value;
}

/** The value of a text that must be canonical; null where it is not. */
function readCanonical(text) {
  try {
    const value = JSON.parse(text);
    const same = writeJson(value) === text && text.normalize("NFC") === text && isWellFormed(text);
    return same ? { value } : null;
  } catch {
    return null;
  }
}

const isWellFormed = (text) => (text.isWellFormed ? text.isWellFormed() : !/[\ud800-\udfff]/u.test(text));
const same = (one, other) => {
  try {
    return writeJson(one === undefined ? null : one) === writeJson(other === undefined ? null : other);
  } catch {
    return false;
  }
};

const encoder = new TextEncoder();
const fromUtf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const toHex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

const BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SPREAD = 0x5851f42d4dn, SPACE = 1n << 40n;

function chainName(chain) {
  if (chain === 0) return "registry";
  const spread = (BigInt(Math.abs(chain)) * SPREAD) % SPACE;
  let letters = "";
  for (let shift = 35n; shift >= 0n; shift -= 5n) letters += BASE32[Number((spread >> shift) & 31n)];
  return `${chain > 0 ? "case" : "student"}/${letters}`;
}

/** SPREAD's inverse modulo 2^40, by Newton's iteration. */
const GATHER = (() => {
  let inverse = 1n;
  for (let round = 0; round < 7; round++) inverse = (inverse * (2n - SPREAD * inverse)) & (SPACE - 1n);
  return (inverse + SPACE) % SPACE;
})();

function chainNumber(name) {
  if (name === "registry") return 0;
  const found = /^(case|student)\/([0-9A-HJKMNP-TV-Z]{8})$/.exec(name);
  if (!found) return null;
  let spread = 0n;
  for (const letter of found[2]) spread = (spread << 5n) | BigInt(BASE32.indexOf(letter));
  const number = Number((spread * GATHER) % SPACE);
  return found[1] === "case" ? number : -number;
}

// =====================================================================================================================
// 3  The policy and signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy)
// =====================================================================================================================

const ED25519 = 1, COSIGNATURE = 4;
const LARGEST_TREE = 2 ** 48;
class NotSigned extends Error {}

function fromBase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw new NotSigned("base64");
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function parseKey(vkey) {
  const name = vkey.split("+", 1)[0];
  const rest = vkey.slice(name.length + 1);
  const told = rest.split("+", 1)[0];
  const raw = fromBase64(rest.slice(told.length + 1));
  if (!/^[^\s+]+$/.test(name) || raw.length !== 33 || ![ED25519, COSIGNATURE].includes(raw[0])) {
    throw new NotSigned(`not a verifier key: ${vkey.slice(0, 60)}`);
  }
  const id = toHex((await sha256(joined(encoder.encode(`${name}\n`), raw))).slice(0, 4));
  if (id !== told) throw new NotSigned(`the id of key ${name} is ${id}, not ${told.slice(0, 20)}`);
  return { name, id, kind: raw[0], public: raw.slice(1) };
}

function parseNote(bytes) {
  if (bytes.length > 1000000) throw new NotSigned("larger than 1 MB");
  let whole;
  try {
    whole = fromUtf8(bytes);
  } catch {
    throw new NotSigned("not UTF-8");
  }
  const blank = whole.lastIndexOf("\n\n");
  const text = blank < 0 ? "" : whole.slice(0, blank);
  const lines = blank < 0 ? [] : whole.slice(blank + 2).split("\n");
  // eslint-disable-next-line no-control-regex
  if (blank < 0 || lines.pop() !== "" || !lines.length || lines.length > 100 || /[\0-\x09\x0b-\x1f]/.test(text)) {
    throw new NotSigned("expected text, an empty line, and signature lines");
  }
  const signatures = lines.map((line) => {
    const found = /^\u2014 ([^\s+]+) (\S+)$/.exec(line);
    const raw = found ? fromBase64(found[2]) : new Uint8Array();
    if (raw.length <= 4) throw new NotSigned(`not a signature line: ${line.slice(0, 60)}`);
    return { name: found[1], id: toHex(raw.slice(0, 4)), bytes: raw.slice(4) };
  });
  return { text: `${text}\n`, signatures };
}

function parseHead(text) {
  const lines = text.split("\n");
  const size = /^(?:0|[1-9][0-9]{0,14})$/.test(lines[1] || "") ? Number(lines[1]) : NaN;
  if (lines.length < 4 || !lines[0] || !(size <= LARGEST_TREE)) throw new NotSigned("expected an origin, a size and a root");
  const root = fromBase64(lines[2]);
  if (root.length !== 32) throw new NotSigned("the root is no SHA-256");
  return { origin: lines[0], size, root: toHex(root) };
}

/** Null if a key has not signed, else the seconds of its cosignature (a log's: 0); a wrong signature spoils the note. */
async function signedAt(key, note) {
  const moments = [];
  for (const one of note.signatures) {
    if (one.name !== key.name || one.id !== key.id) continue;
    let [bytes, at, text] = [one.bytes, 0, note.text];
    if (key.kind === COSIGNATURE) {
      const seconds = bytes.slice(0, 8).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      [at, bytes, text] = [Number(seconds), bytes.slice(8), `cosignature/v1\ntime ${seconds}\n${note.text}`];
    }
    const own = await crypto.subtle.importKey("raw", key.public, { name: "Ed25519" }, false, ["verify"]);
    const good = await crypto.subtle.verify({ name: "Ed25519" }, own, bytes, encoder.encode(text));
    if (!good) throw new NotSigned(`a signature under ${key.name} is wrong`);
    moments.push(at);
  }
  return moments.length ? moments[0] : null;
}

async function parsePolicy(text) {
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: "" };
  const isNew = (name) => name !== "none" && !policy.witnesses.has(name) && !policy.groups.has(name);
  const faults = [];
  for (const [place, line] of text.split(/\r\n|\r|\n/).entries()) {
    const words = line.split(/\s+/).filter(Boolean);
    if (!words.length || words[0].startsWith("#")) continue;
    try {
      const [what, name, ...rest] = words;
      if (what === "log" && name) policy.logs.push(await parseKey(name));
      else if (what === "witness" && rest.length && isNew(name)) policy.witnesses.set(name, await parseKey(rest[0]));
      else if (what === "group" && rest.length > 1 && isNew(name)) policy.groups.set(name, groupOf(rest, isNew));
      else if (what === "quorum" && words.length === 2 && !policy.quorum && (name === "none" || !isNew(name))) policy.quorum = name;
      else throw new NotSigned("log VKEY · witness NAME VKEY · group NAME N MEMBER… · quorum NAME");
    } catch (problem) {
      faults.push(`第 ${place + 1} 行 line ${place + 1}: ${line.slice(0, 80)} — ${problem.message}`);
    }
  }
  if (!policy.logs.length) faults.push("缺少 missing: log VKEY");
  if (!policy.quorum) faults.push("缺少 missing: quorum NAME | quorum none");
  if (faults.length) throw new Misuse(["策略文件有误 the policy is faulty:", ...faults].join("\n"));
  return policy;
}

function groupOf([number, ...members], isNew) {
  const needed = { any: 1, all: members.length }[number] || (/^[0-9]+$/.test(number) ? Number(number) : 0);
  const known = members.every((name) => name !== "none" && !isNew(name)) && new Set(members).size === members.length;
  if (!known || needed < 1 || needed > members.length) throw new NotSigned(`${number} of ${members.length}?`);
  return { needed, members };
}

function isMet(policy, seen, name = policy.quorum) {
  const group = policy.groups.get(name);
  if (group) return group.members.filter((one) => isMet(policy, seen, one)).length >= group.needed;
  return seen.has(name) || name === "none";
}

// =====================================================================================================================
// 4  The tree (RFC 6962, section 2.1; RFC 9162, sections 2.1.3.2 and 2.1.4.2)
// =====================================================================================================================

const ZERO_BYTE = Uint8Array.of(0), ONE_BYTE = Uint8Array.of(1);
const leafHash = (content) => sha256(joined(ZERO_BYTE, content));
const nodeHash = (left, right) => sha256(joined(ONE_BYTE, left, right));

async function rootOf(leaves, count) {
  const peaks = [];
  for (let place = 0; place < count; place++) {
    let [height, digest] = [0, leaves.subarray(32 * place, 32 * place + 32)];
    while (peaks.length && peaks[peaks.length - 1][0] === height) {
      digest = await nodeHash(peaks.pop()[1], digest);
      height += 1;
    }
    peaks.push([height, digest]);
  }
  let root = null;
  for (const [, digest] of peaks.reverse()) root = root ? await nodeHash(digest, root) : digest;
  return toHex(root || (await sha256(new Uint8Array())));
}

const half = (number) => Math.floor(number / 2);

async function includes(leaf, index, size, path, root) {
  if (!(index >= 0 && index < size && size <= LARGEST_TREE)) return false;
  let [place, last, digest] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (!last) return false;
    if (place % 2 || place === last) {
      digest = await nodeHash(sibling, digest);
      while (!(place % 2) && place) [place, last] = [half(place), half(last)];
    } else {
      digest = await nodeHash(digest, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return !last && toHex(digest) === root;
}

async function extendsHead(old, head, path) {
  if (!(old.size > 0 && old.size < head.size)) return !path.length && (!old.size || (old.size === head.size && old.root === head.root));
  const isPower = Number.isInteger(Math.log2(old.size)) && 2 ** Math.log2(old.size) === old.size;
  const hashes = isPower ? [fromHex(old.root), ...path] : [...path];
  if (!hashes.length) return false;
  let [place, last] = [old.size - 1, head.size - 1];
  while (place % 2) [place, last] = [half(place), half(last)];
  let [before, after] = [hashes[0], hashes[0]];
  for (const sibling of hashes.slice(1)) {
    if (!last) return false;
    if (place % 2 || place === last) {
      [before, after] = [await nodeHash(sibling, before), await nodeHash(sibling, after)];
      while (!(place % 2) && place) [place, last] = [half(place), half(last)];
    } else {
      after = await nodeHash(after, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return !last && toHex(before) === old.root && toHex(after) === head.root;
}

// =====================================================================================================================
// 5  The bundle: a zip that may be hostile
// =====================================================================================================================

const ENTRIES = [
  /^manifest\.json$/, /^head\.note$/, /^consistency\.jsonl$/, /^leaves\.bin$/, /^events\.jsonl$/, /^personal\.jsonl$/,
  /^definitions\/[0-9a-f]{64}\.json$/, /^rulebooks\/[0-9a-f]{64}\.json$/, /^cases\.jsonl$/, /^students\.jsonl$/,
  /^verifier\/[a-z_]{1,40}\.(?:css|html|js|py)$/, /^README\.txt$/,
];
const NEEDED = ["manifest.json", "events.jsonl", "personal.jsonl", "cases.jsonl", "students.jsonl"];
const LONGEST_LINE = 4 << 20, LARGEST_TEXT = 16 << 20, MOST_ENTRIES = 20000, LARGEST_WHOLE = 2 ** 30;
const container = (en) => new Stop("container", `审计包不可用：${en}`, `the bundle is refused: ${en}`);

/** The entries of a zip's central directory. */
function directoryOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 65558 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) throw container("it is no zip");
  let [count, at] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)];
  if (end >= 20 && view.getUint32(end - 20, true) === 0x07064b50) {
    const far = Number(view.getBigUint64(end - 12, true));
    [count, at] = [Number(view.getBigUint64(far + 32, true)), Number(view.getBigUint64(far + 48, true))];
  }
  if (count > MOST_ENTRIES) throw container("too many entries");
  const found = [];
  for (let place = 0; place < count; place++) {
    if (view.getUint32(at, true) !== 0x02014b50) throw container("its directory is broken");
    const [names, extras, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const one = {
      name: fromUtf8(bytes.subarray(at + 46, at + 46 + names)),
      flags: view.getUint16(at + 8, true), method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true), size: view.getUint32(at + 24, true), at: view.getUint32(at + 42, true),
    };
    far64(one, view, at + 46 + names, extras);
    found.push(one);
    at += 46 + names + extras + comment;
  }
  return found;
}

/** Sizes beyond 32 bits stand in an extra field. */
function far64(one, view, start, length) {
  for (let at = start; at + 4 <= start + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let inner = at + 4;
    for (const name of ["size", "packed", "at"]) {
      if (one[name] !== 0xffffffff) continue;
      one[name] = Number(view.getBigUint64(inner, true));
      inner += 8;
    }
  }
}

function checkEntries(entries) {
  if (entries.reduce((sum, one) => sum + one.size, 0) > LARGEST_WHOLE) throw container("it unpacks to more than 1 GiB; use xueji_verify.py");
  let [rank, end] = [0, 0];
  for (const one of entries) {
    const here = ENTRIES.findIndex((known) => known.test(one.name));
    if (here < rank) throw container(`${one.name.slice(0, 60)} is unknown, or stands out of order`);
    rank = here;
    if (one.flags & 1 || ![0, 8].includes(one.method)) throw container(`${one.name} is encrypted, or packed otherwise than by deflate`);
    if (one.size > 4 << 20 && one.size / Math.max(one.packed, 1) > 200) throw container(`${one.name} unpacks to more than 200 times its size`);
    if (one.at < end) throw container(`${one.name} overlaps another entry`);
    end = one.at + one.packed;
  }
  const names = new Set(entries.map((one) => one.name));
  const lacking = NEEDED.filter((name) => !names.has(name));
  if (lacking.length) throw container(`there is no ${lacking.join(", ")}`);
  if (names.size !== entries.length) throw container("an entry stands there twice");
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum >>> 0;
});

async function contentOf(bytes, one) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(one.at, true) !== 0x04034b50) throw container("an entry does not begin where it should");
  const [names, extras] = [view.getUint16(one.at + 26, true), view.getUint16(one.at + 28, true)];
  const start = one.at + 30 + names + extras;
  if (fromUtf8(bytes.subarray(one.at + 30, one.at + 30 + names)) !== one.name) throw container("an entry has two names");
  const packed = bytes.subarray(start, start + one.packed);
  const content = one.method ? await inflated(packed, one.size) : packed;
  let sum = 0xffffffff;
  for (const byte of content) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  if (content.length !== one.size || (sum ^ 0xffffffff) >>> 0 !== one.crc) throw container(`${one.name} is broken`);
  return content;
}

async function inflated(packed, size) {
  const whole = new Uint8Array(size);
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > size) {
      await reader.cancel();
      throw container("an entry is larger than it says");
    }
    whole.set(value, at);
    at += value.length;
  }
  return whole.subarray(0, at);
}

async function unpack(bytes) {
  const contents = new Map();
  try {
    const entries = directoryOf(bytes);
    checkEntries(entries);
    for (const one of entries) {
      const isText = /^(manifest\.json|head\.note|definitions\/|rulebooks\/)/.test(one.name);
      if (isText && one.size > LARGEST_TEXT) throw container(`${one.name} is too large`);
      if (!/^(verifier\/|README)/.test(one.name)) contents.set(one.name, await contentOf(bytes, one));
    }
  } catch (problem) {
    throw problem instanceof Stop ? problem : container(String(problem.message || problem).slice(0, 120));
  }
  return { contents, manifest: manifestOf(contents.get("manifest.json")) };
}

function manifestOf(bytes) {
  let read = null;
  try {
    read = readCanonical(fromUtf8(bytes));
  } catch {
    read = null;
  }
  const value = read && read.value;
  const isGood = isObject(value) && value.format === "xueji-bundle/1" && typeof value.log === "string" && isObject(value.scope) &&
    ["case", "batch", "all"].includes(value.scope.kind) &&
    ["size", "events"].every((key) => isWhole(value[key]) && value[key] >= 0 && value[key] <= LARGEST_TREE);
  if (!isGood) throw new Stop("manifest", "manifest.json 不可读", "manifest.json cannot be read");
  return value;
}

function linesOf(bundle, name) {
  const bytes = bundle.contents.get(`${name}.jsonl`) || new Uint8Array();
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    let end = bytes.indexOf(10, at);
    end = end < 0 ? bytes.length : end;
    if (end - at >= LONGEST_LINE) throw new Stop("line", "一行超过 4 MiB", "a line is longer than 4 MiB");
    found.push(lineOf(bytes.subarray(at, end)));
    at = end + 1;
  }
  return found;
}

function lineOf(bytes) {
  let value;
  try {
    value = readWhole(fromUtf8(bytes));
  } catch {
    throw new Stop("line", "有一行不是 JSON", "a line is no JSON");
  }
  if (!isObject(value)) throw new Stop("line", "有一行不是 JSON 对象", "a line is no JSON object");
  return value;
}

// =====================================================================================================================
// 6  Laws: definitions and rulebooks, by the hash of their text; defaults stand out of it
// =====================================================================================================================

const NEW = "new", CANCELLED = "cancelled", EFFECT = "effect", DEFAULT_ROUNDS = 5;
const BUILT_IN = {
  state: "text", open: "yes_no", unit: "unit", batch: "batch", opened_on: "date", opened_term: "term",
  entered_on: "date", rounds: "number", late: "yes_no", reason: "text",
};
const CLOCK = { today: "date", now: "moment", this_term: "term" };
const actingRole = (who) => get(who, "recorded_by") || need(who, "role");
const withoutNull = (entries) => Object.fromEntries(Object.entries(entries).filter(([, one]) => one !== null));
class MissingRule extends Error {}

class Law {
  constructor(definition, rulebook, library) {
    this.definition = definition;
    this.transitions = need(definition, "transitions");
    this.states = need(definition, "states");
    this.fields = get(definition, "fields", {});
    const variant = get(get(rulebook, "variants", {}), definition.profile, {});
    this.rules = withoutNull({ ...need(rulebook, "rules"), ...get(variant, "rules", {}) });
    this.documents = withoutNull({ ...need(rulebook, "documents"), ...get(variant, "documents", {}) });
    this.engine = need(rulebook, "engine");
    this.vocabulary = get(variant, "vocabulary") || need(rulebook, "vocabulary");
    this.facts = get(this.vocabulary, "student", {});
    this.hasFunctions = Boolean(get(rulebook, "functions"));
    const calendar = get(rulebook, "calendar", {});
    this.calendar = Object.keys(calendar).length ? new Calendar(calendar, definition.profile) : null;
    this.derived = {};
    for (const [name, fact] of Object.entries(this.facts)) if (get(fact, "derive")) this.derived[name] = fact.derive;
    this.record = library.recordOf(definition.profile);
    this.read = new Map();
    this.steps = new Map();
    this.texts = new Map();
  }

  isFinal(state) {
    return state === CANCELLED || Boolean(get(get(this.states, state), "final"));
  }

  rests(state) {
    return state !== CANCELLED && Boolean(get(get(this.states, state), "rests"));
  }

  dimensions() {
    const about = this.definition.about;
    const batch = about.some((one) => one.startsWith("batch ")) ? ["batch"] : [];
    return [...batch, ...about.filter((one) => one.startsWith("case.")).map((one) => one.slice(5))];
  }

  batchKind() {
    const written = get(get(this.fields, "batch"), "type", "");
    return [...this.definition.about, written].filter((one) => one.startsWith("batch ")).map((one) => one.slice(6))[0] || "";
  }

  typeOf(key) {
    const dot = key.indexOf(".");
    if (dot < 0) return get(get(this.facts, key), "type") || get(CLOCK, key, "");
    const [group, name] = [key.slice(0, dot), key.slice(dot + 1)];
    if (group === "case") return get(get(this.fields, name), "type") || get(BUILT_IN, name, "");
    if (group === "record") return get(get(this.record, name), "type") || get(BUILT_IN, name, "");
    if (group === "batch") {
      const kind = get(get(this.vocabulary, "batch", {}), this.batchKind(), {});
      return get(get(get(kind, "fields", {}), name), "type", "");
    }
    if (group === "file") return ["kind", "stem"].includes(name) ? "text" : "number";
    return get(get(get(this.vocabulary, "unit", {}), name), "type", "");
  }

  value(key, raw) {
    return raw === null || raw === undefined ? null : decoded(this.typeOf(key), raw);
  }

  isPersonal(key) {
    const owner = key.startsWith("case.") ? this.fields : this.facts;
    return get(get(owner, key.replace(/^case\./, "")), "privacy", "open") !== "open";
  }

  isHidden(key) {
    return this.isPersonal(key) || key === "file.stem";
  }

  codes(key) {
    return Object.keys(get(get(this.vocabulary, "choices", {}), this.typeOf(key).replace(/^choice /, ""), {}));
  }

  formula(text) {
    if (!this.texts.has(text)) this.texts.set(text, new Formula(new Reader(this, {}).read(text), this));
    return this.texts.get(text);
  }

  rule(name) {
    if (!this.read.has(name)) this.read.set(name, new Rule(this, name, this.rules[name]));
    return this.read.get(name);
  }

  step(trigger, slot = "") {
    const key = `${trigger}\n${slot}`;
    if (!this.steps.has(key)) this.steps.set(key, new Step(this, trigger, slot));
    return this.steps.get(key);
  }

  flat(names, depth = 0) {
    const found = new Set();
    for (const name of names) {
      if (!has(this.rules, name) || depth > 50) throw new MissingRule(name);
      const several = get(this.rules[name], "all_of");
      (several ? this.flat(several, depth + 1) : [name]).forEach((one) => found.add(one));
    }
    return [...found];
  }
}

class Step {
  constructor(law, trigger, slot) {
    const one = law.transitions[trigger];
    Object.assign(this, { one, law, trigger });
    this.kind = get(one, "kind", "advance");
    this.targets = list(get(one, "to"));
    this.sign = get(one, "sign");
    const own = this.sign ? get(this.sign.slots, slot, {}) : {};
    this.needs = [...list(get(one, "needs")), ...list(get(own, "needs"))];
    this.sets = get(one, "set", {});
    this.effects = list(get(one, "then"));
    const asks = list(get(one, "asks"));
    this.asks = this.kind === "advance" || asks.includes("reason") ? asks : [...asks, "reason"];
    const opens = same(one.from, [NEW]);
    const dimensions = opens ? law.dimensions() : [];
    const started = Object.keys(law.fields).filter((name) => get(law.fields[name], "starts"));
    this.required = [...this.asks, ...dimensions.filter((name) => !started.includes(name))];
    const targets = Object.keys(this.sets).filter((name) => name.startsWith("case.")).map((name) => name.slice(5));
    this.maySet = new Set([...this.asks, ...list(get(one, "accepts")), ...dimensions, ...targets, ...(opens ? started : [])]);
    const named = [...list(get(one, "guards")), ...list(get(own, "guards")), ...this.ofGroups()];
    const rules = (names) => law.flat(names).map((name) => law.rule(name));
    [this.guards, this.unless, this.warns] = [rules(named), rules(list(get(one, "unless"))), rules(list(get(one, "warns")))];
    this.rules = [...this.guards, ...this.unless, ...this.warns];
    this.names = [...new Set(this.rules.map((rule) => rule.name))].sort();
    this.applies = get(one, "applies") ? law.formula(one.applies) : null;
  }

  ofGroups() {
    const written = Object.keys(this.sets).filter((name) => name.startsWith("student.")).map((name) => name.slice(8));
    const groups = written.map((name) => get(get(this.law.facts, name), "group")).filter(Boolean);
    const named = [...new Set(groups)].sort(byCodePoint);
    return named.flatMap((group) => list(get(this.law.vocabulary.groups[group], "guards")));
  }

  asksOf(said) {
    return same(Object.keys(said).sort(), this.names);
  }

  against(said) {
    const refusing = (word) => word === "fails" || word === "undecided";
    const found = this.guards.filter((rule) => refusing(said[rule.name])).map((rule) => [rule, said[rule.name]]);
    const undecided = this.unless.filter((rule) => said[rule.name] === "undecided").map((rule) => [rule, "undecided"]);
    if (undecided.length || !this.unless.length || this.unless.some((rule) => said[rule.name] === "fails")) return [...found, ...undecided];
    return [...found, ...this.unless.map((rule) => [rule, "fails"])];
  }
}

class Library {
  constructor(definitions, rulebooks) {
    Object.assign(this, { definitions, rulebooks, laws: new Map() });
  }

  law(shape, rulebook) {
    const key = `${shape} ${rulebook}`;
    if (!this.laws.has(key)) {
      if (!has(this.definitions, shape) || !has(this.rulebooks, rulebook)) return null;
      this.laws.set(key, new Law(this.definitions[shape], this.rulebooks[rulebook], this));
    }
    return this.laws.get(key);
  }

  recordOf(profile) {
    const records = Object.values(this.definitions).filter((one) => get(one, "record") && one.profile === profile);
    return Object.assign({}, ...records.map((one) => get(one, "fields", {})));
  }
}

async function libraryOf(bundle, report) {
  const found = { definitions: {}, rulebooks: {} };
  for (const [name, text] of bundle.contents) {
    const [folder, file] = name.split("/");
    if (!file) continue;
    const digest = file.replace(".json", "");
    if (toHex(await sha256(text)) !== digest) {
      report.add("content-hash", `${folder} ${digest.slice(0, 8)} 的内容与哈希不符`, `the text of ${folder} ${digest.slice(0, 8)} has another hash`);
      continue;
    }
    try {
      found[folder][digest] = JSON.parse(fromUtf8(text));
    } catch {
      report.add("content-hash", `${folder} ${digest.slice(0, 8)} 不是 JSON`, `${folder} ${digest.slice(0, 8)} is no JSON`);
    }
  }
  return new Library(found.definitions, found.rulebooks);
}

// =====================================================================================================================
// 7  Expressions: a small parser of the grammar in the definition language, section 10; three-valued
//
//    A call on rows, documents or history is not computed: what it came to was recorded under its own canonical text.
// =====================================================================================================================

const [CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, MINUS, PRIMARY] = Array(9).keys();
const ROW_SOURCES = new Set(["cases", "others", "rows", "same_person"]);
const ANSWERS = new Set(["has", "reviewed", "same_students", "empty_fields", "differing_fields", "taken", "before", "within"]);
const OVER_ROWS = new Set(["every", "any", "none", "where", "count", "values"]);
const WORDS = new Set(["and", "or", "not", "in", "if", "else"]);
const LONGEST_EXPRESSION = 4000, MOST_NODES = 500, MOST_DEPTH = 40;
class NotAnExpression extends Error {}

class Node {
  constructor(what, text, rank = PRIMARY, parts = [], value = null) {
    Object.assign(this, { what, text, rank, parts, value });
    this.size = 1 + parts.reduce((sum, part) => sum + part.size, 0);
  }

  get isLookedUp() {
    return this.what === "fetched" || this.what === "over" || (this.what === "in" && this.parts[1].value === "rows");
  }

  inside(rank) {
    return this.rank >= rank ? this.text : `(${this.text})`;
  }
}

class Reader {
  constructor(law, lets) {
    this.law = law;
    this.lets = { ...law.derived, ...lets };
    this.done = new Map();
    this.underWay = [];
  }

  read(text) {
    const before = [this.tokens, this.at, this.depth];
    [this.tokens, this.at, this.depth] = [tokensOf(text), 0, 0];
    const node = this.conditional();
    if (this.at < this.tokens.length) throw new NotAnExpression(text.slice(0, 80));
    [this.tokens, this.at, this.depth] = before;
    if (node.size > MOST_NODES) throw new NotAnExpression("too large");
    return node;
  }

  peek(ahead = 0) {
    const token = this.tokens[this.at + ahead];
    return token && token.kind !== "text" ? token.word : null;
  }

  take(word) {
    if (this.peek() !== word) return false;
    this.at += 1;
    return true;
  }

  expect(word) {
    if (!this.take(word)) throw new NotAnExpression(`expected ${word}`);
  }

  conditional() {
    const then = this.disjunction();
    if (!this.take("if")) return then;
    const test = this.disjunction();
    this.expect("else");
    const otherwise = this.conditional();
    return new Node("if", `${then.inside(OR)} if ${test.inside(OR)} else ${otherwise.inside(CONDITIONAL)}`, CONDITIONAL, [then, test, otherwise]);
  }

  disjunction() {
    return this.junction("or", OR, () => this.junction("and", AND, () => this.negation()));
  }

  junction(word, rank, next) {
    const parts = [next()];
    while (this.take(word)) parts.push(next());
    return parts.length === 1 ? parts[0] : junctionOf(word, rank, parts);
  }

  negation() {
    if (!this.take("not")) return this.comparison();
    return notOf(this.negation());
  }

  comparison() {
    const sides = [this.sum()];
    const signs = [];
    for (;;) {
      const sign = this.comparator();
      if (!sign) break;
      signs.push(sign);
      sides.push(sign.endsWith("in") ? this.options() : this.sum());
    }
    const links = signs.map((sign, place) => linkOf(sign, sides[place], sides[place + 1]));
    if (!links.length) return sides[0];
    return links.length === 1 ? links[0] : junctionOf("and", AND, links);
  }

  comparator() {
    const word = this.peek();
    if (["==", "!=", "<", "<=", ">", ">=", "in"].includes(word)) {
      this.at += 1;
      return word;
    }
    if (word === "not" && this.peek(1) === "in") {
      this.at += 2;
      return "not in";
    }
    return null;
  }

  options() {
    const token = this.tokens[this.at];
    const isBare = token && token.kind === "name" && !WORDS.has(token.word) && ![".", "("].includes(this.peek(1));
    if (isBare && !has(this.lets, token.word) && !this.law.typeOf(token.word)) {
      this.at += 1;
      return new Node("fetched", token.word, PRIMARY, [], "rows");
    }
    return this.sum();
  }

  sum() {
    let left = this.product();
    while (["+", "-"].includes(this.peek())) left = arithmetic(this.tokens[this.at++].word, left, this.product(), SUM);
    return left;
  }

  product() {
    let left = this.unary();
    while (this.take("*")) left = arithmetic("*", left, this.unary(), PRODUCT);
    return left;
  }

  unary() {
    if (!this.take("-")) return this.primary();
    const part = this.unary();
    return new Node("negative", `-${part.inside(PRIMARY)}`, MINUS, [part]);
  }

  primary() {
    const token = this.tokens[this.at++];
    if (!token) throw new NotAnExpression("it breaks off");
    if (token.kind === "text") return new Node("constant", token.word, PRIMARY, [], token.word.slice(1, -1));
    if (token.kind === "number") return new Node("constant", token.word, PRIMARY, [], token.word.includes(".") ? money(token.word) : Number(token.word));
    if (token.word === "(") return this.brackets();
    if (token.kind !== "name" || WORDS.has(token.word)) throw new NotAnExpression(token.word);
    if (this.take(".")) return this.dotted(token.word);
    return this.take("(") ? this.call(token.word) : this.name(token.word);
  }

  brackets() {
    if (++this.depth > MOST_DEPTH) throw new NotAnExpression("brackets");
    const items = [this.conditional()];
    let isTuple = false;
    while (this.take(",")) {
      isTuple = true;
      if (this.peek() !== ")") items.push(this.conditional());
    }
    this.expect(")");
    this.depth -= 1;
    return isTuple ? tupleOf(items) : items[0];
  }

  dotted(group) {
    const token = this.tokens[this.at++];
    if (!token || token.kind !== "name") throw new NotAnExpression(group);
    return new Node(group === "it" ? "column" : "name", `${group}.${token.word}`);
  }

  call(name) {
    if (++this.depth > MOST_DEPTH) throw new NotAnExpression("brackets");
    const parts = [];
    while (!this.take(")")) {
      if (parts.length) this.expect(",");
      parts.push(this.conditional());
    }
    this.depth -= 1;
    const text = `${name}(${parts.map((part) => part.text).join(", ")})`;
    if (ROW_SOURCES.has(name) || ANSWERS.has(name)) return new Node("fetched", text, PRIMARY, [], name);
    return new Node(OVER_ROWS.has(name) ? "over" : "call", text, PRIMARY, parts, name);
  }

  name(name) {
    if (name === "true" || name === "false") return new Node("constant", name, PRIMARY, [], name === "true");
    if (!has(this.lets, name)) return name === "members" ? new Node("fetched", name, PRIMARY, [], "members") : new Node("name", name);
    if (this.underWay.includes(name) || this.underWay.length > MOST_DEPTH) throw new NotAnExpression(`${name} is made of itself`);
    if (!this.done.has(name)) {
      this.underWay.push(name);
      this.done.set(name, this.read(this.lets[name]));
      this.underWay.pop();
    }
    return this.done.get(name);
  }
}

function tokensOf(text) {
  const trimmed = text.trim();
  if (!trimmed || trimmed.length > LONGEST_EXPRESSION) throw new NotAnExpression("empty, or too long");
  const pattern = /[ \n]+|(?<text>'[^'\\\n]*')|(?<number>[0-9]+(?:\.[0-9]+)?)|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<sign>==|!=|<=|>=|[<>+\-().,]|\*(?!\*))/y;
  const found = [];
  while (pattern.lastIndex < trimmed.length) {
    const at = pattern.lastIndex;
    const token = pattern.exec(trimmed);
    if (!token) throw new NotAnExpression(trimmed.slice(at, at + 20));
    const kind = ["text", "number", "name", "sign"].find((name) => token.groups[name] !== undefined);
    if (kind) found.push({ kind, word: token[0] });
  }
  return found;
}

const tupleOf = (items) => new Node("tuple", `(${items.map((one) => one.text).join(", ")}${items.length === 1 ? "," : ""})`, PRIMARY, items);
const junctionOf = (word, rank, parts) => new Node(word, parts.map((one) => one.inside(rank + 1)).join(` ${word} `), rank, parts);
const arithmetic = (sign, left, right, rank) => new Node(sign, `${left.inside(rank)} ${sign} ${right.inside(rank + 1)}`, rank, [left, right]);

function notOf(part) {
  if (part.what === "in") return new Node("not", amongText(part.parts[0], "not in", part.parts[1]), COMPARISON, [part]);
  return new Node("not", `not ${part.inside(NOT)}`, NOT, [part]);
}

function linkOf(sign, left, right) {
  if (!sign.endsWith("in")) return new Node(sign, `${left.inside(SUM)} ${sign} ${right.inside(SUM)}`, COMPARISON, [left, right]);
  const item = right.value === "rows" && right.what === "fetched" && left.what !== "tuple" ? tupleOf([left]) : left;
  const among = new Node("in", amongText(item, "in", right), COMPARISON, [item, right]);
  return sign === "in" ? among : notOf(among);
}

function amongText(item, word, options) {
  const table = /^rows\('([^']*)'\)$/.exec(options.text);
  return `${item.inside(SUM)} ${word} ${table ? table[1] : options.text}`;
}

// --- values: texts, whole numbers and yes_no stand for themselves; the rest is {kind, value} ---------------------------

class WrongValue extends Error {}
const typed = (kind, value, scale = 0) => ({ kind, value, scale });
const isTyped = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && has(value, "kind");
const money = (text) => {
  const [whole, part = ""] = text.split(".");
  return typed("money", BigInt(whole + part), part.length);
};
const FORMS = {
  date: /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, clock: /^[0-9]{2}:[0-9]{2}$/, term: /^[0-9]{4}-[1-9]$/,
  moment: /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/, money: /^-?[0-9]{1,15}\.[0-9]{2}$/,
};

function readAs(kind, raw) {
  if (typeof raw !== "string" || !FORMS[kind].test(raw)) throw new WrongValue(String(raw));
  if (kind === "money") return money(raw);
  if (kind === "date") dayNumber(raw);
  if (kind === "moment") dayNumber(raw.slice(0, 10));
  return typed(kind, kind === "clock" ? `${raw}:00.000000` : raw);
}

function decoded(type, raw) {
  const of = { yes_no: "boolean", number: "number", text: "string", code: "string", choice: "string", state: "string", unit: "string", batch: "string" };
  const first = type.split(" ", 1)[0];
  if (first === "set") {
    const parts = type.replace("set of ", "").split(" and ");
    return typed("set", raw.map((element) => parts.map((part, place) => decoded(part.trim(), element[place]))));
  }
  if (has(FORMS, first)) return readAs(first, raw);
  if (!has(of, first)) return plainValue(raw);
  if (typeof raw !== of[first] || (first === "number" && !Number.isSafeInteger(raw))) throw new WrongValue(String(raw));
  return raw;
}

function plainValue(raw) {
  if (Array.isArray(raw)) return raw.map(plainValue);
  if (!isObject(raw)) return raw;
  const [[name, inner]] = Object.entries(raw);
  return decoded(name, inner);
}

function encoded(value) {
  if (Array.isArray(value)) return value.map(encoded);
  if (!isTyped(value)) return value;
  if (value.kind === "money") return moneyText(value);
  if (value.kind === "clock") return value.value.slice(0, 5);
  return value.kind === "set" ? value.value.map((one) => one.map(encoded)) : value.value;
}

function moneyText({ value, scale }) {
  const cents = scale > 2 ? value / 10n ** BigInt(scale - 2) : value * 10n ** BigInt(2 - scale);
  const digits = String(cents < 0n ? -cents : cents).padStart(3, "0");
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

const asMoney = (value) => (typeof value === "number" ? typed("money", BigInt(value)) : value);
const isAmount = (value) => typeof value === "number" || (isTyped(value) && value.kind === "money");

/** Two values ready to be compared: a text beside a day, a clock, money or a term is read as such. */
function alike(one, other) {
  if (typeof one === "string" && isTyped(other)) return [readAs(other.kind, one), other];
  if (typeof other === "string" && isTyped(one)) return [one, readAs(one.kind, other)];
  if (isAmount(one) && isAmount(other) && typeof one !== typeof other) return alike(asMoney(one), asMoney(other));
  if (isTyped(one) && isTyped(other) && one.kind === "money" && one.scale !== other.scale) {
    const scale = Math.max(one.scale, other.scale);
    return [one, other].map((each) => typed("money", each.value * 10n ** BigInt(scale - each.scale), scale));
  }
  return [one, other];
}

function compared(one, other) {
  const [left, right] = alike(one, other);
  const [a, b] = [isTyped(left) ? left.value : left, isTyped(right) ? right.value : right];
  if (typeof a !== typeof b || (isTyped(left) && isTyped(right) && left.kind !== right.kind)) return null;
  if (typeof a === "string") return byCodePoint(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function isEqual(one, other) {
  if (one === null || other === null || one === undefined || other === undefined) return null;
  if (Array.isArray(one) && Array.isArray(other)) return decideBy(one.map((part, place) => isEqual(part, other[place])), false);
  return compared(one, other) === 0;
}

/** One deciding answer decides, else one undecided leaves it open. */
function decideBy(answers, decides) {
  return answers.includes(decides) ? decides : answers.includes(null) ? null : !decides;
}

// --- dates (counting rules: requirements.md, 4.1) ----------------------------------------------------------------------

const DAY = 86400000;
function dayNumber(text) {
  const moment = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(moment) || new Date(moment).toISOString().slice(0, 10) !== text || text < "0001") throw new WrongValue(text);
  return Math.round(moment / DAY);
}
function dayText(number) {
  const text = Number.isFinite(number) && Math.abs(number) < 4e6 ? new Date(number * DAY).toISOString() : "";
  return /^[0-9]{4}-/.test(text) && text >= "0001" ? text.slice(0, 10) : null;
}
const dayOf = (number) => {
  const text = dayText(number);
  return text === null ? null : typed("date", text);
};
/** 1 to 7; 1 January 1970 was a Thursday. */
const weekday = (number) => ((((number + 3) % 7) + 7) % 7) + 1;

/** A moment in Asia/Shanghai, as the trail would write it were it UTC. */
function inShanghai(text) {
  const later = new Date(Date.parse(`${text.slice(0, 19)}Z`) + 8 * 3600000).toISOString();
  return `${later.slice(0, 19)}${text.slice(19)}`;
}
function shanghaiMoment(day, clock) {
  const moment = new Date(Date.parse(`${day}T${clock}Z`) - 8 * 3600000).toISOString();
  return typed("moment", `${moment.slice(0, 19)}.000000Z`);
}

function monthsAfter(day, months) {
  const [year, month, date] = day.value.split("-").map(Number);
  const total = year * 12 + month - 1 + months;
  const [newYear, newMonth] = [Math.floor(total / 12), ((total % 12) + 12) % 12];
  if (newYear < 1 || newYear > 9999) return null;
  const last = new Date(Date.UTC(2000, newMonth + 1, 0)).getUTCDate();
  const isLeap = (newYear % 4 === 0 && newYear % 100 !== 0) || newYear % 400 === 0;
  const most = newMonth === 1 ? (isLeap ? 29 : 28) : last;
  const pad = (number, width) => String(number).padStart(width, "0");
  return typed("date", `${pad(newYear, 4)}-${pad(newMonth + 1, 2)}-${pad(Math.min(date, most), 2)}`);
}

class Calendar {
  constructor(text, profile) {
    const layers = [text, get(get(text, "profiles", {}), profile, {})];
    const years = list(get(text, "years"));
    const days = (stretches) => new Set(stretches.flatMap(stretch));
    this.off = days(years.flatMap((year) => list(get(year, "holidays"))));
    this.madeUp = new Set(years.flatMap((year) => list(get(year, "working_days"))).map(dayNumber));
    this.closed = days(layers.flatMap((layer) => list(get(layer, "closures"))));
    this.terms = Object.assign({}, ...layers.map((layer) => get(layer, "terms", {})));
    const spans = Object.keys(this.terms).map((term) => [this.terms[term].from, this.endOf(term), term]);
    this.spans = spans.sort((one, other) => byCodePoint(one[0], other[0]));
  }

  endOf(term) {
    const own = this.terms[term];
    const following = get(this.terms, termAfter(term));
    if (get(own, "vacation_to")) return own.vacation_to;
    return following ? dayText(dayNumber(following.from) - 1) : own.to;
  }

  working_days_after(day, days) {
    if (Math.abs(days) > 10000) return null;
    let [left, at] = [Math.abs(days), dayNumber(day.value)];
    while (left) {
      at += days > 0 ? 1 : -1;
      const works = !this.closed.has(at) && (this.madeUp.has(at) || (weekday(at) <= 5 && !this.off.has(at)));
      left -= works ? 1 : 0;
    }
    return dayOf(at);
  }

  term_of(day) {
    const found = this.spans.filter(([first]) => first <= day.value).pop();
    return found && day.value <= found[1] ? typed("term", found[2]) : null;
  }

  first_day(term) {
    return has(this.terms, term.value) ? typed("date", this.terms[term.value].from) : null;
  }

  last_day(term) {
    return has(this.terms, term.value) ? typed("date", this.terms[term.value].to) : null;
  }
}

function stretch(one) {
  const first = dayNumber(one.from);
  const last = get(one, "to") ? dayNumber(one.to) : first;
  return Array.from({ length: Math.min(last - first + 1, 10000) }, (_, count) => first + count);
}

const termParts = (term) => [Number(term.slice(0, 4)), Number(term.slice(5))];
const termText = (year, number) => `${String(year).padStart(4, "0")}-${number}`;
const termAfter = (term) => {
  const [year, number] = termParts(term);
  return number < 2 ? termText(year, 2) : termText(year + 1, 1);
};
const termBefore = (term) => {
  const [year, number] = termParts(term);
  return number > 1 ? termText(year, number - 1) : termText(year - 1, 2);
};

function matches(text, pattern) {
  const item = /(?:\[([^[\]\\^]+)\]|([^[\]{}()\\.*+?|^$]))(?:\{([0-9]{1,2})(?:,([0-9]{1,2}))?\})?/uy;
  const letters = Array.from(text);
  let reached = new Set([0]);
  for (let found = item.exec(pattern); found; found = item.exec(pattern)) {
    const least = Number(found[3] || 1), most = Number(found[4] || least);
    const next = new Set();
    for (const start of reached) {
      let run = 0;
      while (run < most && start + run < letters.length && fits(found, letters[start + run])) run += 1;
      for (let length = least; length <= run; length++) next.add(start + length);
    }
    reached = next;
  }
  return reached.has(letters.length);
}

function fits(item, letter) {
  if (item[2] !== undefined) return letter === item[2];
  const ranges = [...item[1].matchAll(/(.)-(.)/gu)];
  return item[1].replace(/.-./gu, "").includes(letter) || ranges.some(([, low, high]) => byCodePoint(low, letter) <= 0 && byCodePoint(letter, high) <= 0);
}

const FUNCTIONS = {
  days_after: (day, days) => dayOf(dayNumber(day.value) + days),
  months_after: monthsAfter,
  teaching_week_end: (first, week) => {
    const number = dayNumber(first.value);
    return dayOf(number + 7 * week - 1 - (weekday(number) - 1));
  },
  start_of_day: (day) => shanghaiMoment(day.value, "00:00:00"),
  end_of_day: (day) => shanghaiMoment(day.value, "23:59:59"),
  day: (moment) => typed("date", inShanghai(moment.value).slice(0, 10)),
  clock: (moment) => typed("clock", inShanghai(moment.value).slice(11, 26)),
  weekday: (day) => weekday(dayNumber(day.value)),
  term: (year, number) => (number >= 1 && number <= 2 ? typed("term", termText(year, number)) : null),
  term_before: (term) => typed("term", termBefore(term.value)),
  term_after: (term) => typed("term", termAfter(term.value)),
  academic_year: (term) => termParts(term.value)[0],
  term_number: (term) => termParts(term.value)[1],
  starts_with: (text, start) => text.startsWith(start),
  matches,
  length: (text) => Array.from(text).length,
  code_of: (unit) => unit,
};
const OF_CALENDAR = ["working_days_after", "term_of", "first_day", "last_day"];
const SPECIAL = ["known", "first_known", "value_of"];

// --- evaluating; null is undecided -------------------------------------------------------------------------------------

class Formula {
  constructor(node, law) {
    Object.assign(this, { node, law });
    this.reads = [...new Set(readsOf(node, law))];
    this.isStrange = isStrange(node);
  }

  run(values) {
    return evaluate(this.node, values, this.law);
  }
}

function readsOf(node, law) {
  if (node.isLookedUp || node.what === "name") return [node.text];
  const below = node.parts.flatMap((part) => readsOf(part, law));
  return node.what === "call" && node.value === "value_of" ? [...below, ...law.codes(node.parts[0].text)] : below;
}

function isStrange(node) {
  if (node.isLookedUp) return false;
  const isOwn = has(FUNCTIONS, node.value) || OF_CALENDAR.includes(node.value) || SPECIAL.includes(node.value);
  return (node.what === "call" && !isOwn) || node.parts.some(isStrange);
}

function evaluate(node, values, law) {
  if (node.isLookedUp || node.what === "name") return get(values, node.text);
  if (node.what === "constant") return node.value;
  if (node.what === "call") return called(node, values, law);
  const parts = node.parts.map((part) => () => evaluate(part, values, law));
  switch (node.what) {
    case "and": case "or": return decideBy(parts.map((part) => part()), node.what === "or");
    case "not": return negated(parts[0]());
    case "tuple": return parts.map((part) => part());
    case "if": return chosen(...parts);
    case "in": return among(parts[0](), parts[1]());
    case "negative": return negative(parts[0]());
    default: return computed(node.what, parts[0](), parts[1]());
  }
}

const negated = (value) => (value === null ? null : value !== true);
const negative = (value) => (value === null ? null : typeof value === "number" ? 0 - value : typed("money", -value.value, value.scale));

function chosen(then, test, otherwise) {
  const condition = test();
  if (condition !== null) return condition ? then() : otherwise();
  const [one, other] = [then(), otherwise()];
  return one !== null && isEqual(one, other) ? one : null;
}

function among(item, options) {
  if (item === null || options === null) return null;
  const many = isTyped(options) ? options.value : options;
  return decideBy(many.map((other) => isEqual(item, other)), true);
}

function computed(sign, one, other) {
  if (one === null || other === null) return null;
  if (["+", "-", "*"].includes(sign)) return calculated(sign, one, other);
  if (sign === "==" || sign === "!=") return isEqual(one, other) === (sign === "==");
  const order = compared(one, other);
  if (order === null) throw new WrongValue(`${sign}`);
  return { "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0 }[sign];
}

function calculated(sign, one, other) {
  const [left, right] = sign === "*" ? [one, other] : alike(one, other);
  if (typeof left === "string" && typeof right === "string" && sign === "+") return left + right;
  if (isTyped(left) && isTyped(right) && left.kind === "date" && right.kind === "date" && sign === "-") return dayNumber(left.value) - dayNumber(right.value);
  if (typeof left === "number" && typeof right === "number") return sign === "+" ? left + right : sign === "-" ? left - right : left * right;
  if (!isAmount(left) || !isAmount(right)) throw new WrongValue(sign);
  const [a, b] = [asMoney(left), asMoney(right)];
  if (sign === "*") return typed("money", a.value * b.value, a.scale + b.scale);
  return typed("money", sign === "+" ? a.value + b.value : a.value - b.value, a.scale);
}

function called(node, values, law) {
  const name = node.value;
  const parts = node.parts.map((part) => evaluate(part, values, law));
  if (name === "known") return parts[0] !== null;
  if (name === "first_known") return parts[0] !== null ? parts[0] : parts[1];
  if (name === "value_of") return parts[0] === null ? null : get(values, parts[0]);
  const isOfCalendar = OF_CALENDAR.includes(name);
  if (parts.includes(null) || (isOfCalendar && !law.calendar)) return null;
  return isOfCalendar ? law.calendar[name](...parts) : FUNCTIONS[name](...parts);
}

// =====================================================================================================================
// 8  Rules: a verdict computed again from the values that were seen (the definition language, section 10, Kleene)
// =====================================================================================================================

class Rule {
  constructor(law, name, text) {
    const reader = new Reader(law, get(text, "let", {}));
    Object.assign(this, { law, name, id: get(text, "id") || name, said: new Map() });
    this.holds = new Formula(reader.read(get(text, "holds") || "true"), law);
    this.applies = get(text, "applies") ? new Formula(reader.read(text.applies), law) : null;
    const asked = this.applies ? [this.applies, this.holds] : [this.holds];
    this.reads = [...new Set(asked.flatMap((one) => one.reads))];
    this.isOpaque = law.hasFunctions && asked.some((one) => one.isStrange);
  }

  verdict(seen) {
    const raw = this.reads.map((key) => get(seen, key));
    const known = JSON.stringify(raw);
    if (!this.said.has(known)) {
      if (this.said.size > 20000) this.said.clear();
      const values = Object.fromEntries(this.reads.map((key, place) => [key, this.law.value(key, raw[place])]));
      this.said.set(known, this.judged(values));
    }
    return this.said.get(known);
  }

  judged(values) {
    const applies = this.applies ? this.applies.run(values) : true;
    if (applies === false) return "not_applicable";
    const holds = this.holds.run(values);
    if (holds === true) return "holds";
    return applies === null || holds === null ? "undecided" : "fails";
  }
}

// =====================================================================================================================
// 9  The ground: units, roles, accounts, delegations, batches and publications, as the registry's own chain tells them
// =====================================================================================================================

const LENT = ["delegated", "handed_over"], REVOKED = "delegation_revoked", LOOKS_AFTER_PEOPLE = "security_admin", FOR_EVER = "~";
const pushed = (map, key, value) => map.set(key, [...(map.get(key) || []), value]);

function lend(loans, event) {
  const { data, at } = event;
  if (LENT.includes(event.kind)) {
    const since = get(data, "since"), begins = isText(since) && since > at ? since : at;
    const one = { role: need(data, "role"), since: begins, until: need(data, "until") || FOR_EVER, reason: need(data, "why"), forGood: Boolean(need(data, "for_good")) };
    pushed(loans, `${need(data, "by")}\n${need(data, "to")}`, one);
    return;
  }
  for (const [names, lent] of loans) {
    const [giver, taker] = names.split("\n");
    if (taker !== need(data, "to") || (giver !== need(data, "by") && data.role !== "student")) continue;
    const end = (one) => (one.role === data.role && !one.forGood && at < one.until ? { ...one, until: at } : one);
    loans.set(names, lent.map(end));
  }
}

class Ground {
  constructor() {
    for (const name of ["units", "terms", "studentOf", "loans", "published", "batches", "pinned", "causes"]) this[name] = new Map();
  }

  take(event) {
    const kind = need(event, "kind"), at = need(event, "at"), data = need(event, "data");
    if (["batch_published", "term_started", "batch_changed", "fact_changed", "table_changed"].includes(kind)) {
      this.causes.set(need(event, "seq"), [kind, at, need(event, "actor")]);
    }
    if (kind === "unit_changed") pushed(this.units, need(data, "unit"), [at, get(data, "parent"), need(data, "kind")]);
    else if (kind === "role_changed") this.takeRole(data, at);
    else if (kind === "definition_published") {
      const digest = String(get(data, "definition") || get(data, "rulebook"));
      if (!has(data, "message") && !has(data, "batch") && !this.published.has(digest)) this.published.set(digest, at);
    } else if (LENT.includes(kind) || kind === REVOKED) lend(this.loans, event);
    else this.takeBatch(kind, data, at);
  }

  takeRole(data, at) {
    if (has(data, "about")) {
      this.studentOf.set(need(data, "login"), data.about);
      return;
    }
    const key = `${need(data, "login")}\n${need(data, "role")}`;
    const terms = this.terms.get(key) || [];
    const unit = need(data, "unit");
    if (need(data, "held")) terms.push([unit, at, FOR_EVER]);
    else terms.forEach((one) => (one[2] = one[0] === unit && at < one[2] ? at : one[2]));
    this.terms.set(key, terms);
  }

  takeBatch(kind, data, at) {
    if (kind === "batch_published") {
      this.batches.set(need(data, "batch"), [[at, need(data, "values")]]);
      this.pinned.set(data.batch, need(data, "rulebook"));
    } else if (kind === "batch_changed" && this.batches.has(need(data, "batch"))) {
      const versions = this.batches.get(data.batch);
      const changed = Object.fromEntries(Object.entries(need(data, "values")).map(([name, one]) => [name, need(one, "new")]));
      versions.push([at, { ...versions[versions.length - 1][1], ...changed }]);
    }
  }

  above(unit, at) {
    const found = [];
    const seen = new Set();
    for (let here = unit; this.units.has(here) && !seen.has(here); ) {
      seen.add(here);
      const versions = this.units.get(here);
      const [, parent, kind] = [...versions].reverse().find((one) => one[0] <= at) || versions[0];
      found.push([here, kind]);
      here = parent;
    }
    return found;
  }

  isAbove(upper, unit, at) {
    return this.above(unit, at).some(([one]) => one === upper);
  }

  holds(login, role, unit, at) {
    const terms = this.terms.get(`${login}\n${role}`) || [];
    return terms.some(([held, since, until]) => since <= at && at <= until && this.isAbove(held, unit, at));
  }

  batchValues(name, at) {
    const versions = this.batches.get(name) || [];
    return versions.filter(([since], place) => since <= at && (place + 1 === versions.length || versions[place + 1][0] >= at)).map(([, values]) => values);
  }
}

// =====================================================================================================================
// 10  Events: bytes, hash, chain, columns, place in the tree, sealed values
// =====================================================================================================================

const HASH_TAG = encoder.encode("xueji/event/v1\n"), COMMITMENT_TAG = encoder.encode("xueji/commitment/v1\n");
const ZERO = "0".repeat(64);
const LINE = ["index", "chain", "seq", "request", "body", "hash", "mac"];
const EVENT = ["actor", "at", "chain", "data", "kind", "log", "prev", "seq", "v"];
const WORDS_OF_EVENT = ["actor", "at", "chain", "definition", "done_by", "kind", "log", "on_behalf_of", "prev", "role", "rulebook", "unit"];

function isLine(line) {
  const keys = Object.keys(line);
  return LINE.every((key) => has(line, key)) && keys.every((key) => LINE.includes(key) || key === "path") &&
    (line.index === null || (isWhole(line.index) && line.index >= 0)) && isWhole(line.seq) &&
    (line.request === null || typeof line.request === "string") && typeof line.body === "string" && isHex(line.hash) && isHex(line.mac);
}

function isEvent(event) {
  return isObject(event) && EVENT.every((key) => has(event, key)) && event.v === 1 && isWhole(event.seq) &&
    WORDS_OF_EVENT.every((key) => get(event, key) === null || typeof event[key] === "string") && isObject(event.data) && FORMS.moment.test(event.at || "");
}

class Walker {
  constructor(log, head, leaves, report) {
    Object.assign(this, { log, head, leaves, report, chain: null, name: "", seq: 0, last: ZERO });
    this.used = leaves ? new Uint8Array(head.size) : null;
    [this.lastIndex, this.isTail, this.isBroken] = [-1, false, false];
  }

  begin(chain) {
    if (this.chain !== null && chain <= this.chain) throw new Stop("order", "事件未按链排列", "the events do not stand in the order of their chains");
    [this.chain, this.name, this.seq, this.last] = [chain, chainName(chain), 0, ZERO];
    [this.lastIndex, this.isTail, this.isBroken] = [-1, false, false];
  }

  async take(line) {
    this.report.count("events");
    if (!isLine(line)) throw new Stop("line", "事件行的形状不对", "a line of events.jsonl is not shaped as one");
    await this.placed(line);
    if (this.isBroken) return null;
    this.seq += 1;
    if (line.seq !== this.seq) {
      this.seq = Math.min(this.seq, line.seq);
      return this.fail("sequence", `缺少事件 #${this.seq}，此处是 #${line.seq}`, `expected event #${this.seq}`);
    }
    const event = await this.read(line);
    if (event !== null) this.last = line.hash;
    return event;
  }

  async placed(line) {
    if (line.index === null) {
      this.report.count("unsealed");
      this.isTail = true;
      return;
    }
    this.report.count("sealed");
    let fault = await this.misplacedInTree(line);
    if (fault === null && (this.isTail || line.index <= this.lastIndex)) fault = ["封存次序与链的次序不符", "it was sealed before an earlier event of its chain"];
    if (fault !== null) this.report.add("leaf", ...fault, this.name, line.seq);
    this.lastIndex = line.index;
  }

  async misplacedInTree(line) {
    const leaf = await leafHash(fromHex(line.hash + line.mac));
    if (this.head === null || line.index >= this.head.size) return ["不在已签名的树中", "it claims a place beyond the signed tree"];
    if (this.leaves) {
      if (toHex(this.leaves.subarray(32 * line.index, 32 * line.index + 32)) !== toHex(leaf)) return ["与所在位置的叶不符", "it is not the leaf at its place"];
      this.used[line.index] = 1;
      return null;
    }
    const path = line.path;
    if (!Array.isArray(path) || path.length > 64 || !path.every((one) => isHex(one))) return ["没有存在证明", "it has no proof of inclusion"];
    const good = await includes(leaf, line.index, this.head.size, path.map(fromHex), this.head.root);
    return good ? null : ["存在证明不成立", "its proof of inclusion does not hold"];
  }

  async read(line) {
    const digest = isWellFormed(line.body) ? toHex(await sha256(joined(HASH_TAG, encoder.encode(line.body)))) : "";
    if (digest !== line.hash) return this.fail("hash", "内容与哈希不符", "the bytes do not have the hash beside them");
    const read = readCanonical(line.body);
    if (read === null) return this.fail("canonical", "内容不是规范形式", "the bytes are not in canonical form");
    const event = read.value;
    if (!isEvent(event)) return this.fail("canonical", "内容不是事件", "the bytes are no event");
    if (event.prev !== this.last) return this.fail("chain", "前一事件的哈希不符", "it does not name the hash of the event before it");
    if (event.log !== this.log) return this.fail("log", "属于另一日志", "it belongs to another log");
    const request = get(event, "request");
    if (event.chain !== this.name || event.seq !== line.seq || request !== line.request) {
      return this.fail("column", "列与内容不符", "chain, seq or request beside the bytes are not theirs");
    }
    return event;
  }

  fail(code, zh, en) {
    this.isBroken = true;
    this.report.add(code, zh, en, this.name, this.seq);
    return null;
  }
}

/** The values behind a commitment, if they are those that were committed to; null otherwise. */
async function openedValues(kept, expected) {
  const digest = toHex(await sha256(joined(COMMITMENT_TAG, fromHex(kept.salt), encoder.encode(kept.body))));
  const read = digest === expected ? readCanonical(kept.body) : null;
  return read !== null && isObject(read.value) ? read.value : null;
}

function checkPersonal(lines) {
  let last = null;
  for (const one of lines) {
    const isGood = Object.keys(one).sort().join() === "body,chain,salt,seq" && isWhole(one.chain) && isWhole(one.seq) && typeof one.body === "string";
    if (!isGood || !(isHex(one.salt, 32) || isHex(one.salt, 64))) throw new Stop("line", "personal.jsonl 有一行形状不对", "a line of personal.jsonl is not shaped as one");
    if (last !== null && (one.chain < last.chain || (one.chain === last.chain && one.seq <= last.seq))) {
      throw new Stop("order", "personal.jsonl 未按次序排列", "personal.jsonl does not stand in order");
    }
    last = one;
  }
  return lines;
}

// =====================================================================================================================
// 11  A case replayed under the definition it is pinned to
// =====================================================================================================================

const STEPS = ["opened", "moved"], NO_ACTS = ["viewed", "noted", "commented", "copied", "reminded", "escalated", "late"], ERASES = "records_section";
const MIGRATES = ["records_section", "academic_affairs", "provincial_auditor"];
const JUDGED = ["moved", "signed", "retracted", "signer_changed", "relocated"];
const copied = (value) => JSON.parse(JSON.stringify(value));
const slotOf = (seat) => String(seat || "").split("@", 1)[0];
const afterAt = (seat) => String(seat).slice(slotOf(seat).length + 1);

const SHAPES = new Map();
"at_unit barred before deadline document from role rung sealed sha256 signer signing slot to trigger unit vote was why workflow by dropped".split(" ").forEach((name) => SHAPES.set(name, "text"));
"due new old reason until".split(" ").forEach((name) => SHAPES.set(name, "text or nothing"));
"added".split(" ").forEach((name) => SHAPES.set(name, "text or number"));
"cautions effects engine failed late missing people sealed_facts sealed_fields sealed_given undecided".split(" ").forEach((name) => SHAPES.set(name, "texts"));
"rounds".split(" ").forEach((name) => SHAPES.set(name, "number"));
"extended for_good rests settled".split(" ").forEach((name) => SHAPES.set(name, "flag"));
"fields file given seen".split(" ").forEach((name) => SHAPES.set(name, "object"));
"about documents verdicts".split(" ").forEach((name) => SHAPES.set(name, "words"));
"ticks".split(" ").forEach((name) => SHAPES.set(name, "flags"));
"taken".split(" ").forEach((name) => SHAPES.set(name, "lists of texts"));
"facts".split(" ").forEach((name) => SHAPES.set(name, "facts"));
"deadlines".split(" ").forEach((name) => SHAPES.set(name, "deadlines"));
"slots".split(" ").forEach((name) => SHAPES.set(name, "slots"));

const isText = (value) => typeof value === "string";
const areTexts = (value) => Array.isArray(value) && value.every(isText);
const isFlag = (value) => typeof value === "boolean";
const each = (check) => (value) => isObject(value) && Object.values(value).every(check);
const member = (object, key, otherwise) => (has(object, key) ? object[key] : otherwise);
const isDeadline = (value) => value === null || (isObject(value) && (get(value, "due") === null || isText(value.due)) && isFlag(member(value, "settled", false)));
const isVote = (value) => isObject(value) && isText(member(value, "by")) && isFlag(member(value, "yes")) && isText(member(value, "for", ""));
const isSeat = (value) => isObject(value) && ["path", "role", "unit"].every((key) => isText(member(value, key))) && isText(member(value, "before", ""));
const isBlock = (value) => isObject(value) && each(isVote)(member(value, "given", {})) && each(isSeat)(member(value, "added", {})) && areTexts(member(value, "dropped", []));
const IS_SHAPED = {
  text: isText, "text or nothing": (value) => value === null || isText(value), "text or number": (value) => isText(value) || isWhole(value),
  texts: areTexts, number: isWhole, flag: isFlag, object: isObject, words: each(isText), flags: each(isFlag), "lists of texts": each(areTexts),
  facts: (value) => areTexts(value) || each(isObject)(value), deadlines: each(isDeadline), slots: each(isBlock),
};

/** Whether everything in an event that is looked at has the form it must have. */
function isShaped(event) {
  const isGood = ([name, value]) => !SHAPES.has(name) || IS_SHAPED[SHAPES.get(name)](value);
  const cause = get(event, "cause"), delegation = get(event, "delegation");
  return Object.entries(event.data).every(isGood) && WORDS_OF_EVENT.every((key) => isText(member(event, key, ""))) && has(event, "actor") &&
    (cause === null || (isObject(cause) && isText(member(cause, "chain")) && isWhole(member(cause, "seq")))) &&
    (delegation === null || (isObject(delegation) && isText(member(delegation, "by"))));
}

class Told {
  constructor(event, opened, hidden) {
    if (!isShaped(event)) throw new Misshapen("an event");
    Object.assign(this, { event, data: event.data, kind: event.kind, at: event.at, actor: event.actor, seq: event.seq, hidden });
    this.opened = opened || {};
    this.seen = { ...dict(get(event.data, "seen")), ...this.opened };
    this.role = String(get(event, "role", ""));
    this.isCaused = this.role === EFFECT;
    this.slot = slotOf(get(event.data, "slot"));
    const delegation = get(event, "delegation");
    this.lender = delegation === null ? null : String(need(delegation, "by"));
  }

  get people() {
    const people = get(this.data, "people");
    return people === null ? [this.actor] : people;
  }

  get given() {
    return { ...dict(get(this.data, "given")), ...dict(get(this.data, "fields")) };
  }
}

class Standing {
  constructor() {
    Object.assign(this, { state: NEW, fields: {}, taken: {}, slots: {}, rounds: 0, shape: "", workflow: null, unit: "", student: "" });
    Object.assign(this, { opened_at: "", entered_at: "", erased: new Set() });
  }

  toldBack() {
    return copied({ to: this.state, fields: this.fields, taken: this.taken, rounds: this.rounds, slots: this.slots });
  }

  enter(state, at) {
    if (state !== this.state) [this.state, this.entered_at] = [state, at];
  }

  take(key, people) {
    this.taken[key] = [...(get(this.taken, key) || []), ...people];
  }

  add(told) {
    const { data, people } = told;
    const isStep = STEPS.includes(told.kind);
    Object.assign(this.fields, dict(get(data, "fields")));
    if (get(data, "rests")) {
      [this.taken, this.rounds] = [{}, 0];
    } else {
      if (has(data, "slot")) this.take(`${need(data, "signing")}.${told.slot}`, people);
      if (isStep) {
        this.take(need(data, "trigger"), people);
        this.rounds = get(data, "rounds", this.rounds);
      }
    }
    if (told.kind === "signed") this.vote(told);
    else if (need(data, "to") !== this.state) this.slots = {};
    else delete this.slots[get(data, "signing") || data.trigger];
    if (isStep) this.enter(data.to, told.at);
  }

  vote(told) {
    const { data, people } = told;
    const block = (this.slots[data.signing] = get(this.slots, data.signing, {}));
    block.given = get(block, "given", {});
    block.given[need(data, "slot")] = { by: told.actor, yes: need(data, "vote") === "yes" };
    if (people.length > 1) block.given[data.slot].for = people[1];
  }

  reveal(told) {
    for (const name of list(get(told.data, "sealed_fields"))) {
      this.fields[name] = get(told.opened, `fields.${name}`);
      if (told.hidden) this.erased.add(name);
    }
  }
}

class Seats {
  constructor(sign, block) {
    this.sign = sign;
    this.slots = get(sign, "slots", {});
    this.extra = get(block, "added", {});
    this.added = Object.keys(this.extra);
    this.given = get(block, "given", {});
    const dropped = list(get(block, "dropped"));
    this.open = Object.keys(this.slots).filter((name) => !dropped.includes(name));
    const plain = this.open.filter((name) => !get(this.slots[name], "applies") && !get(this.slots[name], "each"));
    this.certain = [...plain, ...this.added];
    this.isUncertain = plain.length < this.open.length;
    this.inSequence = get(sign, "order", "any") === "sequence";
  }

  has(slot) {
    return this.open.includes(slot) || this.added.includes(slot);
  }

  isOnPaper(slot) {
    return Boolean(get(get(this.slots, slot), "recorded_by"));
  }

  get ahead() {
    const signed = Object.keys(this.given).map(slotOf);
    return this.inSequence ? this.open.filter((name) => !signed.includes(name)) : [];
  }

  get signers() {
    const own = Object.entries(this.given).filter(([seat]) => !this.isOnPaper(slotOf(seat))).map(([, vote]) => vote);
    return new Set(own.flatMap((vote) => [vote.by, vote.for]).filter((one) => one !== undefined));
  }

  order(seat) {
    const before = (slot) => this.added.filter((name) => get(this.extra[name], "before") === slot);
    const placed = Object.keys(this.slots).flatMap((name) => [...before(name), name]);
    const every = [...placed, ...this.added.filter((name) => !placed.includes(name))];
    const place = every.indexOf(slotOf(seat));
    return place < 0 ? every.length : place;
  }

  stands(votes, seats) {
    const yes = Object.values(votes).filter((vote) => vote.yes).length, no = Object.keys(votes).length - yes;
    const quorum = get(this.sign, "quorum", "all");
    const named = { all: seats, any: 1, majority: Math.floor(seats / 2) + 1 };
    const needed = has(named, quorum) ? named[quorum] : Math.min(Number(quorum), seats);
    if (no && (get(this.sign, "veto", true) === true || seats - no < needed)) return "lost";
    return yes >= needed ? "reached" : "open";
  }
}

class CaseReplay {
  constructor(name, ground, library, report) {
    Object.assign(this, { name, ground, library, report, standing: new Standing(), loans: new Map(), clocks: new Map() });
    Object.assign(this, { rungs: new Set(), documents: new Map(), missing: new Map(), last: null, before: {}, takesBack: false, seq: 0 });
  }

  find(code, zh, en) {
    this.report.add(code, zh, en, this.name, this.seq);
  }

  /** Do something with an event; what it is not shaped for is a finding. */
  guarded(act) {
    try {
      act();
      return true;
    } catch (problem) {
      if (problem instanceof Stop) throw problem;
      if (problem instanceof MissingRule) this.find("rule-missing", `规则集没有规则“${problem.message}”`, `the rulebook has no rule '${problem.message}'`);
      else if (problem instanceof NotAnExpression) this.find("rule-missing", `条件不可读：${problem.message}`, `an expression cannot be read: ${problem.message}`);
      else this.find("shape", `事件的形状不对：${problem.message}`, `the event is not shaped as its kind is: ${problem.message}`);
      return problem instanceof MissingRule || problem instanceof NotAnExpression;
    }
  }

  take(told) {
    this.seq = told.seq;
    if (this.guarded(() => this.check(told))) this.guarded(() => this.add(told));
  }

  check(told) {
    const check = CASE_EVENTS[told.kind];
    if (!check) {
      this.find("kind", `办件没有“${told.kind}”这种事件`, `a case has no events of the kind '${told.kind}'`);
      return;
    }
    if ((told.seq === 1) !== (told.kind === "opened")) this.find("opening", "办件的第一个事件、且只有它是 opened", "a case begins with its opening and has one only");
    this.pinned(told);
    check.call(this, told);
  }

  add(told) {
    const { standing } = this, { data, kind } = told;
    if (!NO_ACTS.includes(kind)) {
      this.last = told;
      this.before = this.takesBack && ["moved", "signed"].includes(kind) ? standing.toldBack() : {};
    }
    if (kind === "opened") {
      Object.assign(standing, { shape: need(told.event, "definition"), workflow: need(data, "workflow"), unit: need(data, "unit") });
      standing.student = get(need(data, "about"), "student", "");
      standing.opened_at = standing.entered_at = told.at;
      this.pin();
    }
    if (STEPS.includes(kind) || kind === "signed") {
      this.noteMissing(told);
      standing.add(told);
      standing.reveal(told);
    } else if (has(FOLDS, kind)) FOLDS[kind].call(this, told);
    this.noteClocks(told);
    this.noteDocuments(told);
  }

  pin() {
    const steps = get(get(this.library.definitions, this.standing.shape, {}), "transitions", {});
    this.takesBack = Object.values(steps).some((one) => get(one, "retractable"));
  }

  law(told) {
    const [shape, rulebook] = [get(told.event, "definition", ""), get(told.event, "rulebook", "")];
    const law = this.library.law(shape, rulebook);
    if (law === null) this.find("definition-missing", "缺少定义或规则集", "a definition or rulebook is missing");
    return law;
  }

  pinned(told) {
    const [shape, rulebook] = [get(told.event, "definition", ""), get(told.event, "rulebook", "")];
    const { kind } = told;
    if (!["opened", "migrated"].includes(kind) && shape !== this.standing.shape && (shape || JUDGED.includes(kind))) {
      this.find("pinned", "所依据的定义不是办件所属版本", "judged by a definition the case is not pinned to");
    }
    for (const digest of [shape, rulebook]) {
      const since = this.ground.published.has(digest) ? this.ground.published.get(digest) : FOR_EVER;
      if (digest && since > told.at) this.find("unpublished", `当时 ${digest.slice(0, 8)} 尚未发布`, `${digest.slice(0, 8)} was not published by then`);
    }
    const own = this.ground.pinned.get(String(this.batch(told)));
    if (["moved", "signed"].includes(kind) && need(told.data, "trigger") !== CANCELLED && own !== undefined && own !== rulebook) {
      this.find("pinned", "所依据的规则集不是批次所固定的", "judged by a rulebook that is not the batch's own");
    }
  }

  batch(told) {
    return get(told.given, "batch") || get(this.standing.fields, "batch");
  }

  // --- steps and signatures --------------------------------------------------------------------------------------------

  stepTaken(told) {
    const law = this.law(told), { data } = told;
    if (law === null) return;
    if (told.kind === "opened") this.opening(law, told);
    const trigger = need(data, "trigger");
    if (trigger === CANCELLED && !has(law.transitions, trigger)) {
      this.cancelled(law, told);
      return;
    }
    if (!has(law.transitions, trigger)) {
      this.find("trigger", `没有步骤“${trigger}”`, `there is no step '${trigger}'`);
      return;
    }
    const step = law.step(trigger, get(data, "signing") === trigger ? told.slot : "");
    this.placed(step, told);
    this.judged(step, told);
    this.givenFields(step, told);
    this.assigned(step, told);
    this.entitled(step, told);
    this.apart(step, told);
    this.signed(law, step, told);
    this.papers(step, told);
    if (told.kind === "signed") return;
    this.counted(step, told);
    this.effects(step, told);
    this.late(told, firedBy(law.definition, told));
  }

  opening(law, told) {
    const { data } = told, about = need(data, "about");
    const wanted = law.definition.about.includes("student") ? ["student"] : ["unit"];
    const fits = same(Object.keys(about), wanted) && get(about, "unit", need(data, "unit")) === data.unit;
    if (need(data, "workflow") !== law.definition.workflow || !fits) this.find("opening", "开始事件与定义不符", "the opening does not fit its definition");
    if (!this.ground.above(data.unit, told.at).length) this.find("opening", `没有单位 ${data.unit}`, `there is no unit ${data.unit}`);
  }

  cancelled(law, told) {
    const { data } = told, { state } = this.standing;
    const legal = need(data, "from") === state && need(data, "to") === CANCELLED && told.kind === "moved";
    if (!legal || law.isFinal(state) || get(law.definition, "record")) this.find("state", "此处不能取消", "this case could not be cancelled here");
    if (!told.isCaused || told.people.length) this.find("right", "取消只能由另一办件引起", "only another case's step cancels a case");
    this.caused(told, "open_cases");
  }

  placed(step, told) {
    const { state } = this.standing, { data } = told;
    if (need(data, "from") !== state) this.find("state", `从“${data.from}”办理，而当时处于“${state}”`, `taken from ${data.from} in ${state}`);
    if (!step.one.from.includes(state)) this.find("trigger", `“${step.trigger}”不在“${state}”办理`, `${step.trigger} is not taken in ${state}`);
    const targets = step.targets.length ? step.targets : [state];
    if (STEPS.includes(told.kind) && !targets.includes(need(data, "to"))) this.find("target", `“${step.trigger}”不通向“${data.to}”`, `${step.trigger} does not lead to ${data.to}`);
  }

  judged(step, told) {
    const said = dict(get(told.data, "verdicts"));
    if (!step.asksOf(said)) this.find("rules", "所问条件与定义不符", "other rules were asked than the step has");
    this.verdicts(step.law, step.rules.filter((rule) => has(said, rule.name)), told);
    if (step.names.every((name) => has(said, name))) {
      const against = step.against(said).map(([rule]) => rule.id).join("、");
      if (against) this.find("against-rules", `条件 ${against} 不成立而办理`, `taken although ${against} stood against it`);
    }
    if (step.applies && this.known(step.law, step.applies, told).value === false) this.find("applies", `“${step.trigger}”此时不适用`, `${step.trigger} did not apply`);
    this.seenRight(step.law, told);
  }

  verdicts(law, rules, told, more = {}) {
    const said = dict(get(told.data, "verdicts"));
    const seen = { ...told.seen, ...more };
    for (const rule of rules) {
      if (rule.isOpaque) this.report.count("unjudged: function of the rulebook's own");
      else if (told.hidden && rule.reads.some((key) => !has(seen, key) && law.isHidden(key))) this.report.count("unjudged: values erased");
      else this.verdict(rule, get(said, rule.name), seen);
    }
  }

  verdict(rule, told, seen) {
    this.report.count("verdicts");
    let found;
    try {
      found = rule.verdict(seen);
    } catch (problem) {
      this.find("seen", `“${rule.name}”所见的值不可读：${problem.message}`, `a value that ${rule.name} saw cannot be read`);
      return;
    }
    if (found !== told) {
      this.find("verdict", `条件“${rule.name}”(${rule.id})记为“${told}”，由所见的值得出“${found}”`, `${rule.name} (${rule.id}) is recorded as ${told}; what was seen makes it ${found}`);
    }
  }

  /** {value} of an expression for what was seen; {} where it cannot be judged here. */
  known(law, formula, told) {
    const hidden = told.hidden && formula.reads.some((key) => !has(told.seen, key) && law.isHidden(key));
    if (formula.isStrange || hidden) {
      this.report.count("unjudged: expressions");
      return {};
    }
    return { value: formula.run(Object.fromEntries(formula.reads.map((key) => [key, law.value(key, get(told.seen, key))]))) };
  }

  seenRight(law, told) {
    const batch = this.batch(told);
    const values = typeof batch === "string" ? this.ground.batchValues(batch, told.at) : [];
    for (const [key, value] of Object.entries(dict(get(told.data, "seen")))) {
      const dot = key.indexOf("."), group = dot < 0 ? "" : key.slice(0, dot), name = key.slice(dot + 1);
      let right = true;
      if (key === "today") right = value === inShanghai(told.at).slice(0, 10);
      else if (key === "now") right = value === told.at;
      else if (group === "batch" && values.length) right = values.some((one) => same(get(one, name), value));
      else if (group === "case") right = this.isOwn(law, name, value, told);
      if (!right) this.find("seen", `所见的 ${key} 与当时不符`, `${key} was not what was seen`);
    }
  }

  isOwn(law, name, value, told) {
    if (name === "state" || name === "rounds") return value === this.standing[name];
    if (!has(law.fields, name) || list(get(told.data, "sealed_fields")).includes(name)) return true;
    const step = get(law.transitions, told.data.trigger);
    if (told.kind === "opened" || has(get(step, "set", {}), `case.${name}`)) return true;
    return same(value, get(this.standing.fields, name)) || same(value, get(told.given, name));
  }

  givenFields(step, told) {
    const { data } = told;
    const names = [...Object.keys(dict(get(data, "fields"))), ...list(get(data, "sealed_fields"))];
    const strangers = names.filter((name) => !step.maySet.has(name)).sort().join("、");
    if (strangers) this.find("fields", `“${step.trigger}”不写 ${strangers}`, `${step.trigger} does not write ${strangers}`);
    if (told.kind === "signed") return;
    const after = { ...this.standing.fields, ...dict(get(data, "fields")) };
    const isLacking = (name) => [null, ""].includes(get(name === "reason" ? data : after, name)) && !this.standing.erased.has(name) && !list(get(data, "sealed_fields")).includes(name);
    const lacking = step.required.filter(isLacking).join("、");
    if (lacking) this.find("fields", `“${step.trigger}”缺少 ${lacking}`, `${step.trigger} lacks ${lacking}`);
  }

  assigned(step, told) {
    if (told.kind === "signed") return;
    const facts = [];
    const after = { ...this.standing.fields, ...dict(get(told.data, "fields")) };
    for (const [target, text] of Object.entries(step.sets)) {
      const dot = target.indexOf("."), owner = target.slice(0, Math.max(dot, 0)), name = target.slice(dot + 1);
      if (target.startsWith("student[")) facts.push(String(get(told.seen, target.slice(8, -1))));
      else if (owner === "student") facts.push(name);
      else if (get(get(step.law.fields, name), "privacy", "open") === "open") this.isSet(step.law, text, name, get(after, name), told);
    }
    if (!same([...new Set(facts)].sort(byCodePoint), list(get(told.data, "facts")))) this.find("assigned", "所写的信息项与定义不符", "other facts are written than the step sets");
  }

  isSet(law, text, name, value, told) {
    const wanted = text === null ? { value: null } : this.known(law, law.formula(text), told);
    const found = isObject(value) && Object.keys(value).length === 1 ? Object.values(value)[0] : value;
    if (has(wanted, "value") && !same(encoded(wanted.value), found)) this.find("assigned", `字段“${name}”不是所见之值推得的`, `field ${name} does not follow from what was seen`);
  }

  counted(step, told) {
    const { data } = told, { law } = step;
    const rests = data.to !== this.standing.state && law.rests(data.to);
    if (Boolean(get(data, "rests")) !== rests) this.find("rests", `“${data.to}”是否为静置状态与事件不符`, `the event misstates whether ${data.to} rests`);
    const returns = step.kind === "return";
    if (returns && this.standing.rounds >= get(law.definition, "rounds", DEFAULT_ROUNDS)) this.find("rounds", "退回次数已满", "there were as many returns as there may be");
    if (get(data, "rounds") !== (returns && !rests ? this.standing.rounds + 1 : null)) this.find("rounds", "退回次数计错", "the returns are miscounted");
  }

  effects(step, told) {
    const due = [];
    for (const effect of step.effects) {
      const found = get(effect, "applies") ? this.known(step.law, step.law.formula(effect.applies), told) : { value: true };
      if (!has(found, "value")) return;
      if (found.value === true) due.push(effect[["fire", "open", "move", "cancel"].find((verb) => has(effect, verb))]);
    }
    if (!same(due, list(get(told.data, "effects")))) this.find("effects", "联动与定义不符", "the effects are not those of the definition");
  }

  // --- who -------------------------------------------------------------------------------------------------------------

  entitled(step, told) {
    const { role, actor } = told;
    const waiting = this.waiting(step, told);
    let fitting = waiting.filter((who) => role === actingRole(who) || role === who.role);
    if (told.isCaused) {
      fitting = waiting.filter((who) => [EFFECT, "members"].includes(who.role));
      this.caused(told, fitting.some((who) => who.role === EFFECT) ? step.trigger : "");
    }
    if (!fitting.length) this.find("right", `“${step.trigger}”不由“${role}”办理`, `${role} does not take ${step.trigger}`);
    else if (["timer", "import"].includes(role)) this.byMachine(step, told);
    else if (["batch_published", "term_started"].includes(role)) this.withTheRegistry(told);
    else if (role === "student") this.byStudent(fitting, told);
    else if (!told.isCaused) this.byStaff(fitting, told);
    const expected = told.isCaused ? [] : [actor, ...(told.lender ? [told.lender] : [])];
    if (!same(told.people, expected)) this.find("right", "记为办理人的不是办理人", "others are counted as having acted than have");
    this.recorded(step, fitting, told);
  }

  waiting(step, told) {
    if (told.slot) {
      const signing = need(told.data, "signing");
      const added = get(get(get(this.standing.slots, signing, {}), "added", {}), told.slot);
      if (added) return [{ role: added.role, here: added.unit }];
      const slots = get(get(need(step.law.transitions, signing), "sign", {}), "slots", {});
      return has(slots, told.slot) ? [slots[told.slot]] : [];
    }
    const when = get(step.one, "when");
    return [...list(get(step.one, "by")), ...(when ? [{ role: when }] : [])];
  }

  place(who, told) {
    const here = this.standing.unit || String(get(told.data, "unit", ""));
    if (has(who, "here")) return String(who.here);
    if (get(who, "each")) return afterAt(told.data.slot);
    const at = get(who, "at");
    if (at === null) return here;
    if (at.startsWith("case.")) return String(get({ ...this.standing.fields, ...dict(get(told.data, "fields")) }, at.slice(5)) || here);
    const found = this.ground.above(here, told.at).find(([, kind]) => kind === at);
    return found ? found[0] : here;
  }

  byStaff(fitting, told) {
    const { role } = told, unit = String(get(told.event, "unit", "")), holder = told.lender || told.actor;
    if (!this.ground.holds(holder, role, unit, told.at)) this.find("right", `${holder} 当时在 ${unit} 没有“${role}”`, `${holder} was no ${role} at ${unit} then`);
    else if (!fitting.some((who) => this.ground.isAbove(unit, this.place(who, told), told.at))) this.find("right", `${unit} 不管此处的办件`, `${unit} has no say at the unit of this case`);
    if (this.ground.studentOf.get(told.actor) === this.standing.student && this.ground.studentOf.has(told.actor)) this.find("own-case", `${told.actor} 办理本人的办件`, `${told.actor} decided the own case`);
    if (told.lender !== null) {
      const inPerson = fitting.every((who) => get(who, "in_person"));
      this.lent(told, inPerson ? [] : this.loansOf(told).map((one) => one.reason));
    }
  }

  byStudent(fitting, told) {
    const student = this.standing.student || get(get(told.data, "about"), "student", "");
    if (told.lender === null) {
      if (this.ground.studentOf.get(told.actor) !== student) this.find("right", `${told.actor} 不是学生本人`, `${told.actor} is not the student`);
      return;
    }
    if (told.lender !== student && this.ground.studentOf.get(told.lender) !== student) this.find("delegation", `${told.lender} 不是学生本人`, `${told.lender} is not the student`);
    const allowed = fitting.map((who) => get(who, "delegates")).filter(Boolean);
    const unit = this.place(fitting[0], told);
    const roles = allowed.flatMap((one) => list(get(one, "roles")));
    if (!roles.some((role) => this.ground.holds(told.actor, role, unit, told.at))) this.find("delegation", `不可委托给 ${told.actor}`, `it could not be left to ${told.actor}`);
    const reasons = allowed.flatMap((one) => list(get(one, "reasons")));
    this.lent(told, this.loansOf(told).map((one) => one.reason).filter((reason) => reasons.includes(reason)));
  }

  loansOf(told) {
    const pair = `${told.lender || ""}\n${told.actor}`;
    const every = [...(this.loans.get(pair) || []), ...(this.ground.loans.get(pair) || [])];
    return every.filter((one) => one.role === told.role && one.since <= told.at && told.at <= one.until);
  }

  lent(told, reasons) {
    if (!reasons.length) this.find("delegation", `${told.lender} 对 ${told.actor} 没有当时有效、且定义允许的委派`, `no delegation by ${told.lender} to ${told.actor} was good then`);
  }

  byMachine(step, told) {
    if (told.actor !== told.role) this.find("right", `“${told.role}”不是 ${told.actor}`, `${told.actor} is not the ${told.role}`);
    const fired = firedBy(step.law.definition, told);
    if (told.role === "timer" && !fired.some((name) => this.clocks.has(name) && this.clocks.get(name).isLate)) this.find("timer", "没有逾期的期限引发这一步", "no deadline was missed that fires this step");
  }

  withTheRegistry(told) {
    const cause = get(told.event, "cause", {});
    const found = this.ground.causes.get(get(cause, "seq"));
    if (get(cause, "chain") !== "registry" || !same(found, [told.role, told.at, told.actor])) this.find("cause", "没有引起它的登记事件", "there is no event of the registry that caused it");
  }

  caused(told, effect) {
    const cause = isObject(get(told.event, "cause")) ? told.event.cause : { chain: "", seq: 0 };
    const chain = chainNumber(String(need(cause, "chain")));
    if (chain === null || (effect && cause.chain === this.name) || !isWhole(need(cause, "seq"))) this.find("cause", "没有写明由何事引起", "it does not name what caused it");
    else this.report.want(chain, cause.seq, told.at, told.actor, effect, [this.name, told.seq]);
  }

  recorded(step, fitting, told) {
    const wanted = fitting.map((who) => (get(who, "recorded_by") ? who.role : null));
    if (fitting.length && !told.isCaused && !wanted.includes(get(told.event, "done_by"))) this.find("right", "代为登记与定义不符", "it is recorded for somebody the definition does not name");
    if (!told.isCaused && get(told.event, "on_behalf_of") !== get(step.one, "on_behalf_of")) this.find("right", "代学生办理与定义不符", "it says otherwise than the definition on whose behalf");
  }

  apart(step, told) {
    const keys = apartFrom(step.law, step.trigger, get(told.data, "signing") === step.trigger ? told.slot : "");
    for (const person of told.people) {
      if (keys.some((key) => (get(this.standing.taken, key) || []).includes(person))) this.find("distinct", `${person} 已办理须由他人办理的步骤`, `${person} had taken a step that is kept apart from this one`);
    }
  }

  // --- signatures ------------------------------------------------------------------------------------------------------

  signed(law, step, told) {
    const { data } = told;
    if (!has(data, "slot")) {
      if (told.kind === "signed" || (step.sign && !told.isCaused)) this.find("quorum-of-slots", `“${step.trigger}”没有签字`, `${step.trigger} was taken without signatures`);
      return;
    }
    const signing = get(law.transitions, need(data, "signing"), {});
    const sign = get(signing, "sign");
    if (!sign || !signing.from.includes(this.standing.state)) {
      this.find("signature-place", `“${data.signing}”此时无须签字`, `${data.signing} is not signed here`);
      return;
    }
    const seats = new Seats(sign, get(this.standing.slots, data.signing, {}));
    this.seated(seats, told);
    this.inTurn(seats, told);
    this.standingOf(seats, step, told);
  }

  seated(seats, told) {
    const seat = told.data.slot;
    if (!seats.has(told.slot)) this.find("signature-place", `没有签字处“${seat}”`, `there is no place '${seat}' to sign`);
    if (has(seats.given, seat)) this.find("signature-twice", `“${seat}”已签`, `'${seat}' was signed already`);
    if (seats.isOnPaper(told.slot)) return;
    for (const person of told.people) if (seats.signers.has(person)) this.find("signature-twice", `${person} 重复签字`, `${person} had signed already`);
  }

  inTurn(seats, told) {
    const missing = get(told.data, "missing");
    if (told.kind !== "signed" || !Array.isArray(missing)) return;
    const filled = [...Object.keys(seats.given), told.data.slot];
    const lacking = seats.certain.filter((name) => !filled.includes(name) && !missing.includes(name)).join("、");
    if (lacking) this.find("quorum-of-slots", `未列出尚缺的签字 ${lacking}`, `${lacking} is missing and not said to be`);
    if (seats.inSequence && missing.some((one) => seats.order(one) < seats.order(told.data.slot))) this.find("signature-order", `“${told.slot}”未到次序`, `'${told.slot}' signed out of turn`);
  }

  standingOf(seats, step, told) {
    const { data } = told;
    const before = this.missing.get(data.signing) || null;
    const isSigned = told.kind === "signed";
    const votes = { ...seats.given, [data.slot]: { yes: need(data, "vote") === "yes" } };
    const all = new Set([...seats.certain, ...(isSigned ? list(get(data, "missing")) : []), ...Object.keys(votes)]);
    const stands = seats.stands(votes, all.size);
    if (!isSigned && before === null && seats.isUncertain) this.report.count("unjudged: how many seats a step had");
    const wanted = isSigned ? "open" : step.trigger === data.signing ? "reached" : "lost";
    if (wanted === "lost" && step.trigger !== get(seats.sign, "against")) this.find("quorum-of-slots", "反对不通向此步", "a no does not lead to this step");
    if (stands !== wanted) this.find("quorum-of-slots", `签字状况为 ${stands}，记为 ${wanted}`, `the block is ${stands}, taken for ${wanted}`);
  }

  noteMissing(told) {
    if (told.kind === "signed") this.missing.set(need(told.data, "signing"), get(told.data, "missing"));
    else if (need(told.data, "to") !== this.standing.state || has(told.data, "slot")) this.missing.clear();
  }

  signersChanged(told) {
    const law = this.law(told), { data } = told;
    if (law === null) return;
    const sign = get(get(law.transitions, need(data, "trigger"), {}), "sign", {});
    const block = get(this.standing.slots, data.trigger, {});
    const wanted = copied(this.standing.slots);
    const own = (wanted[data.trigger] = get(wanted, data.trigger, {}));
    const isAdded = has(data, "added");
    const offer = get(sign, isAdded ? "add" : "drop", {});
    let fits;
    if (isAdded) {
      const path = this.ground.above(need(data, "at_unit"), told.at).reverse().map(([one]) => `/${one}`).join("");
      const seat = { role: need(data, "signer"), unit: data.at_unit, path: `${path}/` }, isPlaced = has(data, "before");
      own.added = { ...get(block, "added", {}), [data.added]: isPlaced ? { ...seat, before: data.before } : seat };
      fits = list(get(offer, "roles")).includes(data.signer) && Object.keys(own.added).length <= get(offer, "at_most", 1);
      fits = fits && (!isPlaced || new Seats(sign, block).ahead.includes(data.before));
    } else {
      own.dropped = [...list(get(block, "dropped")), need(data, "dropped")];
      const signedSlots = Object.keys(get(block, "given", {})).map(slotOf);
      fits = list(get(offer, "slots")).includes(data.dropped) && !signedSlots.includes(data.dropped);
    }
    if (!fits || !same(need(data, "slots"), wanted) || need(data, "from") !== this.standing.state) this.find("signers", "加签或减签与定义不符", "signers were changed otherwise than the definition lets them");
    if (!list(get(offer, "by")).includes(told.role)) this.find("right", `“${told.role}”不可加签减签`, `${told.role} does not change signers`);
    this.byStaff([{ role: told.role }], told);
  }

  addSigners(told) {
    this.standing.slots = copied(need(told.data, "slots"));
    this.missing.set(told.data.trigger, null);
  }

  // --- papers ----------------------------------------------------------------------------------------------------------

  get kindsThere() {
    return new Set([...this.documents.keys()].map((key) => key.slice(key.indexOf(" ") + 1)));
  }

  papers(step, told) {
    const there = this.kindsThere;
    const lacking = step.needs.filter((kind) => !there.has(kind)).join("、");
    if (lacking) this.find("documents", `缺少材料 ${lacking}`, `documents are missing: ${lacking}`);
    if (told.kind === "signed") return;
    const issued = [...new Set(list(get(step.one, "issues")))].sort();
    if (!same(list(get(told.data, "documents")).sort(), issued)) this.find("documents", "所制材料与定义不符", "other documents are made than the step makes");
    const kinds = list(get(step.one, "reviews")).filter((kind) => there.has(kind));
    const ticks = Object.fromEntries(kinds.flatMap((kind) => ticksOf(step.law, kind)).map((name) => [name, true]));
    if (!same(ticks, get(told.data, "ticks", {}))) this.find("documents", "勾选与定义不符", "other ticks are given than the step asks for");
  }

  evidence(told) {
    const law = this.law(told), { data } = told;
    if (law === null) return;
    const document = get(law.documents, need(data, "document"));
    if (document === null || need(data, "from") !== this.standing.state || law.isFinal(this.standing.state)) {
      this.find("documents", `此处不收材料“${data.document}”`, `${data.document} is not taken here`);
      return;
    }
    this.takesPart(law, told);
    const names = law.flat(list(get(document, "rules")));
    const said = dict(get(data, "verdicts"));
    if (!same(Object.keys(said).sort(), [...names].sort())) this.find("rules", "所问条件与材料的不符", "other rules were asked than the document has");
    const rules = names.filter((name) => has(said, name)).map((name) => law.rule(name));
    this.verdicts(law, rules, told, looksOf(data));
    const refusing = rules.filter((rule) => ["fails", "undecided"].includes(said[rule.name])).map((rule) => rule.id).join("、");
    if (refusing) this.find("against-rules", `条件 ${refusing} 不成立而收下`, `taken although ${refusing} stood against it`);
    this.seenRight(law, told);
  }

  withdrawn(told) {
    const law = this.law(told), { data } = told;
    if (!this.documents.has(`${need(data, "added")} ${need(data, "document")}`) || !get(data, "reason")) this.find("documents", "撤下的材料不在办件上，或没有理由", "a document is withdrawn that is not there, or without reason");
    if (law !== null) this.takesPart(law, told);
  }

  viewed(told) {
    const law = this.law(told), { data } = told, trigger = need(data, "trigger");
    if (trigger === "view:case" && told.role !== "auditor") this.find("right", `以角色“${told.role}”查看整件`, `the case as a whole was seen by a ${told.role}`);
    if (!["view:case", "view:facts"].includes(trigger) && !this.isThere(data)) this.find("documents", "查看了不在办件上的材料", "a document was looked at that is not on the case");
    if (law !== null) this.takesPart(law, told);
  }

  isThere(data) {
    const key = `${need(data, "added")} ${need(data, "document")}`;
    return this.documents.has(key) && [null, need(data, "sha256")].includes(this.documents.get(key));
  }

  takesPart(law, told) {
    const { role } = told, holder = told.lender || told.actor;
    const everyone = Object.values(law.transitions).flatMap((one) => [...list(get(one, "by")), ...Object.values(get(get(one, "sign", {}), "slots", {}))]);
    const fits = everyone.some((who) => role === actingRole(who) || role === who.role);
    if (!fits && !(["auditor", "student"].includes(role) && told.kind === "viewed")) this.find("right", `“${role}”不参与此类办件`, `${role} takes no part in such cases`);
    else if (role === "student") {
      if (told.lender === null && this.ground.studentOf.get(told.actor) !== this.standing.student) this.find("right", `${told.actor} 不是学生本人`, `${told.actor} is not the student`);
    } else if (!this.ground.holds(holder, role, String(get(told.event, "unit")), told.at)) this.find("right", `${holder} 当时没有“${role}”`, `${holder} was no ${role} then`);
  }

  noteDocuments(told) {
    const { data } = told;
    if (told.kind === "evidence_added") this.documents.set(`${told.seq} ${need(data, "document")}`, get(need(data, "file"), "sha256"));
    else if (told.kind === "evidence_withdrawn") this.documents.delete(`${data.added} ${data.document}`);
    else if (STEPS.includes(told.kind)) for (const [kind, digest] of Object.entries(dict(get(data, "documents")))) this.documents.set(`${told.seq} ${kind}`, digest);
  }

  // --- deadlines -------------------------------------------------------------------------------------------------------

  late(told, fired) {
    if (told.data.to === this.standing.state) return;
    const over = [...this.clocks].filter(([name, clock]) => isOver(clock, told.at) && !fired.includes(name)).map(([name]) => name);
    const lacking = over.filter((name) => !list(get(told.data, "late")).includes(name)).sort().join("、");
    if (lacking) this.find("late", `“${lacking}”已逾期而未标记`, `late for ${lacking} and not marked`);
  }

  deadlineMoved(told) {
    const { data } = told, clock = this.clocks.get(need(data, "deadline"));
    if (clock && get(data, "old") !== clock.due) this.find("deadline", "原期限不是当时的期限", "the old date is not the one that ran");
    if (get(data, "extended") && !get(data, "reason")) this.find("deadline", "延期没有理由", "an extension gives no reason");
    if (has(told.event, "cause")) this.caused(told, "");
  }

  deadlineTold(told) {
    const { data } = told, clock = this.clocks.get(need(data, "deadline"));
    if (!clock || clock.settled || clock.due !== need(data, "due")) this.find("deadline", `期限“${data.deadline}”此时不在运行`, `${data.deadline} did not run then`);
    else if (told.kind === "late" && !isOver(clock, told.at)) this.find("deadline", `期限“${data.deadline}”尚未逾期`, `${data.deadline} was not over`);
    const rung = JSON.stringify([data.deadline, data.due, get(data, "rung")]);
    if (!["reminded", "escalated"].includes(told.kind)) return;
    if (this.rungs.has(rung)) this.find("deadline", `${data.rung} 提醒了两次`, `${data.rung} was told twice`);
    this.rungs.add(rung);
  }

  noteClocks(told) {
    const { data } = told;
    if (told.kind === "deadline_moved") this.putClock(data.deadline, need(data, "new"), Boolean(get(data, "settled")));
    else if (told.kind === "late" && this.clocks.has(data.deadline)) this.clocks.get(data.deadline).isLate = true;
    for (const [name, one] of Object.entries(dict(get(data, "deadlines")))) {
      if (one === null) this.clocks.delete(name);
      else this.putClock(name, need(one, "due"), Boolean(get(one, "settled")));
    }
  }

  putClock(name, due, settled) {
    const old = this.clocks.get(name);
    this.clocks.set(name, { due, settled, isLate: Boolean(old && old.due === due && old.isLate) });
  }

  // --- what else happens to a case -------------------------------------------------------------------------------------

  refused(told) {
    const { data } = told, trigger = get(data, "trigger", "");
    const isSaid = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));
    if (!["failed", "undecided", "engine", "barred"].some((name) => isSaid(get(data, name)))) this.find("refusal", "拒绝未写明原因", "a refusal that gives no reason");
    if (get(data, "barred")) this.report.count("unjudged: why a request was not heard at all");
    if (get(data, "barred") || !has(data, "verdicts")) return;
    const law = this.law(told);
    if (law === null) return;
    const asked = trigger.startsWith("attach:") ? this.askedOfFile(law, told) : this.askedOfStep(law, told);
    if (asked !== null) this.against(law, asked, told);
  }

  refusedOpening(told) {
    this.seq = told.seq;
    this.standing.shape = get(told.event, "definition", "");
    this.guarded(() => this.refused(told));
  }

  askedOfFile(law, told) {
    const { data } = told, said = data.verdicts;
    const document = get(law.documents, need(data, "document"), {});
    const rules = law.flat(list(get(document, "rules"))).filter((name) => has(said, name)).map((name) => law.rule(name));
    this.verdicts(law, rules, told, looksOf(data));
    return rules.filter((rule) => ["fails", "undecided"].includes(said[rule.name])).map((rule) => [rule, said[rule.name]]);
  }

  askedOfStep(law, told) {
    const { data } = told, said = dict(data.verdicts), trigger = get(data, "trigger", "");
    if (!has(law.transitions, trigger)) {
      this.find("trigger", `没有步骤“${trigger}”`, `there is no step '${trigger}'`);
      return null;
    }
    const steps = [law.step(trigger, told.slot)];
    const against = told.slot && steps[0].sign && get(steps[0].sign, "against");
    if (against) steps.push(law.step(against));
    const step = steps.find((one) => one.asksOf(said));
    if (!step) {
      this.find("rules", "所问条件与定义不符", "other rules were asked than the step has");
      return null;
    }
    this.verdicts(law, step.rules, told);
    for (const name of need(data, "engine")) if (this.engineSaid(name, step, told) === false) this.find("refusal", `引擎所称“${name}”并非如此`, `what the engine says of '${name}' is not so`);
    return step.against(said);
  }

  engineSaid(name, step, told) {
    const { data } = told;
    if (name === "rounds-used-up") return this.standing.rounds >= get(step.law.definition, "rounds", DEFAULT_ROUNDS);
    if (name === "document-missing") return step.needs.some((kind) => !this.kindsThere.has(kind));
    if (name === "own-case") return this.ground.studentOf.has(told.actor) && this.ground.studentOf.get(told.actor) === this.standing.student;
    if (name === "asked-missing" && !told.slot && !has(data, "sealed_given")) {
      const given = { ...dict(get(data, "given")), reason: get(data, "reason") };
      return step.required.some((one) => [null, ""].includes(get(given, one)));
    }
    this.report.count("unjudged: the engine's own reasons to refuse");
    return null;
  }

  against(law, against, told) {
    const { data } = told, engineNames = need(data, "engine");
    if (engineNames.includes("linked-case")) return;
    if (!against.length && !engineNames.length) this.find("refusal", "没有任何条件不成立而拒绝", "refused although nothing stood against it");
    const all = { ...law.rules, ...law.engine };
    const ids = [...engineNames.map((name) => get(get(all, name, {}), "id", name)), ...Object.values(law.transitions).map((one) => get(get(one, "sign"), "id")).filter(Boolean)];
    ids.push(...Object.keys(get(law.definition, "invariants", {})));
    const isUnknown = engineNames.some((name) => !has(all, name));
    for (const [listed, word] of [["failed", "fails"], ["undecided", "undecided"]]) {
      const found = against.filter(([, outcome]) => outcome === word).map(([rule]) => rule.id);
      const told_ = list(get(data, listed));
      const strangers = told_.filter((id) => !found.includes(id) && !ids.includes(id));
      if (found.some((id) => !told_.includes(id)) || (strangers.length && !isUnknown)) this.find("refusal", `${listed} 与判断不符`, `what it lists as ${listed} is not what the rules said`);
    }
  }

  retracted(told) {
    const law = this.law(told), { data } = told, { last } = this;
    if (law === null || last === null) return;
    const one = get(law.transitions, need(data, "trigger"), {});
    const isLast = ["moved", "signed"].includes(last.kind) && last.data.trigger === data.trigger;
    const isOwn = isLast && last.actor === told.actor && !has(last.event, "cause");
    if (!isOwn || !get(one, "retractable") || law.isFinal(this.standing.state)) this.find("retraction", "不可撤回", "this could not be taken back");
    else if (need(data, "from") !== this.standing.state || Object.entries(this.before).some(([key, value]) => !same(need(data, key), value))) this.find("retraction", "撤回后与办理前不同", "it does not stand as before the step");
  }

  addRetracted(told) {
    const { data } = told;
    const back = copied({ fields: dict(need(data, "fields")), rounds: need(data, "rounds"), taken: need(data, "taken"), slots: need(data, "slots") });
    Object.assign(this.standing, back);
    this.standing.enter(need(data, "to"), told.at);
    this.missing.clear();
  }

  relocated(told) {
    const { data } = told;
    if (need(data, "was") !== this.standing.unit || !this.ground.above(need(data, "unit"), told.at).length) this.find("relocation", "迁入或迁出单位不对", "it moves from or to a unit that is not right");
    this.caused(told, "student");
  }

  addRelocated(told) {
    this.standing.unit = told.data.unit;
  }

  migrated(told) {
    const { data } = told, law = this.law(told), old = get(this.library.definitions, need(data, "was")), { state } = this.standing;
    if (law === null || old === null) return;
    const ways = get(get(law.definition, "upgrades", {}), String(old.version));
    const isSame = ["workflow", "profile"].every((key) => law.definition[key] === old[key]);
    if (data.was !== this.standing.shape || need(data, "from") !== state || !isSame || ways === null) this.find("migration", "不可转到该版本", "it could not move to that version");
    else if (need(data, "to") !== get(ways, state, state) || !has(law.states, data.to)) this.find("migration", "转版本后的状态不对", "that version leads to another state");
    const held = MIGRATES.some((role) => (this.ground.terms.get(`${told.actor}\n${role}`) || []).some(([, since, until]) => since <= told.at && told.at <= until));
    if (!held) this.find("right", `${told.actor} 不可转版本`, `${told.actor} does not move cases to another version`);
  }

  addMigrated(told) {
    this.standing.shape = need(told.event, "definition");
    this.pin();
    this.standing.enter(need(told.data, "to"), told.at);
  }

  delegated(told) {
    const { data } = told, by = need(data, "by"), role = need(data, "role");
    const isOwn = by === told.actor || (need(data, "for_good") && this.ground.holds(told.actor, LOOKS_AFTER_PEOPLE, need(data, "unit"), told.at));
    if (role !== "student" && !(isOwn && this.ground.holds(by, role, need(data, "unit"), told.at))) this.find("delegation", `${by} 没有可委派的“${role}”`, `${by} is no ${role} there`);
    if (role === "student" && ![by, this.ground.studentOf.get(by)].includes(this.standing.student)) this.find("delegation", `${by} 不是学生本人`, `${by} is not the student`);
  }

  addLoan(told) {
    lend(this.loans, told.event);
  }

  nothing() {}

  differences(row) {
    const now = this.standing;
    const pairs = [
      ["fields", knownOf(need(row, "fields")), knownOf(now.fields)], ["slots", get(row, "slots", {}), now.slots],
      ["batch", get(row, "batch"), get(now.fields, "batch")],
      ...["state", "rounds", "taken", "shape", "workflow", "unit", "opened_at", "entered_at"].map((name) => [name, need(row, name), now[name]]),
    ];
    return pairs.filter(([, one, other]) => !same(one, other)).map(([name]) => name);
  }
}

const knownOf = (values) => {
  if (!isObject(values)) throw new Misshapen("an object");
  return withoutNull(values);
};
const CASE_EVENTS = {
  opened: CaseReplay.prototype.stepTaken, moved: CaseReplay.prototype.stepTaken, signed: CaseReplay.prototype.stepTaken,
  late: CaseReplay.prototype.deadlineTold, reminded: CaseReplay.prototype.deadlineTold, escalated: CaseReplay.prototype.deadlineTold,
  delegated: CaseReplay.prototype.delegated, handed_over: CaseReplay.prototype.delegated,
  urged: CaseReplay.prototype.nothing, timer_blocked: CaseReplay.prototype.nothing, noted: CaseReplay.prototype.nothing, commented: CaseReplay.prototype.nothing,
  copied: CaseReplay.prototype.nothing,
  delegation_revoked: CaseReplay.prototype.nothing, imported: CaseReplay.prototype.nothing,
  refused: CaseReplay.prototype.refused, signer_changed: CaseReplay.prototype.signersChanged,
  retracted: CaseReplay.prototype.retracted, relocated: CaseReplay.prototype.relocated, migrated: CaseReplay.prototype.migrated,
  deadline_moved: CaseReplay.prototype.deadlineMoved, evidence_added: CaseReplay.prototype.evidence,
  evidence_withdrawn: CaseReplay.prototype.withdrawn, viewed: CaseReplay.prototype.viewed,
};
Object.setPrototypeOf(CASE_EVENTS, null);
const FOLDS = {
  delegated: CaseReplay.prototype.addLoan, handed_over: CaseReplay.prototype.addLoan, delegation_revoked: CaseReplay.prototype.addLoan,
  signer_changed: CaseReplay.prototype.addSigners, retracted: CaseReplay.prototype.addRetracted,
  relocated: CaseReplay.prototype.addRelocated, migrated: CaseReplay.prototype.addMigrated,
};

function apartFrom(law, trigger, slot) {
  const own = [trigger, `${trigger}.${slot}`];
  const groups = list(get(law.definition, "distinct")).filter((group) => group.some((one) => own.includes(one)));
  return groups.flat().filter((one) => !own.includes(one)).flatMap((other) => {
    const sign = get(get(law.transitions, other, {}), "sign", {});
    const most = get(sign, "add") ? get(sign.add, "at_most", 1) : 0;
    const added = Array.from({ length: most }, (_, count) => `+${count + 1}`);
    return [other, ...[...Object.keys(get(sign, "slots", {})), ...added].map((name) => `${other}.${name}`)];
  });
}

function ticksOf(law, kind) {
  const ticks = Object.keys(get(get(law.documents, kind, {}), "ticks", {})).map((tick) => `${kind}.${tick}`);
  return ticks.length ? ticks : [kind];
}

function looksOf(data) {
  const looks = Object.entries(dict(need(data, "file"))).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return Object.fromEntries(looks.map(([name, value]) => [`file.${name}`, value]));
}

function firedBy(definition, told) {
  if (told.actor !== "timer") return [];
  const timed = Object.entries(get(definition, "deadlines", {}));
  return timed.filter(([, one]) => get(get(one, "missed", {}), "fire") === told.data.trigger).map(([name]) => name);
}

const isOver = (clock, at) => clock.due !== null && !clock.settled && at.slice(0, 19) > clock.due.slice(0, 19);

// =====================================================================================================================
// 12  A student replayed: facts with old and new value, and openings that were refused
// =====================================================================================================================

class StudentReplay {
  constructor(name, ground, library, report) {
    Object.assign(this, { name, ground, report, facts: {}, unit: null, erased: new Set() });
    this.refusals = new CaseReplay(name, ground, library, report);
  }

  take(told) {
    this.refusals.seq = told.seq;
    this.refusals.guarded(() => this.taken(told));
  }

  taken(told) {
    if (told.kind === "fact_changed") this.learn(told);
    else if (told.kind === "refused") this.refusals.refusedOpening(told);
    else if (told.kind === "erased") this.erase(told);
    else if (!["imported", "noted", "viewed"].includes(told.kind)) this.report.add("kind", `学生没有“${told.kind}”这种事件`, `a student has no events of the kind '${told.kind}'`, this.name, told.seq);
  }

  learn(told) {
    const { data } = told;
    for (const [name, change] of Object.entries({ ...dict(need(data, "facts")), ...told.opened })) {
      if (!this.erased.has(name) && !same(get(change, "old"), get(this.facts, name))) this.report.add("facts", `“${name}”的原值不是当时的值`, `the old value of ${name} is not what was known`, this.name, told.seq);
      this.facts[name] = get(change, "new");
      this.erased.delete(name);
    }
    const sealed = list(get(data, "sealed_facts"));
    if (told.hidden) for (const name of sealed) [this.facts[name]] = [null, this.erased.add(name)];
    this.caused(told, [...Object.keys(data.facts), ...sealed]);
    this.unit = get(data, "unit") || this.unit;
  }

  erase(told) {
    const unit = String(get(told.event, "unit", ""));
    const holds = this.ground.holds(told.actor, ERASES, unit, told.at);
    if (told.role !== ERASES || !holds || !this.ground.isAbove(unit, this.unit || "", told.at)) this.report.add("right", `${told.actor} 不可抹除个人信息`, `${told.actor} does not erase personal values here`, this.name, told.seq);
  }

  caused(told, names) {
    const cause = get(told.data, "cause") || get(told.event, "cause");
    if (cause === null) return;
    const chain = chainNumber(String(need(cause, "chain")));
    const effect = has(told.data, "cause") ? `facts ${names.sort(byCodePoint).join(" ")}` : "student";
    if (chain !== null && isWhole(need(cause, "seq"))) this.report.want(chain, cause.seq, told.at, told.actor, effect, [this.name, told.seq]);
  }

  differences(row) {
    const kept = knownOf(need(row, "facts"));
    const names = [...new Set([...Object.keys(kept), ...Object.keys(this.facts)])].sort(byCodePoint);
    const differing = names.filter((name) => !same(get(kept, name), get(this.facts, name)));
    if (need(row, "unit") !== this.unit) differing.push("unit");
    const columns = Object.entries(dict(need(row, "columns")));
    return [...differing, ...columns.filter(([name, value]) => !same(value, get(kept, name))).map(([name]) => `column ${name}`)];
  }
}

// =====================================================================================================================
// 13  Every chain in order, with its personal values and its row
// =====================================================================================================================

const isRow = (row) => isWhole(row.chain) && isWhole(row.seq) && isHex(row.head);

class Chains {
  constructor(bundle, walker, library, ground, report) {
    Object.assign(this, { bundle, walker, library, ground, report, replay: null, hidden: [], erased: new Map(), byChain: new Map() });
    this.personal = checkPersonal(linesOf(bundle, "personal"));
    this.opened = 0;
    this.rows = {};
    this.used = { cases: 0, students: 0 };
    for (const name of ["cases", "students"]) this.rows[name] = { lines: linesOf(bundle, name), at: 0 };
  }

  async walk(lines) {
    for (const line of lines) {
      if (!isWhole(line.chain) || Math.abs(line.chain) >= Number(SPACE)) throw new Stop("line", "事件行没有链号", "a line of events.jsonl names no chain");
      if (line.chain !== this.walker.chain) this.begin(line.chain);
      const event = await this.walker.take(line);
      if (event === null) continue;
      const [opened, hidden] = await this.openedOf(line.chain, event);
      if (!this.replay) continue; // the registry's: its events are the ground, which has been read
      let told;
      try {
        told = new Told(event, opened, hidden);
      } catch {
        this.report.add("shape", "事件的形状不对", "the event is not shaped as its kind is", this.walker.name, event.seq);
        continue;
      }
      this.replay.take(told);
      if (event.kind === "erased") this.erase(event.data);
    }
    this.close();
    while (this.opened < this.personal.length) this.stray();
  }

  begin(chain) {
    this.close();
    this.walker.begin(chain);
    this.replay = chain === 0 ? null : new (chain > 0 ? CaseReplay : StudentReplay)(this.walker.name, this.ground, this.library, this.report);
    if (chain !== 0) this.report.count(chain > 0 ? "cases" : "students");
  }

  stray() {
    const one = this.personal[this.opened++];
    this.report.add("commitment", "有个人信息，而没有事件承诺过", "personal values that no event has committed to", chainName(one.chain), one.seq);
  }

  async openedOf(chain, event) {
    const isBefore = (one) => one.chain < chain || (one.chain === chain && one.seq < event.seq);
    while (this.opened < this.personal.length && isBefore(this.personal[this.opened])) this.stray();
    const next = this.personal[this.opened];
    const kept = next && next.chain === chain && next.seq === event.seq ? this.personal[this.opened++] : null;
    const expected = get(event.data, "sealed");
    if (kept === null) {
      if (expected !== null) this.hidden.push([this.walker.name, event.seq]);
      return [null, expected !== null];
    }
    const values = expected === null ? null : await openedValues(kept, expected);
    if (values === null) this.report.add("commitment", "个人信息与承诺不符", "these are not the values it committed to", this.walker.name, event.seq);
    else this.report.count("sealed values opened");
    return [values, values === null];
  }

  erase(data) {
    const chains = isObject(get(data, "chains")) ? data.chains : {};
    for (const [name, seq] of Object.entries(chains)) if (isWhole(seq)) this.erased.set(name, Math.max(seq, this.erased.get(name) || 0));
  }

  close() {
    const { walker, replay } = this;
    if (walker.chain === null || replay === null) return;
    const row = this.row(walker.chain > 0 ? "cases" : "students", walker.chain);
    if (row === null) this.report.add("row", "没有对应的记录", "there are events and no row", walker.name, 0);
    else if (!walker.isBroken) this.compare(replay, row);
    this.replay = null;
  }

  compare(replay, row) {
    const { walker } = this;
    if (row.seq !== walker.seq) this.report.add("sequence", `记录称有 ${row.seq} 个事件`, `the row has seen ${row.seq} events, ${walker.seq} are there`, walker.name, Math.min(walker.seq, row.seq) + 1);
    else if (row.head !== walker.last) this.report.add("chain", "记录的链尾不是最后的事件", "the row does not end with the last event", walker.name, walker.seq);
    else {
      let differing;
      try {
        differing = replay.differences(row);
      } catch {
        differing = ["?"];
      }
      const names = differing.join("、");
      if (names) this.report.add("row", `记录与事件不符：${names}`, `the row is not what the events add up to: ${names}`, walker.name, walker.seq);
    }
  }

  row(name, chain) {
    const rows = this.rows[name];
    while (rows.at < rows.lines.length && isRow(rows.lines[rows.at]) && rows.lines[rows.at].chain < chain) rows.at += 1;
    const row = rows.lines[rows.at];
    if (!row || row.chain !== chain || !isRow(row)) return null;
    rows.at += 1;
    this.used[name] += 1;
    return row;
  }
}

// =====================================================================================================================
// 14  The whole: the checks in order, and what they come to
// =====================================================================================================================

/** Check the bytes of a bundle against a policy's text and, if there is one, the bytes of the head kept from last time. */
async function verify(bytes, policyText, seen = null) {
  const summary = { report: new Report(), log: "", scope: "", madeAt: "", head: null, note: null, signedBy: [], witnesses: new Map(), notChecked: [] };
  const policy = await parsePolicy(policyText);
  try {
    await verifyBundle(await unpack(bytes), policy, seen, summary);
  } catch (problem) {
    if (!(problem instanceof Stop)) throw problem;
    summary.report.add(problem.code, problem.zh, problem.en);
  }
  return resultOf(summary);
}

async function verifyBundle(bundle, policy, seen, summary) {
  const { manifest } = bundle, { report } = summary;
  const isWholeBundle = manifest.scope.kind === "all";
  summary.log = manifest.log;
  summary.madeAt = String(get(manifest, "made_at", ""));
  summary.scope = [manifest.scope.kind, get(manifest.scope, "name")].filter(Boolean).join(" ");
  const head = await headOf(bundle, policy, summary);
  const leaves = isWholeBundle && head ? bundle.contents.get("leaves.bin") || new Uint8Array() : null;
  if (leaves) await checkTree(head, leaves);
  if (seen !== null) await checkSeen(bundle, policy, seen, head, isWholeBundle, summary);
  const library = await libraryOf(bundle, report);
  const lines = linesOf(bundle, "events");
  const ground = groundOf(lines, library, report);
  const walker = new Walker(manifest.log, head, leaves, report);
  const chains = new Chains(bundle, walker, library, ground, report);
  await chains.walk(lines);
  lookUpCauses(lines, isWholeBundle, report);
  settle(chains, manifest, report);
  sayWhatWasNotChecked(summary, isWholeBundle);
}

async function headOf(bundle, policy, summary) {
  const { manifest, contents } = bundle;
  if (!policy.logs.some((key) => key.name === manifest.log)) throw new Stop("origin", `日志 ${summary.log} 不在策略中`, `the policy trusts no log '${summary.log}'`);
  if (!contents.has("head.note")) {
    if (manifest.size) throw new Stop("head-missing", "缺少已签名的日志头 head.note", "the signed head is missing");
    return null;
  }
  let note, head;
  try {
    note = parseNote(contents.get("head.note"));
    head = parseHead(note.text);
  } catch (problem) {
    throw new Stop("note", `head.note 不可读：${problem.message}`, `head.note cannot be read: ${problem.message}`);
  }
  if (head.origin !== summary.log) throw new Stop("origin", `日志头属于 ${head.origin}`, `the head is of '${head.origin}'`);
  try {
    await vouched(note, head, policy, summary);
  } catch (problem) {
    throw problem instanceof Stop ? problem : new Stop("signature", `签名不成立：${problem.message}`, problem.message);
  }
  if (head.size !== manifest.size) throw new Stop("manifest", "manifest.json 与日志头的大小不符", "manifest.json states another size than the head");
  [summary.head, summary.note] = [head, contents.get("head.note")];
  return head;
}

async function vouched(note, head, policy, summary) {
  for (const key of policy.logs) if (await signs(key, head, note)) summary.signedBy.push(`${key.name}+${key.id}`);
  if (!summary.signedBy.length) throw new Stop("signature", "日志头没有策略所信任的签名", "no key that the policy trusts has signed the head");
  for (const [name, key] of policy.witnesses) {
    const at = key.kind === COSIGNATURE ? await signedAt(key, note) : null;
    if (at !== null) summary.witnesses.set(name, at);
  }
  const there = [...summary.witnesses.keys()].join("、") || "无 none";
  if (!isMet(policy, summary.witnesses)) summary.report.add("quorum", `见证方不足：${there}`, `the quorum of witnesses is not met: ${there}`);
}

async function signs(key, head, note) {
  return key.name === head.origin && key.kind === ED25519 && (await signedAt(key, note)) !== null;
}

async function checkTree(head, leaves) {
  if (leaves.length !== 32 * head.size) throw new Stop("leaf-missing", "leaves.bin 与树的大小不符", "leaves.bin does not have the leaves of the tree");
  if ((await rootOf(leaves, head.size)) !== head.root) throw new Stop("root", "由叶算得的根与日志头不符", "the leaves do not have the root that is signed");
}

async function checkSeen(bundle, policy, bytes, head, isWholeBundle, summary) {
  let seen, isSigned = false;
  try {
    const note = parseNote(bytes);
    seen = parseHead(note.text);
    for (const key of policy.logs) isSigned = (await signs(key, seen, note)) || isSigned;
  } catch (problem) {
    throw new Misuse(`留存的日志头不可读 the head that was kept cannot be read: ${problem.message}`);
  }
  if (seen.origin !== summary.log || !isSigned) throw new Misuse(`留存的日志头不是 ${summary.log} 所签 the head that was kept is not signed by the log of this bundle`);
  const size = head ? head.size : 0;
  if (size < seen.size) throw new Stop("rolled-back", `日志由 ${seen.size} 退回到 ${size}`, `the log was rolled back from ${seen.size} to ${size}`);
  if (head) await leadsOn(bundle, seen, head, isWholeBundle);
}

async function leadsOn(bundle, seen, head, isWholeBundle) {
  if (seen.size === head.size) {
    if (seen.root !== head.root) throw new Stop("forked", `大小 ${seen.size} 有两个不同的日志头`, `there are two heads of size ${seen.size}`);
    return;
  }
  if (isWholeBundle && bundle.contents.has("leaves.bin")) {
    if ((await rootOf(bundle.contents.get("leaves.bin"), seen.size)) !== seen.root) throw new Stop("forked", "日志与留存的日志头不一致", "the log does not go on from the head that was kept");
    return;
  }
  const path = pathFrom(bundle, seen.size);
  if (path === null && seen.size) throw new Stop("no-consistency", `没有自 ${seen.size} 起的一致性证明`, `there is no proof that leads on from ${seen.size}`);
  if (!(await extendsHead(seen, head, path || []))) throw new Stop("inconsistent", "日志与留存的日志头不一致", "the log does not go on from the head that was kept");
}

function pathFrom(bundle, size) {
  for (const [place, line] of linesOf(bundle, "consistency").entries()) {
    const { path } = line;
    const isGood = Array.isArray(path) && path.length <= 128 && path.every((one) => isHex(one));
    if (place >= 2000 || !isGood || !isWhole(line.size)) throw new Stop("line", "consistency.jsonl 的形状不对", "consistency.jsonl is not shaped as it must be");
    if (line.size === size) return path.map(fromHex);
  }
  return null;
}

function groundOf(lines, library, report) {
  const ground = new Ground();
  for (const line of lines) {
    if (line.chain !== 0) continue;
    try {
      ground.take(readWhole(line.body));
    } catch {
      report.add("shape", "登记链的事件形状不对", "an event of the registry is not shaped as its kind is", "registry", isWhole(line.seq) ? line.seq : 0);
    }
  }
  for (const digest of [...Object.keys(library.definitions), ...Object.keys(library.rulebooks)]) {
    if (!ground.published.has(digest)) report.add("unpublished", `${digest.slice(0, 8)} 从未在登记链上发布`, `${digest.slice(0, 8)} was never published in the registry's chain`, "registry", 0);
  }
  return ground;
}

function lookUpCauses(lines, isWholeBundle, report) {
  const wanted = new Map([...report.causes.keys()].map((key) => [key, JSON.parse(key)]));
  const places = new Set([...wanted.values()].map(([chain, seq]) => `${chain} ${seq}`));
  const chains = new Set();
  const found = new Map();
  for (const line of lines) {
    chains.add(line.chain);
    const place = `${line.chain} ${line.seq}`;
    if (places.has(place) && !found.has(place)) found.set(place, line.body);
  }
  for (const [key, [chain, seq, at, actor, effect]] of wanted) {
    if (!chains.has(chain) && !isWholeBundle) {
      report.count("causes elsewhere");
      continue;
    }
    report.count("causes");
    if (!isCause(found.get(`${chain} ${seq}`), at, actor, effect)) report.add("cause", `${chainName(chain)} #${seq} 不是它的起因`, `${chainName(chain)} #${seq} is not what caused it`, ...report.causes.get(key));
  }
}

function isCause(body, at, actor, effect) {
  let event;
  try {
    event = readWhole(body);
  } catch {
    return false;
  }
  const data = get(event, "data");
  if (!isObject(event) || event.at !== at || event.actor !== actor || !isObject(data)) return false;
  if (effect.startsWith("facts ")) return effect.slice(6).split(" ").filter(Boolean).every((name) => list(get(data, "facts")).includes(name));
  return !effect || list(get(data, "effects")).some((one) => String(one).split(".").pop() === effect);
}

function settle(chains, manifest, report) {
  for (const [chain, seq] of chains.hidden) {
    if (seq > (chains.erased.get(chain) || 0)) report.add("personal-missing", "个人信息缺失，且没有抹除记录", "sealed values are missing, and no event says that they were erased", chain, seq);
  }
  for (const one of chains.personal) {
    const name = chainName(one.chain);
    if (one.seq <= (chains.erased.get(name) || 0)) report.add("erasure", "已抹除的个人信息仍在", "values that are told to be erased are there", name, one.seq);
  }
  if (report.counted("events") !== manifest.events) report.add("event-missing", `manifest 称有 ${manifest.events} 个事件`, `the manifest states ${manifest.events} events`);
  for (const name of ["cases", "students"]) {
    const left = chains.rows[name].lines.length - chains.used[name];
    if (left) report.add("row", `${name}.jsonl 有 ${left} 行没有事件`, `${left} rows of ${name}.jsonl have no events`);
  }
  const { used, head } = chains.walker;
  if (used) {
    const taken = used.reduce((sum, one) => sum + one, 0);
    if (taken < head.size) report.add("leaf-missing", `缺少 ${head.size - taken} 个已封存的事件`, `${head.size - taken} events that were sealed are missing`);
    else if (report.counted("sealed") !== head.size) report.add("leaf", "有两个事件占同一位置", "two events claim one place in the tree");
  }
  const unsealed = report.counted("unsealed");
  if (unsealed) report.add("unsealed", `${unsealed} 个事件尚未封存`, `${unsealed} events are not sealed yet`);
}

function sayWhatWasNotChecked(summary, isWholeBundle) {
  const say = (zh, en) => summary.notChecked.push({ zh, en });
  say("事件的 MAC：其密钥不在包中", "the MACs of events: their key is not in the bundle");
  say("规则未记录的读数（例如期限如何算得、名单成员如何选出）", "what no event records: how a due date was counted, how the members of a list were chosen");
  say("所见的学生信息、他案状态是否当时确为如此（仅按所见的值重算判断）", "whether facts of students and states of other cases were as seen; verdicts are judged by what was seen");
  say("定义的不变式（invariants）、信息项由谁写（written_by）、登记事件由谁作出", "the invariants of definitions, who may write a fact (written_by), who may write to the registry");
  const elsewhere = summary.report.counted("causes elsewhere");
  if (elsewhere) say(`${elsewhere} 个起因在包外`, `${elsewhere} causes that are not in this bundle`);
  for (const [name, count] of [...summary.report.tally].sort()) if (name.startsWith("unjudged: ")) say(`${count} 项判断：${name}`, `${count} verdicts: ${name}`);
  if (!isWholeBundle) say("本包只是部分内容：其他办件不在其中", "this bundle is a part: other cases are not in it");
  if (!summary.head) say("尚无封存的日志头：末尾被截去不能发现", "nothing is sealed: a history cut off at its end is not found");
}

function resultOf(summary) {
  const { report, head } = summary;
  const code = report.exitCode;
  const unjudged = [...report.tally].filter(([name]) => name.startsWith("unjudged: ")).reduce((sum, [, count]) => sum + count, 0);
  return {
    outcome: OUTCOMES[code][0], code, log: summary.log, scope: summary.scope, made_at: summary.madeAt,
    size: head ? head.size : null, root: head ? head.root : null, signed_by: summary.signedBy, witnesses: Object.fromEntries(summary.witnesses),
    ...Object.fromEntries(["events", "unsealed", "cases", "students", "verdicts"].map((name) => [name, report.counted(name)])),
    unjudged, codes: Object.fromEntries([...report.codes].sort()), findings: report.findings, not_checked: summary.notChecked, note: summary.note,
  };
}

// =====================================================================================================================
// 15  The page
// =====================================================================================================================

function told(result) {
  const [, zh, en] = OUTCOMES[result.code];
  const head = result.size === null ? "无 none" : `${result.size} 叶 leaves，根 root ${result.root.slice(0, 16)}…，签名 signed by ${result.signed_by.join("、")}`;
  const seen = Object.entries(result.witnesses).map(([name, at]) => `${name} ${new Date(at * 1000).toISOString()}`).join("；");
  return [
    `结论 Outcome: ${zh} ${en} (${result.outcome}, ${result.code})`, "",
    `日志 Log: ${result.log}　范围 Scope: ${result.scope}　制作于 Made at: ${result.made_at}`,
    `日志头 Head: ${head}`, `见证 Witnesses: ${seen || "无 none"}`,
    `事件 Events: ${result.events}（未封存 unsealed: ${result.unsealed}）　办件 Cases: ${result.cases}　学生 Students: ${result.students}`,
    `重算的判断 Verdicts computed again: ${result.verdicts}`, "",
    ...result.findings.map((one) => `[${one.code}] ${one.chain ? `${one.chain} #${one.seq} ` : ""}${one.zh} — ${one.en}`), "",
    "未核对 Not checked:", ...result.not_checked.map((one) => ` · ${one.zh} ${one.en}`),
  ].join("\n");
}

async function show(page) {
  const [bundle] = page.bundle.files, [seen] = page.seen.files;
  page.outcome.textContent = "核对中…… Checking …";
  page.outcome.dataset.outcome = "";
  page.keep.hidden = true;
  try {
    if (!bundle) throw new Misuse("请选择审计包。Choose a bundle.");
    const read = async (file) => new Uint8Array(await file.arrayBuffer());
    const result = await verify(await read(bundle), page.policy.value, seen ? await read(seen) : null);
    page.outcome.textContent = told(result);
    page.outcome.dataset.outcome = result.outcome;
    page.outcome.dataset.codes = Object.keys(result.codes).join(" ");
    page.keep.hidden = !result.note || result.code > UNSEALED;
    if (!page.keep.hidden) page.keep.href = URL.createObjectURL(new Blob([result.note], { type: "text/plain" }));
  } catch (problem) {
    page.outcome.textContent = problem.message;
    page.outcome.dataset.outcome = "misuse";
  }
}

function wire() {
  const page = Object.fromEntries(["bundle", "policy", "seen", "check", "outcome", "keep"].map((id) => [id, document.getElementById(id)]));
  page.check.addEventListener("click", () => show(page));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    page.bundle.files = event.dataTransfer.files;
    show(page);
  });
}

if (typeof document !== "undefined") wire();
if (typeof module !== "undefined") module.exports = { verify, Misuse, OUTCOMES, CODES, Report, Ground, Library, CaseReplay, Told, SHAPES, readCanonical };
