/** A list over the composer to choose from while one types: its keys, what screen readers are told, and the list itself. */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { isPlainEnter } from "./keys.js";

/** @import { Store } from "../types.js" */

/**
 * @typedef {object} Suggestion
 * @property {string} key
 * @property {boolean} [isShy] only chosen by who goes to it: Enter alone does not mean it
 */

/**
 * @template {Suggestion} T
 * @typedef {object} Group
 * @property {string} label "" for none
 * @property {T[]} options
 */

/**
 * @template {Suggestion} T
 * @typedef {object} Suggesting
 * @property {string} id of the list
 * @property {string} testid of the list
 * @property {string} label of the list
 * @property {string} called what its options are, in the plural
 * @property {string | null} occasion tells one use of the list from the next; null while there is none
 * @property {string} query what was typed for it
 * @property {Group<T>[]} groups
 * @property {string} [empty] what is said when there are none
 * @property {() => T[]} latest the options by what is typed now: a key may come before the frame that shows the last letter
 * @property {(option: T) => void} choose
 * @property {(option: T) => {testid: string, name: string, view: unknown}} draw
 * @property {Store} store
 */

/**
 * @template {Suggestion} T
 * @param {Suggesting<T>} suggesting
 * @returns {{isOpen: boolean, list: unknown, attributes: object, onKeyDown: (event: KeyboardEvent) => boolean}} what to show
 *   over the composer, what tells screen readers of it, and what takes keys: true when a key was meant for the list
 */
export function useSuggestions({ occasion, query, groups, latest, choose, called, empty = "", store, ...look }) {
  const [active, setActive] = useState(/** @type {string | null} */ (null)); // key: options may come and go
  const [closed, setClosed] = useState(false);
  useEffect(() => setActive(null), [query]);
  useEffect(() => setClosed(false), [occasion]);
  const isOpen = occasion !== null && !closed;
  const options = isOpen ? groups.flatMap((group) => group.options) : [];
  const count = options.length;
  const at = indexOf(options, active);
  useEffect(() => {
    if (count > 0) store.dispatch({ type: "announce", text: `${count} ${called}. Arrow keys and Enter choose one.` });
  }, [count > 0]);

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const now = closed ? [] : latest();
    if (event.isComposing) return false;
    if (event.key === "Escape" && isOpen && (now.length > 0 || empty)) setClosed(true);
    else if (now.length === 0) return false;
    else {
      const from = indexOf(now, active);
      const chosen = now[from];
      if (event.key === "ArrowDown") setActive(now[(from + 1) % now.length]?.key ?? null);
      else if (event.key === "ArrowUp") setActive(now.at(from > 0 ? from - 1 : -1)?.key ?? null);
      else if (chosen && (isPlainEnter(event) || (event.key === "Tab" && !event.shiftKey))) choose(chosen);
      else return false;
    }
    event.preventDefault();
    return true;
  }
  const attributes = count > 0 && {
    role: "combobox",
    "aria-expanded": true,
    "aria-controls": look.id,
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    "aria-activedescendant": at < 0 ? undefined : `${look.id}-${at}`,
  };
  return {
    isOpen,
    list:
      count > 0
        ? html`<${List} groups=${groups} at=${at} choose=${choose} ...${look} />`
        : isOpen &&
          empty &&
          html`<p class="suggestions suggestions-empty" data-testid=${look.testid} role="status">${empty}</p>`,
    attributes: attributes || { role: undefined },
    onKeyDown,
  };
}

/**
 * @param {Suggestion[]} options
 * @param {string | null} active
 */
function indexOf(options, active) {
  const index = options.findIndex(({ key }) => key === active);
  return index >= 0 ? index : options.findIndex(({ isShy }) => !isShy);
}

/**
 * @template {Suggestion} T
 * @param {Pick<Suggesting<T>, "id" | "testid" | "label" | "groups" | "choose" | "draw"> & {at: number}} props
 */
function List({ id, testid, label, groups, at, choose, draw }) {
  useEffect(() => document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: "nearest" }), [at]);
  let n = 0;

  /** @param {T} option */
  function item(option) {
    const { testid, name, view } = draw(option);
    const index = n++;
    return html`<div key=${option.key} class="suggestion" id=${`${id}-${index}`} role="option" aria-selected=${index === at}
      data-testid=${testid} data-name=${name} onMouseDown=${(/** @type {Event} */ event) => event.preventDefault()}
      onClick=${() => choose(option)}>${view}</div>`;
  }
  return html`<div class="suggestions" id=${id} role="listbox" aria-label=${label} data-testid=${testid}>
    ${groups.map(({ label, options }) =>
      label && options.length > 0
        ? html`<div key=${label} role="group" aria-label=${label}>
            <div class="suggestion-group" aria-hidden="true">${label}</div>${options.map(item)}</div>`
        : options.map(item),
    )}
  </div>`;
}
