/** The panel's entry: shows the view first, so that one can type, then starts Python and the engine. */

import browser from "webextension-polyfill";
import { connect } from "./bridge.js";
import { restoreDraft } from "./draft.js";
import { createStore, initialState } from "./store.js";
import { mount } from "./views/app.js";

const store = createStore({
  send: (command) => bridge.send(command),
  requestPermissions: (needs) => browser.permissions.request(/** @type {browser.Permissions.Permissions} */ (needs)),
  state: initialState(restoreDraft()),
});
mount(/** @type {HTMLElement} */ (document.getElementById("app")), store);
const bridge = connect(store.dispatch);
