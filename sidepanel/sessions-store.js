// Conversations on the disk: IndexedDB. Facts only: what is kept, and when, is decided in Python (amplifier_browser/history).

import { openDB } from "idb";
import browser from "webextension-polyfill";
import { blobOf, dataUrl, held, takePicture } from "./pictures.js";
import { lostSince, remember } from "./sessions-mark.js";
import { PARTS, upgrade, VERSION } from "./sessions-schema.js";
import { createSearch } from "./sessions-search.js";

/** @import { DBSchema, IDBPDatabase } from "idb" */

/** @import { KeptMessage, PartTable, SessionRecord, Tables } from "./sessions-schema.js" */

const NAME = "sessions";
const ALL = /** @type {const} */ (["sessions", "messages", "memories", "texts", "images", ...PARTS]);
/** Tables with one row a session, which has the session's id as its key; in the others it is the first part of the key. */
const WHOLE = /** @type {string[]} */ (["sessions", "memories", "texts"]);
const OPEN_PATIENCE_MS = 10_000; // a database that somebody else holds may never say so

/** @type {Promise<IDBPDatabase<DBSchema & Tables>> | null} */
let opened = null;

/** The database; opened anew after the browser closed it. @returns {Promise<IDBPDatabase<DBSchema & Tables>>} */
function database() {
  opened ??= inTime(open).catch((error) => {
    opened = null;
    // The name says what the message does not: that a later version of the extension has been here.
    throw error?.name === "VersionError" ? new Error(`VersionError: ${error.message}`) : error;
  });
  return opened;
}

/**
 * One that opens too late is closed again. Bringing the data up to this version takes the time that it takes.
 * @param {(onUpgrade: () => void) => ReturnType<typeof open>} start
 * @returns {ReturnType<typeof open>}
 */
function inTime(start) {
  return new Promise((resolve, reject) => {
    const opening = start(() => clearTimeout(timer));
    const timer = setTimeout(() => {
      opening.then((late) => late.close()).catch(() => {});
      reject(new Error(`the database did not open in ${OPEN_PATIENCE_MS / 1000} seconds`));
    }, OPEN_PATIENCE_MS);
    opening.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * @param {() => void} onUpgrade
 * @returns {Promise<IDBPDatabase<DBSchema & Tables>>}
 */
function open(onUpgrade) {
  return openDB(NAME, VERSION, {
    upgrade(database, from, _to, transaction) {
      onUpgrade();
      upgrade(database, from, transaction);
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
  const finder = createSearch(database);
  const claims = createClaims((id) => toPython({ type: "session-taken", id }));
  return {
    "sessions.list": list,
    "sessions.read": read,
    "sessions.write": write,
    "sessions.change": change,
    "sessions.delete": remove,
    "sessions.restore": restore,
    "sessions.lost": async () => lostSince(await (await database()).count("sessions")),
    "sessions.search": finder.search,
    "sessions.expect-search": finder.expect,
    "sessions.claim": claims.claim,
    "images.read": async (/** @type {{id: string}} */ { id }) => {
      const blob = await readImage(id);
      return blob && dataUrl(blob);
    },
    "images.put": async (/** @type {{id: string, url: string}} */ { id, url }) => takePicture(id, blobOf(url)),
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
  const sessions = await (await database()).getAll("sessions");
  if (sessions.length > 0) await remember(sessions.length);
  return sessions;
}

/** @param {{id: string}} which  @returns a whole session, as history/records.py has it; null if there is none */
async function read({ id }) {
  const transaction = (await database()).transaction(ALL);
  const partsOf = (/** @type {PartTable} */ name) => transaction.objectStore(name).getAll(allOf(id));
  const [session, kept, rest, turns, contexts, pages] = await Promise.all([
    transaction.objectStore("sessions").get(id),
    transaction.objectStore("messages").getAll(allOf(id)),
    transaction.objectStore("memories").get(id),
    ...PARTS.map(partsOf),
  ]);
  if (!session) return null;
  const messages = inOrder(rest?.order ?? [], new Map(kept.map(({ id: name, message }) => [name, message])));
  const memory = rest?.memory ?? null;
  if (!Array.isArray(memory?.turns) || typeof memory.context !== "number") return { session, messages, memory }; // damaged
  const whole = {
    turns: inOrder(memory.turns, new Map(turns.map((part) => [part.id, part.value]))),
    context: contexts.map((part) => part.value),
  };
  return {
    ...{ session, messages, memory: { ...memory, ...whole } },
    pages: Object.fromEntries(pages.map((part) => [part.id, part.value])),
  };
}

/**
 * @template Value
 * @param {string[]} order
 * @param {Map<string | number, Value>} values
 */
function inOrder(order, values) {
  return order.flatMap((id) => values.get(id) ?? []);
}

/**
 * Writes what has changed of a session, all or nothing; without `memory` and `text` those stay as they were.
 * @param {object} what
 * @param {SessionRecord} what.session
 * @param {KeptMessage[]} what.messages
 * @param {string[]} [what.removed]  messages
 * @param {string[]} what.order
 * @param {unknown} [what.memory]  without its parts: see sessions-schema.js
 * @param {Record<PartTable, [string | number, unknown][]>} [what.parts]  those that are new or other than they were
 * @param {Record<PartTable, (string | number)[]>} [what.gone]  ids of parts
 * @param {string} [what.text]
 */
async function write({ session, messages, removed = [], order, memory, parts, gone, text }) {
  const transaction = (await database()).transaction(ALL, "readwrite");
  const table = transaction.objectStore("messages");
  const memories = transaction.objectStore("memories");
  const known = memory === undefined ? (await memories.get(session.id))?.memory : memory;
  const images = transaction.objectStore("images");
  const lost = await Promise.all(removed.map((id) => table.get([session.id, id])));
  const kept = messages.flatMap(imagesOf);
  const goneImages = lost.flatMap((row) => (row ? imagesOf(row.message) : [])).filter((id) => !kept.includes(id));
  const written = [
    ...goneImages.map((id) => images.delete([session.id, id])),
    ...kept.map((id) => keepImage(images, session.id, id)),
    transaction.objectStore("sessions").put(session),
    ...messages.map((message) => table.put({ session: session.id, id: message.id, message })),
    ...removed.map((id) => table.delete([session.id, id])),
    memories.put({ session: session.id, order, memory: known }),
    ...PARTS.flatMap((name) => {
      const store = /** @type {any} */ (transaction.objectStore(name));
      const put = (parts?.[name] ?? []).map(([id, value]) => store.put({ session: session.id, id, value }));
      return [...put, ...(gone?.[name] ?? []).map((id) => store.delete([session.id, id]))];
    }),
    text === undefined ? undefined : transaction.objectStore("texts").put(text, session.id),
  ];
  const count = transaction.objectStore("sessions").count();
  await Promise.all([...written, count, transaction.done]);
  await remember(await count);
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

/** @typedef {{session: string, table: (typeof ALL)[number], key: any, value: any}} Row */

/** What was deleted last, as it was, whether or not it could be read: undo puts it back. @type {Row[]} */
let deleted = [];

/** @param {{ids: string[]}} which */
async function remove({ ids }) {
  const transaction = (await database()).transaction(ALL, "readwrite");
  const places = ids.flatMap((session) => ALL.map((table) => ({ session, table, range: rangeOf(table, session) })));
  const rows = await Promise.all(
    places.map(async ({ session, table, range }) => {
      const store = transaction.objectStore(table);
      const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
      return values.map((value, at) => ({ session, table, key: keys[at], value }));
    }),
  );
  await Promise.all(places.map(({ table, range }) => transaction.objectStore(table).delete(range)));
  const count = await transaction.objectStore("sessions").count();
  await transaction.done;
  deleted = rows.flat();
  await remember(count);
  return null;
}

/** @param {{ids: string[]}} which */
async function restore({ ids }) {
  const transaction = (await database()).transaction(ALL, "readwrite");
  const rows = deleted.filter(({ session }) => ids.includes(session));
  const put = rows.map(({ table, key, value }) => {
    const store = /** @type {any} */ (transaction.objectStore(table));
    return store.keyPath === null ? store.put(value, key) : store.put(value);
  });
  const count = transaction.objectStore("sessions").count();
  await Promise.all([...put, count, transaction.done]);
  deleted = deleted.filter((row) => !rows.includes(row));
  await remember(await count);
  return null;
}

/** @param {string} table @param {string} session */
function rangeOf(table, session) {
  return WHOLE.includes(table) ? IDBKeyRange.only(session) : allOf(session);
}

/**
 * An image of a message, or of one that is being written; null if there is none.
 * @param {string} id
 * @returns {Promise<Blob | null>}
 */
export async function readImage(id) {
  const kept = async () => (await (await database()).getFromIndex("images", "id", id))?.blob ?? null;
  return held.get(id) ?? kept().catch(() => null);
}

/**
 * Ids of the images that a message was sent with.
 * @param {KeptMessage} message
 * @returns {string[]}
 */
function imagesOf({ attachments }) {
  const sent = /** @type {{id: string, kind: string}[]} */ (Array.isArray(attachments) ? attachments : []);
  return sent.filter(({ kind }) => kind === "image").map(({ id }) => id);
}

/**
 * Keeps an image with its conversation: one that was just taken, or that another conversation has, which this one is a copy of.
 * @param {import("idb").IDBPObjectStore<DBSchema & Tables, any, "images", "readwrite">} images
 * @param {string} session
 * @param {string} id
 */
async function keepImage(images, session, id) {
  if (await images.getKey([session, id])) return;
  const blob = held.get(id) ?? (await images.index("id").get(id))?.blob;
  if (blob) await images.put({ session, id, blob });
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
