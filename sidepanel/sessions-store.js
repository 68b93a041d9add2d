// Conversations on the disk: IndexedDB. Facts only: what is kept, and when, is decided in Python (amplifier_browser/history).

import { openDB } from "idb";
import browser from "webextension-polyfill";

/** @import { DBSchema, IDBPDatabase } from "idb" */

/**
 * @typedef {{id: string} & Record<string, unknown>} SessionRecord a line of the list; see history/records.py
 * @typedef {{id: string} & Record<string, unknown>} KeptMessage
 *
 * @typedef {object} Tables
 * @property {{key: string, value: SessionRecord}} sessions
 * @property {{key: [string, string], value: {session: string, id: string, message: KeptMessage}}} messages
 * @property {{key: string, value: {session: string, order: string[], memory: unknown}}} memories  what a session goes on from
 * @property {{key: string, value: string}} texts  what searches look through
 */

const NAME = "sessions";
const VERSION = 1;
const ALL = /** @type {const} */ (["sessions", "messages", "memories", "texts"]);
const OPEN_PATIENCE_MS = 10_000; // a database that somebody else holds may never say so
const SNIPPET = 60; // characters on either side of what was found

/** @type {Promise<IDBPDatabase<DBSchema & Tables>> | null} */
let opened = null;

/** The database; opened anew after the browser closed it. @returns {Promise<IDBPDatabase<DBSchema & Tables>>} */
function database() {
  opened ??= inTime(open()).catch((error) => {
    opened = null;
    throw error;
  });
  return opened;
}

/** One that opens too late is closed again. @param {Promise<IDBPDatabase<DBSchema & Tables>>} opening */
function inTime(opening) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      opening.then((late) => late.close()).catch(() => {});
      reject(new Error(`the database did not open in ${OPEN_PATIENCE_MS / 1000} seconds`));
    }, OPEN_PATIENCE_MS);
    opening.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @returns {Promise<IDBPDatabase<DBSchema & Tables>>} */
function open() {
  return openDB(NAME, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("sessions", { keyPath: "id" });
      fresh.createObjectStore("messages", { keyPath: ["session", "id"] });
      fresh.createObjectStore("memories", { keyPath: "session" });
      fresh.createObjectStore("texts");
    },
    // Another version of the extension wants it: let go, and the next call opens it again.
    blocking: (_current, _blocked, event) => {
      opened = null;
      /** @type {IDBDatabase} */ (event.target).close();
    },
    terminated: () => {
      opened = null;
    },
  });
}

/**
 * What Python may ask: see `createHost` in host.js.
 * @param {(message: {type: "session-taken", id: string}) => void} toPython
 */
export function createSessionCalls(toPython) {
  const claims = createClaims((id) => toPython({ type: "session-taken", id }));
  return {
    "sessions.list": list,
    "sessions.read": read,
    "sessions.write": write,
    "sessions.change": change,
    "sessions.delete": remove,
    "sessions.search": search,
    "sessions.claim": claims.claim,
    "sessions.open": async (/** @type {{id: string}} */ which) => {
      await browser.storage.session.set({ [await windowKey()]: which.id });
      return claims.keepOnly(which);
    },
    "sessions.last": async () => {
      const key = await windowKey();
      return (await browser.storage.session.get(key))[key] ?? "";
    },
  };
}

async function list() {
  return (await database()).getAll("sessions");
}

/** @param {{id: string}} which  @returns what `write` was given, null if there is none */
async function read({ id }) {
  const transaction = (await database()).transaction(ALL);
  const [session, kept, rest] = await Promise.all([
    transaction.objectStore("sessions").get(id),
    transaction.objectStore("messages").getAll(allOf(id)),
    transaction.objectStore("memories").get(id),
  ]);
  if (!session) return null;
  const messages = new Map(kept.map(({ id: name, message }) => [name, message]));
  const inOrder = (rest?.order ?? []).flatMap((name) => messages.get(name) ?? []);
  return { session, messages: inOrder, memory: rest?.memory ?? null };
}

/**
 * Writes what has changed of a session, all or nothing; without `memory` and `text` those stay as they were.
 * @param {{session: SessionRecord, messages: KeptMessage[], removed?: string[], order: string[], memory?: unknown, text?: string}} what
 */
async function write({ session, messages, removed = [], order, memory, text }) {
  const transaction = (await database()).transaction(ALL, "readwrite");
  const table = transaction.objectStore("messages");
  const memories = transaction.objectStore("memories");
  const known = memory === undefined ? (await memories.get(session.id))?.memory : memory;
  await Promise.all([
    transaction.objectStore("sessions").put(session),
    ...messages.map((message) => table.put({ session: session.id, id: message.id, message })),
    ...removed.map((id) => table.delete([session.id, id])),
    memories.put({ session: session.id, order, memory: known }),
    text === undefined ? undefined : transaction.objectStore("texts").put(text, session.id),
    transaction.done,
  ]);
  return null;
}

/** @param {{id: string, changes: Record<string, unknown>}} what */
async function change({ id, changes }) {
  const transaction = (await database()).transaction("sessions", "readwrite");
  const session = await transaction.store.get(id);
  if (session) await transaction.store.put({ ...session, ...changes });
  await transaction.done;
  return null;
}

/** @param {{ids: string[]}} which */
async function remove({ ids }) {
  const transaction = (await database()).transaction(ALL, "readwrite");
  await Promise.all([
    ...ids.flatMap((id) => [
      transaction.objectStore("sessions").delete(id),
      transaction.objectStore("messages").delete(allOf(id)),
      transaction.objectStore("memories").delete(id),
      transaction.objectStore("texts").delete(id),
    ]),
    transaction.done,
  ]);
  return null;
}

/**
 * The sessions that hold all of some words, in lower case.
 * @param {{words: string[]}} what
 * @returns {Promise<{id: string, snippet: string}[]>}
 */
async function search({ words }) {
  const transaction = (await database()).transaction("texts");
  const [ids, texts] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
  return ids.flatMap((id, at) => {
    const lower = texts[at].toLowerCase();
    if (!words.every((word) => lower.includes(word))) return [];
    return { id, snippet: snippetOf(texts[at], lower.indexOf(words[0]), words[0].length) };
  });
}

/** @param {string} text @param {number} at @param {number} length */
function snippetOf(text, at, length) {
  const start = Math.max(0, at - SNIPPET);
  const end = Math.min(text.length, at + length + SNIPPET);
  const words = text.slice(start, end).replace(/\s+/g, " ").trim();
  return `${start > 0 ? "…" : ""}${words}${end < text.length ? "…" : ""}`;
}

/** @param {string} session */
function allOf(session) {
  return IDBKeyRange.bound([session], [session, []]);
}

/**
 * A session is written by one panel at a time: that which holds its lock, until it lets go or closes.
 * @param {(id: string) => void} onTaken  another panel took a session over
 */
function createClaims(onTaken) {
  /** @type {Map<string, () => void>} */
  const held = new Map();

  /**
   * @param {{id: string, steal?: boolean, seconds?: number}} which  how long it is waited for: a panel that reloads lets go late
   * @returns {Promise<boolean>} whether this panel has it now
   */
  function claim({ id, steal = false, seconds = 0 }) {
    if (held.has(id)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const patient = { signal: AbortSignal.timeout(seconds * 1000) };
      const options = steal ? { steal: true } : seconds ? patient : { ifAvailable: true };
      navigator.locks
        .request(`session ${id}`, options, (lock) => {
          resolve(lock !== null);
          if (lock) return new Promise((release) => held.set(id, () => release(null)));
        })
        .catch(() => {
          resolve(false); // not in time; else another panel took it over
          if (held.delete(id)) onTaken(id);
        });
    });
  }

  /** @param {{id: string}} which  "" for none */
  async function keepOnly({ id }) {
    for (const [other, release] of held) {
      if (other === id) continue;
      held.delete(other);
      release();
    }
    return id ? claim({ id }) : true;
  }
  return { claim, keepOnly };
}

/** Under which name this window's conversation is known while the browser runs. */
async function windowKey() {
  const { id } = await browser.windows.getCurrent();
  return `session-${id}`;
}
