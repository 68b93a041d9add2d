/**
 * The real views with a made-up Python: `?scene=NAME` shows one state of the panel.
 *
 * `window.gallery` lets a test drive it: `store`, `sent` (commands), `dispatch(event)`, `scenes` (names), `markdown` (the module),
 * `parsing` (the files being read: each {name, onProgress, resolve, reject, signal}), `chrome` ({grants, asked, removed, watching}: what Chrome's own question answers, what it was asked,
 * what was taken back, how many watch the tabs; `tell` hands them the tabs that are open).
 */

import { createAttach } from "../../../sidepanel/attach.js";
import * as markdown from "../../../sidepanel/markdown.js";
import { createStore } from "../../../sidepanel/store.js";
import { mount } from "../../../sidepanel/views/app.js";
import { SCENES } from "./scenes.js";

/** @type {import("../../../sidepanel/types.js").Command[]} */
const sent = [];
/** @type {Set<(tabs: import("../../../sidepanel/types.js").OpenTab[]) => void>} */
const watchers = new Set();
const chrome = {
  grants: true,
  asked: /** @type {object[]} */ ([]),
  removed: /** @type {object[]} */ ([]),
  get watching() {
    return watchers.size;
  },
  tell(/** @type {import("../../../sidepanel/types.js").OpenTab[]} */ tabs) {
    for (const watcher of watchers) watcher(tabs);
  },
};
/** @type {object[]} */
const parsing = [];
const attach = createAttach({
  parseFile(file, { onProgress, signal }) {
    const { promise, resolve, reject } = Promise.withResolvers();
    signal.addEventListener("abort", () => reject(signal.reason));
    parsing.push({ name: file.name, onProgress, resolve, reject, signal });
    return promise;
  },
  dispatch: (event) => store.dispatch(event),
  send: (command) => sent.push(command),
});
const store = createStore({
  send(command) {
    if (command.type === "detach") attach.cancel(command.id);
    sent.push(command);
  },
  attach: attach.add,
  requestPermissions: async (needs) => {
    chrome.asked.push(needs);
    return chrome.grants;
  },
  removePermissions: async (needs) => {
    chrome.removed.push(needs);
    return chrome.grants;
  },
  requestTab: async ({ id }) => {
    chrome.asked.push({ tab: id });
    return chrome.grants;
  },
  watchTabs(onTabs) {
    watchers.add(onTabs);
    return () => watchers.delete(onTabs);
  },
});
mount(/** @type {HTMLElement} */ (document.getElementById("app")), store);
const scene = SCENES[new URLSearchParams(location.search).get("scene") ?? ""] ?? [];
for (const event of scene) {
  if (event.type === "sent") store.send(event.command);
  else store.dispatch(event);
}
Object.assign(window, {
  gallery: { store, sent, parsing, dispatch: store.dispatch, chrome, markdown, scenes: Object.keys(SCENES) },
});
