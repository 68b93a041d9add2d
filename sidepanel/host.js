// What Python may ask the page to do: the chrome.* calls that need a page. Facts only; what they mean is Python's.

import browser from "webextension-polyfill";

/** @returns {(name: string, args: any) => Promise<any>} */
export function createHost() {
  /** @type {Record<string, (args: any) => Promise<any>>} */
  const calls = {
    "page.read": readPage,
    "settings.set": (values) => browser.storage.local.set(values),
  };
  return (name, args) => {
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
 * Reads the current tab: what extract.js returns, or {error: "refused" | "slow" | "failed", detail, url, title}.
 * @param {{seconds: number}} patience
 */
async function readPage({ seconds }) {
  const tab = await currentTab();
  if (tab?.id === undefined) return { error: "no-tab" };
  const about = { url: tab.url ?? "", title: tab.title ?? "" };
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
 * @template T
 * @param {Promise<T>} promise
 * @param {number} seconds
 * @returns {Promise<T | null>} null when the time is over
 */
async function inTime(promise, seconds) {
  /** @type {number | undefined} */
  let timer;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, null);
  });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
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
