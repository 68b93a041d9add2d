// Only the user's gestures, and the browser's start. This worker may die at any moment and nothing may notice, so it keeps no state
// and no port.

import "./network-guard.js";
import { resumeDownloads } from "./models/resume.js";

chrome.sidePanel.setPanelBehavior({ openPanelOnActionClick: false });

const WEB = ["http://*/*", "https://*/*"];

/** What the context menu offers; the ids are `action` of a wish (python/amplifier_browser/wishes.py). */
const MENUS = [
  { id: "summarize-link", contexts: ["link"], title: "Summarize the page behind this link", targetUrlPatterns: WEB },
  { id: "summarize-page", contexts: ["page"], title: "Summarize this page" },
  { id: "summarize", contexts: ["selection"], title: "Summarize “%s”" },
  { id: "explain", contexts: ["selection"], title: "Explain it in simple words" },
  { id: "translate", contexts: ["selection"], title: "Translate it into my language" },
  { id: "rewrite", contexts: ["selection"], title: "Rewrite it in plain words" },
  { id: "ask", contexts: ["selection"], title: "Ask about it" },
];

chrome.runtime.onInstalled.addListener(async () => {
  await chrome.contextMenus.removeAll();
  for (const menu of MENUS)
    chrome.contextMenus.create(/** @type {chrome.contextMenus.CreateProperties} */ ({ ...menu }));
});

// Neither waits for a panel: a download goes on when the browser starts, and when the extension was replaced by a newer one.
chrome.runtime.onStartup.addListener(resumeDownloads);
chrome.runtime.onInstalled.addListener(resumeDownloads);

chrome.action.onClicked.addListener((tab) => openPanel(tab));

chrome.contextMenus.onClicked.addListener(({ menuItemId, selectionText = "", linkUrl = "" }, tab) => {
  if (tab) openPanel(tab, { action: String(menuItemId), text: selectionText, link: linkUrl });
});

chrome.commands.onCommand.addListener((command, tab) => {
  if (command === "summarize-page" && tab) openPanel(tab, { action: command, text: "" });
});

/**
 * @param {chrome.tabs.Tab} tab
 * @param {{action: string, text: string, link?: string}} [wish]  what the panel should do there
 */
function openPanel(tab, wish) {
  const { id: tabId, windowId } = tab;
  // Before any await: only inside the gesture may the panel open, and only a gesture grants activeTab for the tab.
  chrome.sidePanel.open({ windowId });
  // An open panel learns from this that it may now read the tab, and a new one finds the wish.
  const about = { url: tab.url ?? "", title: tab.title ?? "" };
  chrome.storage.session.set({
    granted: { tabId, windowId, at: Date.now() },
    ...(wish ? { [`wish-${windowId}`]: { ...wish, ...about, id: crypto.randomUUID(), at: Date.now() } } : {}),
  });
}
