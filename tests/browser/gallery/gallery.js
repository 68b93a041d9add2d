/**
 * The real views with a made-up Python: `?scene=NAME` shows one state of the panel.
 *
 * `window.gallery` lets a test drive it: `store`, `sent` (commands), `dispatch(event)`, `scenes` (names), `markdown` (the module),
 * `chrome` ({grants, asked}: what Chrome's own question answers, and what it was asked).
 */

import * as markdown from "../../../sidepanel/markdown.js";
import { createStore } from "../../../sidepanel/store.js";
import { mount } from "../../../sidepanel/views/app.js";
import { SCENES } from "./scenes.js";

/** @type {import("../../../sidepanel/types.js").Command[]} */
const sent = [];
/** @type {{grants: boolean, asked: object[]}} */
const chrome = { grants: true, asked: [] };
const store = createStore({
  send: (command) => sent.push(command),
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
  gallery: { store, sent, dispatch: store.dispatch, chrome, markdown, scenes: Object.keys(SCENES) },
});
