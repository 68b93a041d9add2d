// The tables of kept conversations, and what makes those of an earlier version of them: in one transaction, all or nothing.

/** @import { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from "idb" */

/**
 * @typedef {{id: string} & Record<string, any>} SessionRecord a line of the list; see history/records.py
 * @typedef {{id: string} & Record<string, unknown>} KeptMessage
 * @typedef {{session: string, order: string[], memory: any}} Memory  what a session goes on from, without the parts of it
 * @typedef {"turns" | "contexts" | "pages"} PartTable  parts of a memory that are written apart, since few change at a time
 * @typedef {{session: string, id: string | number, value: any}} Part
 *
 * @typedef {object} Tables
 * @property {{key: string, value: SessionRecord}} sessions
 * @property {{key: [string, string], value: {session: string, id: string, message: KeptMessage}}} messages
 * @property {{key: string, value: Memory}} memories
 * @property {{key: string, value: string}} texts  what searches look through
 * @property {{key: [string, string], value: Part}} turns  by the id of their question; in the memory, `turns` are their ids
 * @property {{key: [string, number], value: Part}} contexts  what the model is told, by its place; in the memory, its length
 * @property {{key: [string, string], value: {session: string, id: string, blob: Blob}, indexes: {id: string}}} images  of messages
 * @property {{key: [string, string], value: Part}} pages  texts of pages by an id, for turns and attachments that name it
 */

/** @typedef {IDBPTransaction<DBSchema & Tables, StoreNames<DBSchema & Tables>[], "versionchange">} Upgrade */

export const VERSION = 2;
export const PARTS = /** @type {const} */ (["turns", "contexts", "pages"]);

/**
 * @param {IDBPDatabase<DBSchema & Tables>} database
 * @param {number} from  0 for none yet
 * @param {Upgrade} transaction
 */
export async function upgrade(database, from, transaction) {
  if (from < 1) {
    database.createObjectStore("sessions", { keyPath: "id" });
    database.createObjectStore("messages", { keyPath: ["session", "id"] });
    database.createObjectStore("memories", { keyPath: "session" });
    database.createObjectStore("texts");
  }
  if (from < 2) {
    for (const name of PARTS) database.createObjectStore(name, { keyPath: ["session", "id"] });
    database.createObjectStore("images", { keyPath: ["session", "id"] }).createIndex("id", "id");
    if (from === 1) await takeMemoriesApart(transaction).catch(() => transaction.abort()); // the old data stays
  }
}

/**
 * Of version 1: a memory was one record, with the text of a page in each turn about it. A damaged one is left as it is; Python
 * says what is wrong with it.
 * @param {Upgrade} transaction
 */
async function takeMemoriesApart(transaction) {
  const sessions = transaction.objectStore("sessions");
  for (let at = await transaction.objectStore("memories").openCursor(); at; at = await at.continue()) {
    const session = await sessions.get(at.value.session);
    if (session?.version !== 1 || !isWhole(at.value.memory)) continue;
    const { memory, parts } = apart(at.value.memory);
    for (const name of PARTS)
      for (const [id, value] of parts[name])
        await transaction.objectStore(name).put(/** @type {any} */ ({ session: session.id, id, value }));
    await at.update({ ...at.value, memory });
    await sessions.put({ ...session, version: 2 });
  }
}

/** @param {any} memory */
function isWhole(memory) {
  const lists = [memory?.turns, memory?.context, memory?.waiting ?? [], memory?.attachments ?? []];
  const isList = (/** @type {unknown} */ list) => Array.isArray(list) && list.every((each) => each instanceof Object);
  return lists.every(isList) && memory.turns.every((/** @type {any} */ turn) => typeof turn.question_id === "string");
}

/**
 * The parts of a memory of version 1. The same for files is in Python: MIGRATIONS of history/records.py.
 * @param {any} memory
 * @returns {{memory: any, parts: Record<PartTable, [string | number, any][]>}}
 */
export function apart({ turns, context, waiting, attachments, ...rest }) {
  /** @type {Map<string, [string, any]>} */
  const pages = new Map();
  /** @param {any} page */
  const nameOf = (page) => {
    const text = JSON.stringify(page);
    if (!pages.has(text)) pages.set(text, [`p${pages.size}`, page]);
    return pages.get(text)?.[0];
  };
  /** @param {any} from a turn or an attachment */
  const named = ({ page, ...each }) => {
    if (!page) return { ...each, page: null };
    const { sections = [], ...text } = page;
    return { ...each, page: nameOf(text), ...("question_id" in each && { sections }) };
  };
  const [apartTurns, ...others] = [turns, waiting ?? [], attachments ?? []].map((list) => list.map(named));
  return {
    memory: {
      ...rest,
      ...{ turns: turns.map((/** @type {any} */ turn) => turn.question_id), context: context.length },
      ...{ waiting: others[0], attachments: others[1] },
    },
    parts: {
      turns: apartTurns.map((/** @type {any} */ turn) => [turn.question_id, turn]),
      contexts: [...context.entries()],
      pages: [...pages.values()],
    },
  };
}
