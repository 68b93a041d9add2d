// Which models are wanted, and what is known of their files: IndexedDB. The files themselves are in files.js.

import { openDB } from "idb";

/** @import { DBSchema, IDBPDatabase } from "idb" */
/** @import { Download, Policy, Spec } from "../protocol.js" */

/**
 * @typedef {object} KnownFile
 * @property {string} url
 * @property {string|null} validator   ETag or Last-Modified of the answer that its bytes are from
 * @property {number|null} bytes       its whole length
 * @property {string|null} digest      hash that it was found to have
 * @property {boolean} verified        it is there whole, and right
 */
/**
 * @typedef {object} DownloadRecord
 * @property {string} id
 * @property {Spec} spec
 * @property {Policy} [policy]         missing in what was kept before there was one
 * @property {"wanted"|"paused"|"failed"|"complete"} wish
 * @property {number} added            milliseconds since the epoch
 * @property {number|null} total       bytes
 * @property {Download["error"]} error
 * @property {Record<string, KnownFile>} files   by name
 */

/** @typedef {{downloads: {key: string, value: DownloadRecord}}} Tables */

const NAME = "models";
const VERSION = 1;

/** @param {(reason: string) => void} onLost  the browser closed the database */
export async function openStore(onLost) {
  /** @type {IDBPDatabase<DBSchema & Tables>} */
  const database = await openDB(NAME, VERSION, {
    upgrade: (fresh) => {
      fresh.createObjectStore("downloads", { keyPath: "id" });
    },
    blocking: () => onLost("another version of the extension needs the list of models"),
    terminated: () => onLost("the browser closed the list of models"),
  });
  return new Store(database);
}

export class Store {
  /** @param {IDBPDatabase<DBSchema & Tables>} database */
  constructor(database) {
    this.database = database;
  }

  /** In the order in which they were asked for. @returns {Promise<DownloadRecord[]>} */
  async records() {
    return (await this.database.getAll("downloads")).sort((one, other) => one.added - other.added);
  }

  /** @param {DownloadRecord} record */
  async put(record) {
    await this.database.put("downloads", record);
  }

  /** @param {string} id */
  async delete(id) {
    await this.database.delete("downloads", id);
  }

  close() {
    this.database.close();
  }
}
