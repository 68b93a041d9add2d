/**
 * The real views with a made-up Python: `?scene=NAME` shows one state of the panel.
 *
 * `window.gallery` lets a test drive it: `store`, `sent` (commands), `dispatch(event)`, `scenes` (names), `markdown` (the module),
 * `parsing` (the files being read: each {name, onProgress, resolve, reject, signal}), `chrome` ({grants, asked}: what Chrome's own question answers, and what it was asked).
 */

import { createAttach } from "../../../sidepanel/attach.js";
import * as markdown from "../../../sidepanel/markdown.js";
import { createStore } from "../../../sidepanel/store.js";
import { mount } from "../../../sidepanel/views/app.js";
import { SCENES } from "./scenes.js";

/** @type {import("../../../sidepanel/types.js").Command[]} */
const sent = [];
/** @type {{grants: boolean, asked: object[]}} */
const chrome = { grants: true, asked: [] };
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
