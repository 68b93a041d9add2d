/** Names of tools for a message that starts with "/". */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { isPlainEnter } from "./keys.js";
import { ToolSymbol } from "./tool-symbol.js";

/** @import { Store, ToolInfo } from "../types.js" */

/**
 * The tools that a draft may mean; those whose name begins so first.
 *
 * @param {string} draft
 * @param {ToolInfo[]} tools
 * @returns {ToolInfo[]}
 */
export function suggestedTools(draft, tools) {
  const word = /^\/([\w-]*)$/.exec(draft)?.[1]?.toLowerCase();
  if (word === undefined) return [];
  const starts = (/** @type {ToolInfo} */ { name }) => name.toLowerCase().startsWith(word);
  const has = (/** @type {ToolInfo} */ { name, title }) => `${name} ${title}`.toLowerCase().includes(word);
  return [...tools.filter(starts), ...tools.filter((tool) => !starts(tool) && has(tool))];
}

/**
 * @param {string} draft
 * @param {ToolInfo[]} tools
 * @param {Store} store
 * @returns {{list: unknown, attributes: object, onKeyDown: (event: KeyboardEvent) => boolean}} what to show over the composer,
 *   what tells screen readers of it, and what takes keys: true when a key was meant for the list
 */
export function useToolSuggestions(draft, tools, store) {
  const [active, setActive] = useState(0);
  const [closed, setClosed] = useState(false);
  useEffect(() => setActive(0), [draft]);
  const asked = draft.startsWith("/");
  useEffect(() => setClosed(false), [asked]);
  const shown = closed ? [] : suggestedTools(draft, tools);
  const open = shown.length > 0;
  useEffect(() => {
    if (open) store.dispatch({ type: "announce", text: `${shown.length} tools. Arrow keys and Enter choose one.` });
  }, [open]);

  /** @param {ToolInfo | undefined} tool */
  function choose(tool) {
    if (tool) store.dispatch({ type: "draft", text: `/${tool.name} ` });
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    // From the store: a key may come before the frame that shows the last letter.
    const now = closed ? [] : suggestedTools(store.getState().draft, tools);
    if (now.length === 0 || event.isComposing) return false;
    const at = Math.min(active, now.length - 1);
    if (event.key === "ArrowDown") setActive((at + 1) % now.length);
    else if (event.key === "ArrowUp") setActive((at - 1 + now.length) % now.length);
    else if (event.key === "Escape") setClosed(true);
    else if (isPlainEnter(event) || (event.key === "Tab" && !event.shiftKey)) choose(now[at]);
    else return false;
    event.preventDefault();
    return true;
  }
  const at = Math.min(active, shown.length - 1);
  const attributes = open && {
    role: "combobox",
    "aria-expanded": true,
    "aria-controls": "tool-suggestions",
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    "aria-activedescendant": `tool-suggestion-${at}`,
  };
  return {
    list: open && html`<${List} tools=${shown} active=${at} choose=${choose} />`,
    attributes: attributes || { role: undefined },
    onKeyDown,
  };
}

/** @param {{tools: ToolInfo[], active: number, choose: (tool: ToolInfo) => void}} props */
function List({ tools, active, choose }) {
  useEffect(() => document.getElementById(`tool-suggestion-${active}`)?.scrollIntoView({ block: "nearest" }), [active]);
  return html`<ul class="suggestions" id="tool-suggestions" role="listbox" aria-label="Tools" data-testid="tool-suggestions">
    ${tools.map(
      (
        tool,
        n,
      ) => html`<li key=${tool.name} class="suggestion" id=${`tool-suggestion-${n}`} role="option" aria-selected=${n === active}
        data-testid="tool-suggestion" data-name=${tool.name} onMouseDown=${(/** @type {Event} */ event) => event.preventDefault()}
        onClick=${() => choose(tool)}>
        <${ToolSymbol} tool=${tool.name} /><span class="suggestion-name">/${tool.name}</span>
        <span class="suggestion-title" dir="auto">${tool.title}</span></li>`,
    )}
  </ul>`;
}
