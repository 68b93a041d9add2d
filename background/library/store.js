// The library on the disk: IndexedDB. A chunk's vector is its mark of being embedded, so neither can be there without the other.

import { openDB } from "idb";

/** @import { DBSchema, IDBPDatabase } from "idb" */
/** @import { Chunk, LibraryDocument, LibraryErrorCode } from "../protocol.js" */
/** @import { Place } from "./catalogue.js" */

/**
 * @typedef {object} Tables
 * @property {{key: string, value: LibraryDocument}} documents
 * @property {{key: [string, number], value: Chunk}} chunks         by document and ordinal
 * @property {{key: string, value: Int8Array}} vectors              by chunk id; see quantize() in vectors.js
 * @property {{key: "computed", value: number}} counters            computed: vectors ever added
 */

const NAME = "library";
const VERSION = 1;

export class LibraryError extends Error {
  /** @param {LibraryErrorCode} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** What the panels are told of an error. @param {unknown} error @returns {{code: LibraryErrorCode, message: string}} */
export function describe(error) {
  if (error instanceof LibraryError) return { code: error.code, message: error.message };
  const code = error instanceof DOMException && error.name === "QuotaExceededError" ? "library-full" : "failed";
  return { code, message: String(error) };
}

/** @param {(reason: string) => void} onLost  the browser closed the database @returns {Promise<Store>} */
export async function openStore(onLost) {
  try {
    /** @type {IDBPDatabase<DBSchema & Tables>} */
    const database = await openDB(NAME, VERSION, {
      upgrade(fresh) {
        fresh.createObjectStore("documents", { keyPath: "id" });
        fresh.createObjectStore("chunks", { keyPath: ["document", "ordinal"] });
        fresh.createObjectStore("vectors");
        fresh.createObjectStore("counters");
      },
      blocking: () => onLost("another version of the extension needs the library"),
      terminated: () => onLost("the browser closed the library"),
    });
    return new Store(database);
  } catch (error) {
    const { code, message } = describe(error);
    throw new LibraryError(code === "failed" ? "library-blocked" : code, message);
  }
}

export class Store {
  /** @param {IDBPDatabase<DBSchema & Tables>} database */
  constructor(database) {
    this.database = database;
  }

  /** @returns {Promise<LibraryDocument[]>} */
  documents() {
    return this.database.getAll("documents");
  }

  /** All vectors, by chunk. @returns {Promise<[string, Int8Array][]>} */
  async vectors() {
    const table = this.database.transaction("vectors").store;
    const [ids, vectors] = await Promise.all([table.getAllKeys(), table.getAll()]);
    return ids.map((id, i) => [id, vectors[i]]);
  }

  async computed() {
    return (await this.database.get("counters", "computed")) ?? 0;
  }

  /** @param {Place[]} places @returns {Promise<(Chunk|undefined)[]>} */
  chunks(places) {
    const table = this.database.transaction("chunks").store;
    return Promise.all(places.map(({ document, ordinal }) => table.get([document, ordinal])));
  }

  /** @param {string} document @returns {Promise<Chunk[]>} in order */
  chunksOf(document) {
    return this.database.getAll("chunks", allOf(document));
  }

  /**
   * Adds a document, if one is given, and takes out documents and vectors, all or nothing.
   * @param {{document?: LibraryDocument, chunks?: Chunk[], going: string[], orphans: string[]}} change
   */
  async replace({ document, chunks = [], going, orphans }) {
    const transaction = this.database.transaction(["documents", "chunks", "vectors"], "readwrite");
    const documentTable = transaction.objectStore("documents");
    const chunkTable = transaction.objectStore("chunks");
    const vectorTable = transaction.objectStore("vectors");
    await allOrNothing(transaction, [
      ...going.map(async (id) => documentTable.delete(id)),
      ...going.map(async (id) => chunkTable.delete(allOf(id))),
      ...orphans.map(async (id) => vectorTable.delete(id)),
      ...(document ? [document] : []).map(async (each) => documentTable.put(each)),
      ...chunks.map(async (chunk) => chunkTable.put(chunk)),
    ]);
  }

  /** Writes what has changed about documents, but not their chunks. @param {LibraryDocument[]} documents */
  async update(documents) {
    const transaction = this.database.transaction("documents", "readwrite");
    await allOrNothing(
      transaction,
      documents.map(async (document) => transaction.store.put(document)),
    );
  }

  /** @param {[string, Int8Array][]} vectors by chunk @param {number} computed  vectors that it took */
  async addVectors(vectors, computed) {
    const transaction = this.database.transaction(["vectors", "counters"], "readwrite");
    const table = transaction.objectStore("vectors");
    const counters = transaction.objectStore("counters");
    const before = (await counters.get("computed")) ?? 0;
    await allOrNothing(transaction, [
      ...vectors.map(async ([id, vector]) => table.put(vector, id)),
      counters.put(before + computed, "computed"),
    ]);
    return before + computed;
  }
}

/**
 * Waits for a transaction and its changes. One that is refused at once, before it is a request, would leave the others in force.
 * @param {{done: Promise<void>, error: DOMException|null, abort: () => void}} transaction
 * @param {Promise<unknown>[]} changes
 */
async function allOrNothing(transaction, changes) {
  try {
    await Promise.all([...changes, transaction.done]);
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // it has ended already, by the same error
    }
    throw transaction.error ?? error;
  }
}

/** Keys of all chunks of a document. @param {string} document */
function allOf(document) {
  return IDBKeyRange.bound([document], [document, []]);
}
