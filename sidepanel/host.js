// What Python may ask the page to do: the chrome.* calls that need a page. Facts only; what they mean is Python's.

import browser from "webextension-polyfill";
import { HIGHLIGHT_CSS, highlight } from "./highlight.js";
import { openTab } from "./open-tab.js";
import { readPdfTab, turnToPage } from "./pdf-tab.js";
import { blobOf } from "./pictures.js";
import { recordings } from "./recordings.js";
import { withTranscripts } from "./transcript.js";

/** @import { Recording } from "./recordings.js" */
/** @import { Needs, OpenTab, Permissions, Tab } from "./types.js" */

/**
 * @param {Record<string, Record<string, (args: any) => Promise<any>>>} [others]  calls that are answered elsewhere
 * @returns {(name: string, args: any) => Promise<any>}
 */
export function createHost(others = {}) {
  /** @type {Record<string, (args: any) => Promise<any>>} */
  const calls = {
    "page.read": readPage,
    "page.show": showPassage,
    "tabs.open": openTab,
    "tabs.list": listTabs,
    "settings.get": ({ names }) => browser.storage.local.get(names),
    "settings.set": (values) => browser.storage.local.set(values),
    "permissions.has": (wanted) => browser.permissions.contains(wanted),
    "permissions.list": grantedPermissions,
    "permissions.remove": removePermissions,
    "file.save": saveFile,
    "clock.now": now,
  };
  for (const more of Object.values(others)) Object.assign(calls, more);
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

const CAPTIONS_SECONDS = 1.5;
const PDF_SECONDS = 240;

/**
 * Reads the current tab, or another one: what extract.js returns, with the transcripts of the page's recordings (`moments` says
 * when what is said), or what pdf-tab.js returns, or {error: "refused" | "slow" | "failed", detail, url, title}; with the tab's
 * id.
 * @param {{seconds: number, tab?: number}} what
 */
async function readPage({ seconds, tab: id }) {
  const tab = id === undefined ? await currentTab() : await tabById(id);
  if (tab?.id === undefined) return { error: "no-tab" };
  const about = { url: tab.url ?? "", title: tab.title ?? "", tab: tab.id };
  const slow = { ...about, error: "slow", detail: `no answer in ${seconds} seconds` };
  try {
    const read = await inTime(readText(tab.id), seconds);
    if (read?.error !== "pdf") return read ? { ...about, ...read } : slow;
    const pdf = await inTime(readPdfTab(tab.id, read.url), PDF_SECONDS);
    return pdf ? { ...about, url: read.url, ...pdf } : slow;
  } catch (error) {
    return { ...about, error: "refused", detail: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * What extract.js reads of a tab, and what is said in it.
 * @param {number} tabId
 * @returns {Promise<any>}
 */
async function readText(tabId) {
  const target = { tabId };
  const [[injection], spoken] = await Promise.all([
    browser.scripting.executeScript({ target, files: ["sidepanel/extract.js"] }),
    browser.scripting.executeScript({ target, func: recordings, args: [CAPTIONS_SECONDS] }).catch(() => []),
  ]);
  const read = injection?.result ?? { error: "failed", detail: "the page returned nothing" };
  return withTranscripts(read, /** @type {Recording[]} */ (spoken[0]?.result ?? []));
}

/**
 * Brings a tab to the front and shows a passage in it: marked, or the page of a PDF, or the moment of a recording.
 * @param {{tab: number, url: string, quote: string, page?: number, media?: number, time?: number}} what  the page it was read from
 * @returns {Promise<{found: boolean} | {error: "gone" | "elsewhere" | "refused", detail: string}>}
 */
async function showPassage({ tab: id, url, quote, page, media, time }) {
  const tab = await browser.tabs.update(id, { active: true }).catch(() => null);
  if (!tab) return { error: "gone", detail: `tab ${id}` };
  // Where the extension may not see the address, it may not look into the page either.
  const isElsewhere = tab.url && tab.url.split("#")[0] !== url.split("#")[0];
  if (isElsewhere) return { error: "elsewhere", detail: tab.url ?? "" };
  const target = { tabId: id };
  try {
    if (page !== undefined) {
      await browser.scripting.executeScript({ target, func: turnToPage, args: [page] });
      return { found: true };
    }
    if (media !== undefined && time !== undefined) {
      const args = /** @type {const} */ ([0, { media, time }]);
      const [moment] = await browser.scripting.executeScript({ target, func: recordings, args: [...args] });
      return { found: Boolean(moment?.result) };
    }
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

/** A picture of what the current tab shows; only where a click of the user's has opened it to the extension. @returns {Promise<File>} */
export async function screenshot() {
  const tab = await currentTab();
  const picture = await browser.tabs.captureVisibleTab(undefined, { format: "png" });
  return new File([blobOf(picture)], `Screenshot of ${tab?.title || "a page"}`, { type: "image/png" });
}

/** The tabs of this window in their order; titles and addresses are empty where the extension may not see them. */
async function listTabs() {
  const tabs = await browser.tabs.query({ currentWindow: true });
  return tabs.map(({ id, title = "", url = "", active }) => ({
    id,
    title,
    url,
    active,
    readable: isPage(url),
  }));
}

/**
 * The tabs that one may mean, of all windows, the last one looked at first; titles and addresses as for listTabs.
 * @returns {Promise<OpenTab[]>}
 */
async function openTabs() {
  const [current, tabs] = await Promise.all([currentTab(), browser.tabs.query({ windowType: "normal" })]);
  const lastFirst = tabs.toSorted((a, b) => (b.lastAccessed ?? 0) - (a.lastAccessed ?? 0));
  return lastFirst.flatMap(({ id, title = "", url = "" }) =>
    id === undefined
      ? []
      : [{ id, title, url, isCurrent: id === current?.id, isPage: !url || /^(https?|file):/.test(url) }],
  );
}

/** Whether an address is one of the web. @param {string} url */
const isPage = (url) => /^https?:/.test(url);

/**
 * Tells which tabs are open, now and whenever that changes.
 * @param {(tabs: OpenTab[]) => void} onTabs
 * @returns {() => void} ends it
 */
export function watchTabs(onTabs) {
  const { onActivated, onCreated, onRemoved, onReplaced, onUpdated } = browser.tabs;
  const events = [onActivated, onCreated, onRemoved, onReplaced, onUpdated, ...permissionEvents()];
  let newest = 0;
  const tell = async () => {
    const mine = ++newest;
    const tabs = await openTabs();
    if (mine === newest) onTabs(tabs);
  };
  for (const event of events) event.addListener(tell);
  tell();
  return () => {
    newest = -1; // what is still being asked for is told to nobody
    for (const event of events) event.removeListener(tell);
  };
}

const permissionEvents = () => [browser.permissions.onAdded, browser.permissions.onRemoved];

/**
 * All that the extension may do, and what of it is optional and can be taken back.
 * @returns {Promise<Permissions>}
 */
export async function grantedPermissions() {
  const { permissions = [], origins = [] } = await browser.permissions.getAll();
  const { permissions: needed = [], host_permissions: neededOrigins = [] } = browser.runtime.getManifest();
  const revocable = {
    permissions: permissions.filter((name) => !needed.includes(name)),
    origins: origins.filter((origin) => !neededOrigins.includes(origin)),
  };
  return { permissions, origins, revocable };
}

/**
 * @param {Needs} unwanted
 * @returns {Promise<boolean>} whether they were granted, and are not any more
 */
export function removePermissions(unwanted) {
  return browser.permissions.remove(/** @type {browser.Permissions.Permissions} */ (unwanted));
}

/**
 * Tells what is granted, now and whenever the user grants something or takes it back, also in Chrome's own settings.
 * @param {(permissions: Permissions, isChange: boolean) => void} onPermissions
 */
export async function watchPermissions(onPermissions) {
  const tell = async () => onPermissions(await grantedPermissions(), true);
  for (const event of permissionEvents()) event.addListener(tell);
  onPermissions(await grantedPermissions(), false);
}

const PROBE_SECONDS = 1; // a click counts for five

/**
 * Whether a tab can be read; asks the user for its site if not, which is only possible within a click.
 * @param {{id: number, url: string}} tab
 */
export async function requestTab({ id, url }) {
  if (!isPage(url)) return canRead(id);
  const { protocol, hostname } = new URL(url);
  const site = { origins: [`${protocol}//${hostname}/*`] };
  return (await browser.permissions.contains(site)) || (await canRead(id)) || browser.permissions.request(site);
}

/**
 * Whether a click of the user's has opened this tab to the extension: only trying tells.
 * @param {number} id
 */
async function canRead(id) {
  const trial = browser.scripting.executeScript({ target: { tabId: id }, func: () => true, injectImmediately: true });
  const tried = await inTime(trial, PROBE_SECONDS).catch(() => null);
  return Boolean(tried?.[0]?.result);
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
 * @param {(wish: {type: "wish", id: string, action: string, text: string, link?: string, url: string, title: string, language: string}) => void} onWish
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
 * @param {(tab: Tab) => void} onTab
 */
export async function watchTab(onTab) {
  let last = "";
  const tell = async () => {
    const tab = await currentTab();
    const seen = tab?.url && tab.id !== undefined ? { id: tab.id, title: tab.title ?? "", url: tab.url } : null;
    if (JSON.stringify(seen) === last) return;
    last = JSON.stringify(seen);
    onTab(seen);
  };
  browser.tabs.onActivated.addListener(tell);
  browser.tabs.onUpdated.addListener(tell);
  browser.storage.session.onChanged.addListener(tell); // the toolbar was pressed: this tab may be read now
  for (const event of permissionEvents()) event.addListener(tell);
  await tell();
}
