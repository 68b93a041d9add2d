// Deletes all that the extension keeps. Open panels would write some of it again, and hold databases open; so all panels reload, and
// the first of them deletes, before it starts anything, while the others wait for it.

import browser from "webextension-polyfill";
import { grantedPermissions, removePermissions } from "./host.js";

const ASKED = "deleting"; // in the storage, until all is gone: what a crash cut short is done at the next start
const LOCK = "deleting";
const PATIENCE_MS = 10_000; // for a database that somebody holds open

/** Has everything deleted: this panel reloads. */
export async function askToDelete() {
  await browser.storage.local.set({ [ASKED]: true });
}

/** From now on the panel reloads when everything is to be deleted. */
export function watchDeleting() {
  browser.storage.local.onChanged.addListener((changes) => {
    if (changes[ASKED]?.newValue) location.reload();
  });
}

/**
 * Deletes everything if that was asked for; to be waited for before anything of it is opened.
 * @returns {Promise<string[]>} what could not be deleted
 */
export async function deleteIfAsked() {
  const isAsked = async () => Boolean((await browser.storage.local.get(ASKED))[ASKED]);
  if (!(await isAsked())) return [];
  return navigator.locks.request(LOCK, async () => ((await isAsked()) ? deleteAll() : []));
}

async function deleteAll() {
  const offscreen = await chrome.runtime.getContexts({ contextTypes: ["OFFSCREEN_DOCUMENT"] });
  if (offscreen.length > 0) await chrome.offscreen.closeDocument().catch(() => {});
  const databases = (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
  const steps = [
    ...databases.map((name) => ({ name: `the database “${name}”`, done: deleteDatabase(name) })),
    { name: "the caches", done: deleteCaches() },
    { name: "the files", done: deleteFiles() },
    { name: "what Chrome synchronizes", done: browser.storage.sync.clear() },
    { name: "what Chrome allows", done: withdrawPermissions() },
  ];
  const ends = await Promise.allSettled(steps.map(({ done }) => done));
  localStorage.clear();
  sessionStorage.clear();
  await browser.storage.session.clear();
  await browser.storage.local.clear(); // last, with the mark that all this was asked for
  return steps.flatMap(({ name }, at) => (ends[at]?.status === "rejected" ? [name] : []));
}

/** @param {string} name @returns {Promise<void>} */
function deleteDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
    setTimeout(reject, PATIENCE_MS, new Error(`${name} is in use`));
  });
}

async function deleteCaches() {
  for (const name of await caches.keys()) await caches.delete(name);
}

/** What is in the origin's own file system. */
async function deleteFiles() {
  const root = await navigator.storage.getDirectory();
  const names = [];
  for await (const name of /** @type {any} */ (root).keys()) names.push(name);
  for (const name of names) await root.removeEntry(name, { recursive: true });
}

async function withdrawPermissions() {
  const { revocable } = await grantedPermissions();
  if (revocable.permissions.length || revocable.origins.length) await removePermissions(revocable);
}
