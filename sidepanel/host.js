// What Python may ask the page to do: the chrome.* calls that need a page. Facts only; what they mean is Python's.

import browser from "webextension-polyfill";
import { HIGHLIGHT_CSS, highlight } from "./highlight.js";

/**
 * @param {{sandboxes?: Record<string, (args: any) => Promise<any>>}} [others]  calls that are answered elsewhere
 * @returns {(name: string, args: any) => Promise<any>}
 */
export function createHost({ sandboxes = {} } = {}) {
  /** @type {Record<string, (args: any) => Promise<any>>} */
  const calls = {
    "page.read": readPage,
    "page.show": showPassage,
    "tabs.list": listTabs,
    "settings.get": ({ names }) => browser.storage.local.get(names),
    "settings.set": (values) => browser.storage.local.set(values),
    "permissions.has": (wanted) => browser.permissions.contains(wanted),
    "file.save": saveFile,
    "clock.now": now,
    ...sandboxes,
  };
  return async (name, args) => {
    const call = calls[name];
    if (!call) throw new Error(`the panel has no call "${name}"`);
    return call(args);
  };
}

async function currentTab() {
  const [tab] = await browser.tabs.query({ active: true, currentWindow: true });
  return tab;
}

/**
 * Reads the current tab, or another one: what extract.js returns, or {error: "refused" | "slow" | "failed", detail, url,
 * title}; with the tab's id.
 * @param {{seconds: number, tab?: number}} what
 */
async function readPage({ seconds, tab: id }) {
  const tab = id === undefined ? await currentTab() : await tabById(id);
  if (tab?.id === undefined) return { error: "no-tab" };
  const about = { url: tab.url ?? "", title: tab.title ?? "", tab: tab.id };
  const reading = browser.scripting.executeScript({ target: { tabId: tab.id }, files: ["sidepanel/extract.js"] });
  try {
    const injections = await inTime(reading, seconds);
    if (!injections) return { ...about, error: "slow", detail: `no answer in ${seconds} seconds` };
    return { ...about, ...(injections[0]?.result ?? { error: "failed", detail: "the page returned nothing" }) };
  } catch (error) {
    return { ...about, error: "refused", detail: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Brings a tab to the front and marks a passage in it.
 * @param {{tab: number, url: string, quote: string}} what  the page it was read from
 * @returns {Promise<{found: boolean} | {error: "gone" | "elsewhere" | "refused", detail: string}>}
 */
async function showPassage({ tab: id, url, quote }) {
  const tab = await browser.tabs.update(id, { active: true }).catch(() => null);
  if (!tab) return { error: "gone", detail: `tab ${id}` };
  // Where the extension may not see the address, it may not look into the page either.
  const isElsewhere = tab.url && tab.url.split("#")[0] !== url.split("#")[0];
  if (isElsewhere) return { error: "elsewhere", detail: tab.url ?? "" };
  const target = { tabId: id };
  try {
    await browser.scripting.insertCSS({ target, css: HIGHLIGHT_CSS });
    const [injection] = await browser.scripting.executeScript({ target, func: highlight, args: [quote] });
    return { found: Boolean(injection?.result) };
  } catch (error) {
    return { error: "refused", detail: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * A tab that is gone has nothing but its id; reading it tells so in Chrome's words.
 * @param {number} id
 * @returns {Promise<{id?: number, url?: string, title?: string}>}
 */
async function tabById(id) {
  return browser.tabs.get(id).catch(() => ({ id }));
}

/** The tabs of this window in their order; titles and addresses are empty where the extension may not see them. */
async function listTabs() {
  const tabs = await browser.tabs.query({ currentWindow: true });
  return tabs.map(({ id, title = "", url = "", active }) => ({
    id,
    title,
    url,
    active,
    readable: /^https?:/.test(url),
  }));
}

/**
 * Lets the user download a text.
 * @param {{name: string, text: string, mime: string}} file
 */
async function saveFile({ name, text, mime }) {
  const address = URL.createObjectURL(new Blob([text], { type: mime }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the download has read it by then
}

/**
 * The local time, as {iso, zone}, in the first of the zones that the browser knows, or where the user is; {error:
 * "unknown-zone"} if it knows none of them.
 * @param {{zones?: string[]}} where
 */
async function now({ zones = [] }) {
  const known = zones.length ? zones.flatMap(formatOf)[0] : formatOf(undefined)[0];
  if (!known) return { error: "unknown-zone" };
  const { year, month, day, hour, minute, second, timeZoneName } = Object.fromEntries(
    known.formatToParts(new Date()).map(({ type, value }) => [type, value]),
  );
  const offset = timeZoneName.replace("GMT", "") || "+00:00";
  return {
    iso: `${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`,
    zone: known.resolvedOptions().timeZone,
  };
}

/**
 * @param {string | undefined} timeZone
 * @returns {Intl.DateTimeFormat[]} one, or none if the browser knows no such zone
 */
function formatOf(timeZone) {
  const digits = "2-digit";
  try {
    return [
      new Intl.DateTimeFormat("en-US", {
        timeZone,
        year: "numeric",
        month: digits,
        day: digits,
        hour: digits,
        minute: digits,
        second: digits,
        hourCycle: "h23",
        timeZoneName: "longOffset",
      }),
    ];
  } catch {
    return [];
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} seconds
 * @returns {Promise<T | null>} null when the time is over
 */
async function inTime(promise, seconds) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, null);
  });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}

const WISH_MINUTES = 1; // an older wish is one that a panel should have taken and nobody waits for any more

/**
 * Takes what the user wished from a context menu or by a key, also before this panel was open.
 * @param {(wish: {type: "wish", id: string, action: string, text: string, url: string, title: string, language: string}) => void} onWish
 */
export async function watchWishes(onWish) {
  const { id } = await browser.windows.getCurrent();
  const name = `wish-${id}`;
  const language = new Intl.DisplayNames(["en"], { type: "language" }).of(navigator.language.split("-")[0] ?? "en");
  const take = async () => {
    const { [name]: wish } = /** @type {Record<string, any>} */ (await browser.storage.session.get(name));
    if (!wish) return;
    await browser.storage.session.remove(name);
    if (Date.now() - wish.at < WISH_MINUTES * 60_000)
      onWish({ ...wish, type: "wish", language: language ?? "English" });
  };
  browser.storage.session.onChanged.addListener((changes) => {
    if (changes[name]?.newValue) take();
  });
  await take();
}

/**
 * Tells which page the panel stands beside; null where the extension may not see it.
 * @param {(tab: {title: string, url: string}|null) => void} onTab
 */
export async function watchTab(onTab) {
  let last = "";
  const tell = async () => {
    const tab = await currentTab();
    const seen = tab?.url ? { title: tab.title ?? "", url: tab.url } : null;
    if (JSON.stringify(seen) === last) return;
    last = JSON.stringify(seen);
    onTab(seen);
  };
  browser.tabs.onActivated.addListener(tell);
  browser.tabs.onUpdated.addListener(tell);
  browser.storage.session.onChanged.addListener(tell); // the toolbar was pressed: this tab may be read now
  await tell();
}
