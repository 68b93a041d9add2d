/** The panel's entry: starts Python and the engine, and shows the view, in which one can type before they are up. */

import browser from "webextension-polyfill";
import { createAttach } from "./attach.js";
import { connect } from "./bridge.js";
import { deleteIfAsked, watchDeleting } from "./delete-everything.js";
import { parseFile } from "./documents/files.js";
import { restoreDraft } from "./draft.js";
import { removePermissions, requestTab, screenshot, watchTabs } from "./host.js";
import { readImage } from "./sessions-store.js";
import { createStore, initialState } from "./store.js";
import { mount } from "./views/app.js";

watchDeleting();
const notDeleted = await deleteIfAsked();

const attach = createAttach({
  parseFile,
  dispatch: (event) => store.dispatch(event),
  send: (command) => bridge.send(command),
});
const store = createStore({
  send(command) {
    if (command.type === "detach") attach.cancel(command.id);
    bridge.send(command);
  },
  attach: attach.add,
  screenshot,
  image: readImage,
  requestPermissions: (needs) => browser.permissions.request(/** @type {browser.Permissions.Permissions} */ (needs)),
  removePermissions,
  requestTab,
  watchTabs,
  state: initialState(restoreDraft()),
});
const bridge = connect(store.dispatch); // its Workers start beside what is drawn now
mount(/** @type {HTMLElement} */ (document.getElementById("app")), store);
if (notDeleted.length > 0) {
  const text = `Not everything could be deleted: ${notDeleted.join(", ")}. Close all panels and try once more.`;
  store.dispatch({ type: "notice", level: "error", text });
}
