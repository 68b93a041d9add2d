/**
 * The real views with a made-up Python: `?scene=NAME` shows one state of the panel.
 *
 * `window.gallery` lets a test drive it: `store`, `sent` (commands), `dispatch(event)`, `scenes` (names), `markdown` (the module).
 */

import * as markdown from "../../../sidepanel/markdown.js";
import { createStore } from "../../../sidepanel/store.js";
import { mount } from "../../../sidepanel/views/app.js";
import { SCENES } from "./scenes.js";

/** @type {import("../../../sidepanel/types.js").Command[]} */
const sent = [];
const store = createStore({ send: (command) => sent.push(command) });
mount(/** @type {HTMLElement} */ (document.getElementById("app")), store);
const scene = SCENES[new URLSearchParams(location.search).get("scene") ?? ""] ?? [];
for (const event of scene) {
  if (event.type === "sent") store.send(event.command);
  else store.dispatch(event);
}
Object.assign(window, { gallery: { store, sent, dispatch: store.dispatch, markdown, scenes: Object.keys(SCENES) } });
