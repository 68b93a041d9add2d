// How many conversations there were, beside their database: Chrome throws that away when it is damaged, and it opens empty.

import browser from "webextension-polyfill";

const NAME = "kept_sessions"; // in chrome.storage.local
const EVERY_MS = 60_000; // as long as their number stays the same

/** @typedef {{count: number, last: number}} Mark  `last`: milliseconds since the epoch */

/** @type {Mark} what this panel wrote last */
let mark = { count: -1, last: 0 };

/** @param {number} count */
export async function remember(count) {
  const now = Date.now();
  if (count === mark.count && Math.abs(now - mark.last) < EVERY_MS) return;
  mark = { count, last: now };
  await browser.storage.local.set({ [NAME]: mark }).catch(() => {}); // the conversations are what matters
}

/**
 * What there was, if there is nothing any more and nobody deleted it.
 * @param {number} count  what there is
 * @returns {Promise<Mark | null>}
 */
export async function lostSince(count) {
  const { [NAME]: before } = /** @type {Record<string, any>} */ (await browser.storage.local.get(NAME));
  return before?.count > 0 && count === 0 ? before : null;
}
