// The list of models that are wanted, and the one that is being fetched. What is wanted is fetched until it is complete, whatever ends
// in between; a complete one whose files have gone is wanted again.

import { Entry } from "./entry.js";
import { DownloadError, describe } from "./faults.js";
import { bring, forget, lookForMissing, verifyAll } from "./fetching.js";
import { checkSpec, modelOf } from "./plan.js";

/** @import { Download, Model, ModelsRequest, Policy, Spec, Storage } from "../protocol.js" */
/** @import { Means } from "./fetching.js" */
/** @import { ModelFiles } from "./files.js" */
/** @import { DownloadRecord, Store } from "./store.js" */

/**
 * @typedef {object} Options
 * @property {() => Promise<Pick<Store, "records"|"put"|"delete">>} open
 * @property {ModelFiles} files
 * @property {Omit<Means, "files"|"save"|"onChange"|"onProgress">} means
 * @property {(downloads: Download[], storage: Storage) => void} onDownloads   at most 4 times a second
 * @property {(models: Model[]) => void} onModels     complete ones, whenever there are others
 * @property {() => number} [now]
 * @property {number} [pace]      milliseconds between two calls of onDownloads
 */

const PACE_MS = 250;
/** How often one looks whether anything comes. */
const LOOK_MS = 1000;

export class Downloads {
  /** @param {Options} options */
  constructor({ open, files, means, onDownloads, onModels, now = Date.now, pace = PACE_MS }) {
    this.open = open;
    this.files = files;
    this.onDownloads = onDownloads;
    this.onModels = onModels;
    this.now = now;
    this.pace = pace;
    /** @type {Means} */
    this.means = {
      ...means,
      files,
      save: (entry) => this.save(entry),
      onChange: () => this.announce(),
      onProgress: () => {
        this.fruitless = 0;
        this.announce();
      },
    };
    /** @type {Map<string, Entry>} in the order in which they are fetched */
    this.entries = new Map();
    /** @type {Promise<void>|null} */
    this.opening = null;
    /** @type {Promise<void>|null} what is under way */
    this.running = null;
    /** Attempts since the last byte came. */
    this.fruitless = 0;
    this.wake = () => {};
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.pacing = undefined;
    this.isNewsworthy = false;
    /** News in their order. */
    this.telling = Promise.resolve();
  }

  /** Reads what was wanted before, and goes on with it. A store that does not open is tried again by the next request. */
  start() {
    this.opening ??= this.load().catch((error) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  async load() {
    this.store = await this.open();
    for (const record of await this.store.records()) this.entries.set(record.id, new Entry(record, this.now));
    for (const id of await this.files.models()) if (!this.entries.has(id)) await this.files.deleteAll(id);
    for (const entry of this.entries.values()) await this.look(entry);
    this.tellModels();
    this.announce();
    this.next();
  }

  /** Network is back, or somebody wants it now. */
  hurry() {
    this.fruitless = 0;
    this.wake();
  }

  /** A complete model of which something has gone is wanted again. @param {Entry} entry */
  async look(entry) {
    const missing = await lookForMissing(entry, this.files);
    if (entry.record.wish !== "complete" || missing.length === 0) return;
    entry.activity = "partial";
    await this.want(entry);
  }

  /** Somebody found that a model is not what it should be. */
  async check() {
    await this.start();
    for (const entry of this.entries.values()) if (!entry.activity) await this.look(entry);
    this.tellModels();
    this.announce();
    this.next();
  }

  /** @param {ModelsRequest} request @returns {Promise<object>} */
  async answer(request) {
    await this.start();
    if (request.type === "models.download") return this.download(request.model, request.policy);
    const entry = this.entries.get(request.model);
    if (!entry) throw new DownloadError("unknown-model", String(request.model));
    if (request.type === "models.pause") return this.pauseOf(entry);
    if (request.type === "models.cancel" || request.type === "models.delete") return this.delete(entry);
    if (request.type === "models.verify") return this.verify(entry);
    throw new DownloadError("bad-request", `unknown: ${/** @type {any} */ (request).type}`);
  }

  /** @param {Spec} spec @param {Policy} policy */
  async download(spec, policy) {
    checkSpec(spec);
    const entry = this.entries.get(spec.id) ?? new Entry(fresh(spec, this.now()), this.now);
    const isSame = entry.isOf(spec);
    if (!isSame) await this.stop(entry, "cancelled");
    this.entries.set(spec.id, entry);
    entry.record.policy = policy;
    for (const name of entry.setSpec(spec)) await forget(entry, name, this);
    const isWhole = isSame && (await lookForMissing(entry, this.files)).length === 0;
    const isComplete = entry.record.wish === "complete" && isWhole;
    if (isComplete) await this.save(entry);
    else await this.want(entry);
    const ended = isComplete ? null : entry.ended();
    this.hurry();
    this.next();
    await ended;
    return { type: "models.done" };
  }

  /** @param {Entry} entry */
  async want(entry) {
    entry.record.wish = "wanted";
    entry.record.error = null;
    await this.save(entry);
    this.announce();
  }

  /** @param {Entry} entry */
  async pauseOf(entry) {
    if (entry.record.wish !== "complete") {
      entry.record.wish = "paused";
      entry.record.error = null;
      await this.stop(entry, "paused");
      await this.save(entry);
    }
    this.announce();
    return { type: "models.done" };
  }

  /** @param {Entry} entry */
  async delete(entry) {
    this.entries.delete(entry.id);
    await this.stop(entry, "cancelled");
    await this.store?.delete(entry.id);
    await this.files.deleteAll(entry.id);
    this.tellModels();
    this.announce();
    return { type: "models.done" };
  }

  /** @param {Entry} entry */
  async verify(entry) {
    if (entry.record.wish !== "complete" || entry.activity)
      throw new DownloadError("bad-request", `${entry.id} is not complete`);
    entry.activity = "verifying";
    this.announce();
    try {
      const found = await verifyAll(entry, this.means);
      if (this.entries.has(entry.id) && found.missing.length + found.wrong.length > 0) await this.want(entry);
      return { type: "models.verified", ...found };
    } finally {
      entry.activity = entry.record.wish === "complete" ? null : "partial";
      this.tellModels();
      this.announce();
      this.next();
    }
  }

  /** Ends what is under way for a model, and tells those who wait for it. @param {Entry} entry @param {"paused"|"cancelled"} why */
  async stop(entry, why) {
    const reason = new DownloadError(why, entry.id);
    entry.controller?.abort(reason);
    if (entry.controller) await this.running;
    entry.settle(reason);
    entry.activity = entry.passing = null;
  }

  /** Fetches what is wanted, one model after another. */
  next() {
    if (this.running) return;
    const entry = [...this.entries.values()].find(({ record, activity }) => {
      return record.wish === "wanted" && activity !== "verifying";
    });
    if (!entry) return;
    this.running = this.run(entry).finally(() => {
      this.running = null;
      this.next();
    });
  }

  /** @param {Entry} entry */
  async run(entry) {
    const controller = new AbortController();
    entry.controller = controller;
    const looking = setInterval(() => entry.stall && this.announce(), LOOK_MS);
    try {
      await this.persevere(entry, controller.signal);
      entry.record.wish = "complete";
      await this.save(entry);
      entry.settle();
    } catch (error) {
      if (!controller.signal.aborted) await this.fail(entry, error);
    } finally {
      clearInterval(looking);
      entry.controller = null;
      entry.activity = entry.passing = null;
      this.tellModels();
      this.announce();
    }
  }

  /** Tries until it is there, or until trying is of no use. @param {Entry} entry @param {AbortSignal} signal */
  async persevere(entry, signal) {
    this.fruitless = 0;
    for (;;) {
      try {
        if (entry.activity !== "partial") entry.activity = "checking";
        this.announce();
        return await bring(entry, signal, this.means);
      } catch (error) {
        const { passing, waits } = entry.policy;
        const told = describe(error);
        if (signal.aborted || !passing.includes(told.code)) throw error;
        entry.activity = "waiting";
        entry.passing = told;
        this.announce();
        await this.rest(waits[Math.min(this.fruitless++, waits.length - 1)], signal);
      }
    }
  }

  /** @param {number} seconds @param {AbortSignal} signal */
  async rest(seconds, signal) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      signal.addEventListener("abort", this.wake, { once: true });
    });
    signal.throwIfAborted();
  }

  /** @param {Entry} entry @param {unknown} error */
  async fail(entry, error) {
    entry.record.wish = "failed";
    entry.record.error = describe(error);
    await this.save(entry).catch(() => {}); // a full disk takes no news of it either
    entry.settle(error);
  }

  /** @param {Entry} entry */
  async save(entry) {
    if (this.entries.get(entry.id) === entry) await this.store?.put(entry.record);
  }

  tellModels() {
    const complete = [...this.entries.values()].filter(
      ({ record, activity }) => record.wish === "complete" && !activity,
    );
    this.onModels(complete.map(({ record }) => modelOf(record.spec, storedOf(record))));
  }

  /** Tells at once, and what comes after it when the pace allows. */
  announce() {
    this.isNewsworthy = true;
    if (this.pacing !== undefined) return;
    this.pacing = setTimeout(() => {
      this.pacing = undefined;
      if (this.isNewsworthy) this.announce();
    }, this.pace);
    this.isNewsworthy = false;
    this.tell();
  }

  tell() {
    const downloads = [...this.entries.values()].map(({ download }) => download);
    const models = downloads.reduce((sum, { done }) => sum + done, 0);
    this.telling = this.telling.then(async () => {
      const { usage = 0, quota = 0 } = await this.means.estimate().catch(() => /** @type {StorageEstimate} */ ({}));
      this.onDownloads(downloads, { usage, quota, models });
    });
  }
}

/** @param {Spec} spec @param {number} now @returns {DownloadRecord} */
function fresh(spec, now) {
  return { id: spec.id, spec, wish: "wanted", added: now, total: null, error: null, files: {} };
}

/** @param {DownloadRecord} record */
function storedOf({ files }) {
  return Object.entries(files).map(([name, { url, bytes }]) => ({ name, url, bytes: bytes ?? 0 }));
}
