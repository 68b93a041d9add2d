// Brings one model to the disk, whole and verified: from wherever earlier attempts left it.

import { DownloadError } from "./faults.js";
import { CONFIG, isJson, parse, WEIGHTS } from "./plan.js";
import { transfer } from "./transfer.js";

/** @import { Entry } from "./entry.js" */
/** @import { ModelFiles } from "./files.js" */
/** @import { Part } from "./plan.js" */
/** @import { RelayedFetch } from "./relay.js" */
/** @import { KnownFile } from "./store.js" */

/**
 * @typedef {object} Means
 * @property {Pick<ModelFiles, "read"|"open"|"delete">} files
 * @property {RelayedFetch} fetch
 * @property {{md5: (file: Blob) => Promise<string>, sha256: (file: Blob) => Promise<string>}} digests
 * @property {() => Promise<{usage?: number, quota?: number}>} estimate
 * @property {(entry: Entry) => Promise<void>} save
 * @property {() => void} onChange      something that panels are shown
 * @property {() => void} onProgress    bytes came
 */

/** Files that are fetched at once: the second makes use of the time in which the first is asked for and verified. */
const AT_ONCE = 2;

/** @param {Entry} entry @param {AbortSignal} signal @param {Means} means */
export async function bring(entry, signal, means) {
  await readPlan(entry, signal, means);
  await checkSpace(entry, means);
  setActivity(entry, "downloading", means);
  entry.rate.reset();
  await inTurns(entry.plan, signal, (part, within) => ensure(entry, part, within, means));
  setActivity(entry, "verifying", means);
  const missing = await lookForMissing(entry, means.files);
  if (missing.length) throw new DownloadError("offline", `${missing[0]} went away meanwhile`);
}

/** @param {Entry} entry @param {AbortSignal} signal @param {Means} means */
async function readPlan(entry, signal, means) {
  for (const part of entry.descriptions) await ensure(entry, part, signal, means);
  const text = async (/** @type {string} */ name) => (await means.files.read(entry.id, name))?.text() ?? "";
  const strangers = entry.setPlan(await text(CONFIG), await text(WEIGHTS));
  for (const name of strangers) await forget(entry, name, means);
  await lookForMissing(entry, means.files);
  await means.save(entry);
}

/** What a full disk would end at 90 %. @param {Entry} entry @param {Means} means */
async function checkSpace(entry, means) {
  const { usage = 0, quota = Number.POSITIVE_INFINITY } = await means.estimate();
  const needed = Math.max(0, (entry.record.total ?? 0) - entry.done);
  const free = Math.max(0, quota - usage);
  if (needed > free) throw new DownloadError("no-space", `${needed} bytes are needed and ${free} are free`);
}

/**
 * Does a thing for all parts, some at once; ends them all as soon as one fails.
 * @param {Part[]} parts @param {AbortSignal} signal @param {(part: Part, signal: AbortSignal) => Promise<void>} work
 */
async function inTurns(parts, signal, work) {
  const failure = new AbortController();
  const within = AbortSignal.any([signal, failure.signal]);
  const left = [...parts];
  const lane = async () => {
    for (let part = left.shift(); part; part = left.shift()) {
      within.throwIfAborted();
      await work(part, within);
    }
  };
  const lanes = Array.from({ length: AT_ONCE }, () => lane().catch((error) => failure.abort(error)));
  await Promise.all(lanes); // none may still write when an attempt has ended
  within.throwIfAborted();
}

/** Sees to it that a file is there whole and right. @param {Entry} entry @param {Part} part @param {AbortSignal} signal @param {Means} means */
async function ensure(entry, part, signal, means) {
  for (let attempt = 1; ; attempt++) {
    try {
      if (isThere(entry, part)) return;
      await fetchPart(entry, part, signal, means);
      await verify(entry, part, means);
      return await means.save(entry);
    } catch (error) {
      const isWrong = error instanceof DownloadError && error.code === "corrupt";
      if (isWrong) await forget(entry, part.name, means);
      if (!isWrong || attempt >= entry.policy.fetches) throw error;
    }
  }
}

/** @param {Entry} entry @param {Part} part */
function isThere(entry, part) {
  const known = entry.known(part.name);
  if (!known?.verified || known.url !== part.url || entry.sizes.get(part.name) !== known.bytes) return false;
  const expected = part.sha256 ?? part.md5;
  return expected === null || known.digest === expected.toLowerCase();
}

/** @param {Entry} entry @param {Part} part @param {AbortSignal} signal @param {Means} means */
async function fetchPart(entry, part, signal, means) {
  const before = entry.known(part.name);
  // A file that was believed to be whole and is not holds nobody knows what.
  if (before && (before.verified || before.url !== part.url)) await forget(entry, part.name, means);
  const known = entry.known(part.name);
  const file = await means.files.open(entry.id, part.name);
  const count = () => entry.sizes.set(part.name, file.size);
  try {
    if (!known) file.truncate(); // left by a file that nothing is known of
    if (known?.bytes !== file.size || known.bytes === null) {
      entry.rate.listen();
      entry.transfers++;
      await transfer(part, {
        file,
        validator: known?.validator ?? null,
        fetch: means.fetch,
        signal,
        silence: entry.policy.silence,
        onAnswer: async ({ validator, bytes }) => {
          remember(entry, part, { validator, bytes });
          await means.save(entry);
        },
        onBytes: (bytes) => {
          count();
          entry.rate.add(bytes);
          means.onProgress();
        },
      }).finally(() => entry.transfers--);
    }
  } finally {
    count();
    file.close();
  }
  remember(entry, part, { bytes: file.size });
}

/** @param {Entry} entry @param {Part} part @param {Partial<KnownFile>} facts */
function remember(entry, part, facts) {
  const before = entry.known(part.name) ?? { validator: null, bytes: null, digest: null, verified: false };
  entry.record.files[part.name] = { ...before, ...facts, url: part.url };
  entry.countTotal();
}

/** @param {Entry} entry @param {Part} part @param {Means} means */
async function verify(entry, part, means) {
  const file = await means.files.read(entry.id, part.name);
  const wrong = (/** @type {string} */ why) => new DownloadError("corrupt", `${part.url}: ${why}`);
  if (!file || (part.bytes !== null && file.size !== part.bytes)) throw wrong("its length is wrong");
  const digest = await digestOf(part, file, means);
  const expected = (part.sha256 ?? part.md5)?.toLowerCase() ?? null;
  if (digest !== expected) throw wrong(`its hash is ${digest} instead of ${expected}`);
  try {
    if (isJson(part.name)) parse(part.name, await file.text());
  } catch (error) {
    throw wrong(String(error));
  }
  remember(entry, part, { digest, bytes: file.size, verified: true });
}

/** @param {Part} part @param {Blob} file @param {Means} means */
async function digestOf(part, file, { digests }) {
  if (part.sha256) return digests.sha256(file);
  return part.md5 ? digests.md5(file) : null;
}

/**
 * Reads all files of a complete model again.
 * @param {Entry} entry @param {Means} means
 * @returns {Promise<{missing: string[], wrong: string[]}>} which are forgotten
 */
export async function verifyAll(entry, means) {
  const missing = await lookForMissing(entry, means.files);
  const wrong = [];
  for (const part of await planOnDisk(entry, missing, means)) {
    try {
      if (!missing.includes(part.name)) await verify(entry, part, means);
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      wrong.push(part.name);
    }
  }
  for (const name of [...missing, ...wrong]) await forget(entry, name, means);
  return { missing, wrong };
}

/** The files as the descriptions on the disk list them, or the descriptions alone. @param {Entry} entry @param {string[]} missing @param {Means} means */
async function planOnDisk(entry, missing, { files }) {
  if (missing.includes(CONFIG) || missing.includes(WEIGHTS)) return entry.descriptions;
  try {
    const text = async (/** @type {string} */ name) => (await files.read(entry.id, name))?.text() ?? "";
    entry.setPlan(await text(CONFIG), await text(WEIGHTS));
    return entry.plan;
  } catch {
    return entry.descriptions; // of which one is wrong
  }
}

/** Looks at the disk. @param {Entry} entry @param {Pick<ModelFiles, "read">} files @returns {Promise<string[]>} names of files that are not there whole */
export async function lookForMissing(entry, files) {
  for (const name of Object.keys(entry.record.files)) {
    const file = await files.read(entry.id, name);
    if (file) entry.sizes.set(name, file.size);
    else entry.sizes.delete(name);
  }
  return entry.missing();
}

/** @param {Entry} entry @param {string} name @param {Pick<Means, "files">} means */
export async function forget(entry, name, { files }) {
  await files.delete(entry.id, name);
  delete entry.record.files[name];
  entry.sizes.delete(name);
}

/** @param {Entry} entry @param {Entry["activity"]} activity @param {Means} means */
function setActivity(entry, activity, means) {
  entry.activity = activity;
  entry.passing = null;
  means.onChange();
}
