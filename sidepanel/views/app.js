import { html } from "htm/preact";
import { render } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { showTheme } from "../theme.js";
import { Announcer } from "./announcer.js";
import { DropZone } from "./attachments.js";
import { Composer } from "./composer.js";
import { Header } from "./header.js";
import { Notices } from "./notices.js";
import { SessionsDialog } from "./sessions-dialog.js";
import { SettingsDialog } from "./settings-dialog.js";
import { isWelcome, Transcript } from "./transcript.js";

/** @import { State, Store } from "../types.js" */

/**
 * @param {Store} store
 * @returns {State}
 */
function useStore(store) {
  const [state, setState] = useState(store.getState());
  useEffect(() => {
    const update = () => setState(store.getState());
    update();
    return store.subscribe(update);
  }, [store]);
  return state;
}

/** @type {import("../types.js").ToolInfo[]} */
const NO_TOOLS = [];
/** @type {import("../types.js").LibraryDocument[]} */
const NO_DOCUMENTS = [];

/** @param {{store: Store}} props */
function App({ store }) {
  const state = useStore(store);
  const { python, engine, messages, busy, tab, draft, attachments, notices, announcement, settings, settingsOpen } =
    state;
  useBodyState(python.state, busy);
  useEscape(store);
  useTheme(settings?.preferences?.theme);
  // The dialogs first: when one closes, a question of the transcript takes the keyboard after it has given it back.
  return html`
    <${SettingsDialog} state=${state} store=${store} />
    <${SessionsDialog} state=${state} store=${store} />
    <${Header} engine=${engine} python=${python} session=${state.session} empty=${messages.length === 0} store=${store} />
    <${Transcript} state=${state} store=${store} />
    <${Notices} notices=${settingsOpen || state.sessions.isOpen ? [] : notices} store=${store} />
    <${Composer} draft=${draft} attachments=${attachments} busy=${busy} failed=${python.state === "failed"} blind=${engine.blind} tab=${tab} offerSummary=${!isWelcome(state)}
      preferences=${settings?.preferences}
      tools=${settings?.tools ?? NO_TOOLS} documents=${settings?.documents ?? NO_DOCUMENTS} tabs=${state.tabs} permissions=${state.permissions}
      explaining=${state.explaining} store=${store} />
    <${DropZone} store=${store} />
    <${Announcer} announcement=${announcement} />`;
}

/**
 * @param {string} python
 * @param {boolean} busy
 */
function useBodyState(python, busy) {
  useEffect(() => {
    document.body.dataset.python = python;
    document.body.dataset.busy = String(busy);
  }, [python, busy]);
}

/** @param {import("../types.js").Theme | undefined} theme  undefined until Python has told */
function useTheme(theme) {
  useLayoutEffect(() => {
    if (theme) showTheme(theme);
  }, [theme]);
}

/**
 * Escape stops, wherever the focus is, unless something nearer took the key.
 *
 * @param {Store} store
 */
function useEscape(store) {
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    function onKeyDown(event) {
      if (event.key === "Escape" && !event.defaultPrevented && store.getState().busy) store.send({ type: "stop" });
    }
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [store]);
}

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  render(html`<${App} store=${store} />`, root);
}
