// What Python may ask the page for settings: values that Chrome synchronizes, and deleting everything.

import browser from "webextension-polyfill";
import { askToDelete } from "./delete-everything.js";

const LOCAL = "preferences";
const SYNCED = "preferences.";

/** @type {Record<string, (args: any) => Promise<any>>} */
export const SETTINGS_CALLS = {
  "synced.get": ({ names }) => browser.storage.sync.get(names),
  "synced.set": (values) => browser.storage.sync.set(values),
  "synced.remove": ({ names }) => browser.storage.sync.remove(names),
  "data.delete-everything": askToDelete,
};

/**
 * Tells when preferences have changed, here, in another window or on another computer.
 * @param {(message: {type: "preferences-changed"}) => void} toPython
 */
export function watchPreferences(toPython) {
  browser.storage.onChanged.addListener((changes, area) => {
    const isMeant = (/** @type {string} */ name) =>
      (area === "local" && name === LOCAL) || (area === "sync" && name.startsWith(SYNCED));
    if (Object.keys(changes).some(isMeant)) toPython({ type: "preferences-changed" });
  });
}
