// Opens an address in a tab of its own and waits until it is there.

import browser from "webextension-polyfill";

/**
 * Opens `url` behind the tab in front, or takes the tab that was opened for it before if it is still there.
 * @param {{url: string, seconds: number, before?: number | null}} what  `before`: that tab
 * @returns {Promise<{tab: number, url: string, loaded: boolean} | {error: "gone" | "refused", detail: string}>}  `url` is where it
 *   led to, "" where the extension may not see that
 */
export async function openTab({ url, seconds, before }) {
  if (!/^https?:\/\//.test(url)) return { error: "refused", detail: "only web addresses are opened" };
  const known = before ? await browser.tabs.get(before).catch(() => null) : null;
  const id = (known ?? (await open(url))).id;
  if (id === undefined) return { error: "gone", detail: url };
  const loaded = await isLoaded(id, seconds);
  const tab = await browser.tabs.get(id).catch(() => null);
  return tab ? { tab: id, url: tab.url ?? "", loaded } : { error: "gone", detail: url };
}

/** @param {string} url */
async function open(url) {
  const [front] = await browser.tabs.query({ active: true, currentWindow: true });
  const beside = front?.id === undefined ? {} : { index: front.index + 1, openerTabId: front.id };
  return browser.tabs.create({ url, active: false, ...beside });
}

/**
 * @param {number} id
 * @param {number} seconds how long to wait at most
 * @returns {Promise<boolean>} false too if the tab was closed, as Chrome does with one that becomes a download
 */
async function isLoaded(id, seconds) {
  const { promise, resolve } = Promise.withResolvers();
  const look = async () => {
    const tab = await browser.tabs.get(id).catch(() => null);
    if (!tab) resolve(false);
    else if (tab.status === "complete") resolve(true);
  };
  const onUpdated = (/** @type {number} */ changed) => changed === id && look();
  const onRemoved = (/** @type {number} */ removed) => removed === id && resolve(false);
  browser.tabs.onUpdated.addListener(onUpdated);
  browser.tabs.onRemoved.addListener(onRemoved);
  const timer = setTimeout(resolve, seconds * 1000, false);
  look();
  return promise.finally(() => {
    clearTimeout(timer);
    browser.tabs.onUpdated.removeListener(onUpdated);
    browser.tabs.onRemoved.removeListener(onRemoved);
  });
}
