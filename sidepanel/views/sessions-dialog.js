/** The kept conversations: searched, opened, renamed, pinned, exported, deleted; and the way to one that is not kept. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { counted } from "../counted.js";
import { LARGEST_SESSION } from "../limits.js";
import { useBorrowedFocus } from "./borrowed-focus.js";
import { SearchIcon, TemporaryIcon, TrashIcon } from "./icons.js";
import { ImportFile } from "./import-file.js";
import { leaveDialog, PanelDialog } from "./panel-dialog.js";
import { SessionsPanel } from "./sessions-panel.js";
import { Undo } from "./undo.js";

/** @import { SessionItem, State, Store } from "../types.js" */

/** How long one must have stopped typing. */
const PAUSE_MS = 150;
const LONGEST_QUERY = 300;
const SEARCH = "session-search";

/** @param {{state: State, store: Store}} props */
export function SessionsDialog({ state, store }) {
  const { isOpen } = state.sessions;
  const close = () => {
    if (store.getState().sessions.isOpen) store.dispatch({ type: "sessions-close" });
  };
  return html`<${PanelDialog} name="sessions" testid="session-list" title="Conversations" isOpen=${isOpen} close=${close}
    first=${SEARCH} rest="sessions-panel" state=${state} store=${store}>
    ${isOpen && html`<${Conversations} state=${state} store=${store} />`}
  <//>`;
}

/** @param {{state: State, store: Store}} props */
function Conversations({ state, store }) {
  const { items, deleted } = state.sessions;
  const [query, setQuery] = useState("");
  const [isConfirming, setConfirming] = useState(false);
  useSearch(query.trim(), store);
  const doomed = query.trim() === "" ? (items ?? []).filter(({ pinned }) => !pinned) : [];

  function beginTemporary() {
    leaveDialog();
    store.send({ type: "new-session", temporary: true });
  }
  return html`<div class="sessions-tools">
      <${SearchBox} query=${query} setQuery=${setQuery} />
      <div class="item-buttons">
        <button type="button" class="button" data-testid="session-temporary" onClick=${beginTemporary}>
          <${TemporaryIcon} />Temporary conversation</button>
        <${ImportFile} label="Import" accept=".json,application/json" testid="session-import" largest=${LARGEST_SESSION}
          what="a conversation" onText=${(/** @type {string} */ text, /** @type {string} */ name) => store.send({ type: "import-session", text, name })} store=${store} />
        <button type="button" class="icon-button sessions-delete-all" data-testid="session-delete-all" title="Delete all but pinned…"
          aria-label="Delete all but pinned…" aria-expanded=${isConfirming} disabled=${doomed.length === 0}
          onClick=${() => setConfirming(!isConfirming)}><${TrashIcon} /></button>
      </div>
      ${
        isConfirming &&
        doomed.length > 0 &&
        html`<${ConfirmDeleteAll} doomed=${doomed} close=${() => setConfirming(false)} store=${store} />`
      }
    </div>
    <${SessionsPanel} state=${state} typed=${query.trim()} store=${store} />
    ${deleted && html`<div class="sessions-undo"><${Undo} undo=${deleted.undo} testid="session-undo" store=${store} /></div>`}`;
}

/**
 * Has Python search as one types, or list all again.
 *
 * @param {string} query
 * @param {Store} store
 */
function useSearch(query, store) {
  const asked = useRef("");
  useEffect(() => {
    if (query === asked.current) return;
    const timer = setTimeout(() => {
      asked.current = query;
      store.send(query ? { type: "search-sessions", query } : { type: "list-sessions" });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query]);
}

/** @param {{query: string, setQuery: (query: string) => void}} props */
function SearchBox({ query, setQuery }) {
  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key === "Escape" && query) {
      setQuery(""); // it leaves the search, not the list
    } else if (event.key === "ArrowDown") {
      /** @type {HTMLElement | null} */ (document.querySelector("#sessions-panel [data-id] button"))?.focus();
    } else return;
    event.preventDefault();
  }
  return html`<div class="search-field" role="search"><${SearchIcon} />
    <input type="search" class="field" id=${SEARCH} data-testid="session-search" dir="auto" value=${query} maxlength=${LONGEST_QUERY}
      placeholder="Search conversations" aria-label="Search conversations" autocomplete="off" onKeyDown=${onKeyDown}
      onInput=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) => setQuery(event.currentTarget.value)} /></div>`;
}

/** @param {{doomed: SessionItem[], close: () => void, store: Store}} props */
function ConfirmDeleteAll({ doomed, close, store }) {
  const { box, onKeyDown, finish } = useBorrowedFocus(close, (form) => form.querySelector("button"));
  function deleteAll() {
    close();
    store.send({ type: "delete-all-sessions" });
  }
  return html`<div class="inline-ask" role="group" aria-labelledby="delete-all-question" ref=${box} onKeyDown=${onKeyDown}>
    <p id="delete-all-question">Delete ${counted(doomed.length, "conversation")}${doomed.some(({ open }) => open) && ", the open one too"}?
      Pinned ones stay.</p>
    <div class="item-buttons">
      <button type="button" class="button" data-testid="session-delete-all-cancel" onClick=${() => finish(close)}>Cancel</button>
      <button type="button" class="button primary" data-testid="session-delete-all-confirm" onClick=${deleteAll}>Delete</button>
    </div>
  </div>`;
}
