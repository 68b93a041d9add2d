// How much of the disk documents and conversations take. The browser tells a sum only, so their databases are read through.

import { openDB } from "idb";

/** Names of the databases, by what is in them for people. */
const DATABASES = { documents: "library", conversations: "sessions" };
/** Of what is neither text nor bytes. */
const SMALL = 8;

/**
 * Bytes that the extension uses and may use, and about how many of them each kind of thing takes.
 * @returns {Promise<{usage: number, quota: number} & Record<keyof typeof DATABASES, number>>}
 */
export async function storageSizes() {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  const existing = (await indexedDB.databases()).map(({ name }) => name);
  // Opening one that is not there would make it, without its tables.
  const measure = async (/** @type {string} */ name) => (existing.includes(name) ? sizeOf(name) : 0);
  const [documents, conversations] = await Promise.all([
    measure(DATABASES.documents),
    measure(DATABASES.conversations),
  ]);
  return { usage, quota, documents: documents ?? 0, conversations: conversations ?? 0 };
}

/** @param {string} name @returns {Promise<number>} */
async function sizeOf(name) {
  const database = await openDB(name, undefined, { blocking: () => database.close() });
  try {
    let bytes = 0;
    for (const table of database.objectStoreNames) {
      for await (const { value } of database.transaction(table).store) bytes += sizeOfValue(value);
    }
    return bytes;
  } finally {
    database.close();
  }
}

/** @param {unknown} value @returns {number} */
export function sizeOfValue(value) {
  if (typeof value === "string") return value.length;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (value instanceof Blob) return value.size;
  if (value === null || typeof value !== "object") return SMALL;
  return Object.entries(value).reduce((sum, [name, each]) => sum + name.length + sizeOfValue(each), 0);
}
