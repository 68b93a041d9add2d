// Finds words in kept conversations. Their texts are read once and kept for a while: a search is made of many, one each few letters.

/** @import { DBSchema, IDBPDatabase } from "idb" */
/** @import { SessionRecord, Tables } from "./sessions-schema.js" */

const KEPT_MS = 60_000; // after the last search
const AFTER_THE_LIST_MS = 300; // it is shown first
const SNIPPET = 60; // characters on either side of what was found

/** @param {() => Promise<IDBPDatabase<DBSchema & Tables>>} database */
export function createSearch(database) {
  /** @type {Map<string, {updated: unknown, text: string, lower: string}>} */
  const texts = new Map();
  /** @type {Promise<SessionRecord[]>} */
  let reading = Promise.resolve([]);
  let timer = 0;

  /** Reads what has changed since; by another panel, too. @returns {Promise<SessionRecord[]>} */
  async function read() {
    const transaction = (await database()).transaction(["sessions", "texts"]);
    const sessions = await transaction.objectStore("sessions").getAll();
    const known = new Set(sessions.map(({ id }) => id));
    for (const id of texts.keys()) if (!known.has(id)) texts.delete(id);
    const changed = sessions.filter(({ id, updated }) => !texts.has(id) || texts.get(id)?.updated !== updated);
    const fresh = await Promise.all(changed.map(({ id }) => transaction.objectStore("texts").get(id)));
    changed.forEach(({ id, updated }, at) => {
      const text = fresh[at] ?? "";
      texts.set(id, { updated, text, lower: text.toLowerCase() });
    });
    return sessions;
  }

  /** One after the other, so that what two want is read once. */
  function upToDate() {
    clearTimeout(timer);
    timer = self.setTimeout(() => texts.clear(), KEPT_MS);
    reading = reading.catch(() => null).then(read);
    return reading;
  }

  return {
    /** Somebody looks at the list, and may search in it. */
    async expect() {
      setTimeout(() => upToDate().catch(() => {}), AFTER_THE_LIST_MS);
      return null;
    },

    /**
     * The sessions that hold all of some words, in lower case, in their texts or titles.
     * @param {{words: string[]}} what
     * @returns {Promise<{session: SessionRecord, snippet: string}[]>}
     */
    async search({ words }) {
      const sessions = await upToDate();
      return sessions.flatMap((session) => {
        const { text, lower } = texts.get(session.id) ?? { text: "", lower: "" };
        const title = String(session.title).toLowerCase();
        if (!words.every((word) => lower.includes(word) || title.includes(word))) return [];
        const first = words.find((word) => lower.includes(word)) ?? "";
        return { session, snippet: snippetOf(text, lower.indexOf(first), first.length) };
      });
    },
  };
}

/** @param {string} text @param {number} at @param {number} length */
function snippetOf(text, at, length) {
  const start = Math.max(0, at - SNIPPET);
  const end = Math.min(text.length, at + length + SNIPPET);
  const words = text.slice(start, end).replace(/\s+/g, " ").trim();
  return `${start > 0 ? "…" : ""}${words}${end < text.length ? "…" : ""}`;
}
