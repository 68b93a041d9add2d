// One model on its way to the disk: what is kept of it, and what is known only while this Worker lives.

import { descriptions, planOf } from "./plan.js";
import { Rate } from "./rate.js";

/** @import { Download, Policy, Spec } from "../protocol.js" */
/** @import { Part } from "./plan.js" */
/** @import { DownloadRecord, KnownFile } from "./store.js" */

/** @type {Record<DownloadRecord["wish"], Download["state"]>} */
const AT_REST = { wanted: "queued", paused: "paused", failed: "error", complete: "complete" };

/** Nothing is done by itself. @type {Policy} */
const WITHOUT_POLICY = {
  passing: [],
  waits: [],
  quiet: Number.POSITIVE_INFINITY,
  silence: Number.POSITIVE_INFINITY,
  fetches: 1,
};

export class Entry {
  /** @param {DownloadRecord} record @param {() => number} now */
  constructor(record, now) {
    this.record = record;
    this.rate = new Rate(now);
    /** @type {Download["state"]|null} what is going on; null: nothing */
    this.activity = null;
    /** @type {Download["error"]} why it waits */
    this.passing = null;
    /** Requests that bytes are waited for. */
    this.transfers = 0;
    /** @type {Map<string, number>} bytes on the disk, by name of the file */
    this.sizes = new Map();
    /** @type {Part[]} all files, once the descriptions were read */
    this.plan = [];
    /** @type {AbortController|null} ends the attempt that is under way */
    this.controller = null;
    /** @type {{resolve: () => void, reject: (error: unknown) => void}[]} those who wait for its end */
    this.waiters = [];
  }

  /** Ends when it is complete; fails when it is given up. @returns {Promise<void>} */
  ended() {
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  /** @param {unknown} [error] */
  settle(error) {
    for (const { resolve, reject } of this.waiters.splice(0)) error ? reject(error) : resolve();
  }

  get id() {
    return this.record.id;
  }

  /** @returns {Policy} */
  get policy() {
    return this.record.policy ?? WITHOUT_POLICY;
  }

  get done() {
    return [...this.sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** @param {string} name @returns {KnownFile|undefined} */
  known(name) {
    return this.record.files[name];
  }

  /** Takes up the list of files. @param {string} config @param {string} weights  texts of the two descriptions */
  setPlan(config, weights) {
    this.plan = planOf(this.record.spec, config, weights);
    const names = new Set(this.plan.map(({ name }) => name));
    const strangers = Object.keys(this.record.files).filter((name) => !names.has(name));
    this.countTotal();
    return strangers;
  }

  /** Files whose size nobody has told count once they are asked for. */
  countTotal() {
    if (!this.plan.length) return;
    const bytes = this.plan.map((part) => part.bytes ?? this.known(part.name)?.bytes ?? this.sizes.get(part.name) ?? 0);
    this.record.total = bytes.reduce((sum, size) => sum + size, 0);
  }

  /** Names of files that are not there whole, as far as their sizes tell. */
  missing() {
    const files = Object.entries(this.record.files);
    return files
      .filter(([name, { bytes, verified }]) => !verified || this.sizes.get(name) !== bytes)
      .map(([name]) => name);
  }

  /** Whether a Spec means the same files. @param {Spec} spec */
  isOf({ base, lib, lib_sha256 }) {
    const { spec } = this.record;
    return spec.base === base && spec.lib === lib && spec.lib_sha256 === lib_sha256;
  }

  /** Forgets what is not where a new Spec says that it is. @param {Spec} spec @returns {string[]} names of the files to delete */
  setSpec(spec) {
    const isSame = this.record.spec.base === spec.base;
    this.record.spec = spec;
    if (isSame) return [];
    const names = [...new Set([...Object.keys(this.record.files), ...this.sizes.keys()])];
    this.plan = [];
    this.record.total = null;
    return names;
  }

  get descriptions() {
    return descriptions(this.record.spec);
  }

  /** Why it stands still though it runs. @returns {Download["error"]} */
  get stall() {
    const isAwaited = this.transfers > 0 && this.activity === "downloading";
    const seconds = this.rate.quietSeconds;
    if (!isAwaited || seconds < this.policy.quiet) return null;
    return { code: "stalled", message: `nothing has come for ${Math.floor(seconds)} seconds` };
  }

  /** @returns {Download} */
  get download() {
    const { total, error, wish } = this.record;
    const { stall } = this;
    const isRunning = this.activity === "downloading" && !stall;
    return {
      model: this.id,
      state: this.activity ?? AT_REST[wish],
      done: this.done,
      total,
      bytes_per_second: isRunning ? this.rate.bytesPerSecond : 0,
      seconds_left: isRunning && total !== null ? this.rate.secondsLeft(total - this.done) : null,
      error: this.passing ?? stall ?? error,
    };
  }
}
