import { html } from "htm/preact";
import { useRef, useState } from "preact/hooks";
import { counted } from "../counted.js";
import { LONGEST_NAME } from "../limits.js";
import { whenOf } from "../session-groups.js";
import { MoreIcon } from "./icons.js";
import { isPlainEnter } from "./keys.js";
import { Marked } from "./marked.js";
import { memo } from "./memo.js";
import { leaveDialog } from "./panel-dialog.js";
import { SessionMenu } from "./session-menu.js";

/** @import { SessionItem, Store } from "../types.js" */

/** @typedef {{id: string, what: "menu" | "name"}} Active what of an item is open: one at a time in the whole list */

/**
 * @typedef {object} SessionProps
 * @property {SessionItem} item
 * @property {string} query whose words are marked
 * @property {Active["what"] | null} active
 * @property {(active: Active | null) => void} setActive
 * @property {Store} store
 */

/** One conversation of the list; renders again only when it changed. */
export const SessionView = memo((/** @type {SessionProps} */ { item, query, active, setActive, store }) => {
  const { id, title, updated, messages, open, snippet } = item;
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));

  function openSession() {
    leaveDialog();
    if (!open) store.send({ type: "open-session", id });
  }
  function closeMenu() {
    button.current?.focus();
    setActive(null);
  }
  const about = `${whenOf(updated, new Date())} · ${counted(messages, "message")}`;
  return html`<li class="session" data-testid="session-item" data-id=${id} data-open=${open}>
    ${
      active === "name"
        ? html`<${NameField} item=${item} close=${() => setActive(null)} store=${store} />`
        : html`<button type="button" class="session-open" data-testid="session-open" aria-current=${open ? "true" : undefined} onClick=${openSession}>
          <span class="session-head"><span class="session-name" dir="auto"><${Marked} text=${title} query=${query} /></span>
            ${open && html`<span class="kind session-now">Open</span>`}</span>
          <span class="session-about">${about}</span>
          ${snippet && html`<span class="session-snippet" dir="auto"><${Marked} text=${snippet} query=${query} /></span>`}
        </button>`
    }
    <button type="button" class="icon-button small session-more" data-testid="session-menu" ref=${button} title="More"
      aria-label=${`More: ${title}`} aria-haspopup="menu" aria-expanded=${active === "menu"}
      onClick=${() => (active === "menu" ? closeMenu() : setActive({ id, what: "menu" }))}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "ArrowDown" || !event.altKey) return;
        event.preventDefault();
        setActive({ id, what: "menu" });
      }}><${MoreIcon} /></button>
    ${
      active === "menu" &&
      html`<${SessionMenu} item=${item} opener=${button} close=${closeMenu} lost=${() => setActive(null)}
        rename=${() => setActive({ id, what: "name" })} store=${store} />`
    }
  </li>`;
});

/** @param {{item: SessionItem, close: () => void, store: Store}} props */
function NameField({ item, close, store }) {
  const [name, setName] = useState(item.title);
  const isOver = useRef(false); // the field loses the keyboard once more when it goes

  /** @param {boolean} isMeant */
  function finish(isMeant) {
    if (isOver.current) return;
    isOver.current = true;
    const title = name.trim();
    if (isMeant && title && title !== item.title) store.send({ type: "rename-session", id: item.id, title });
    close();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== "Escape" && !isPlainEnter(event)) return;
    event.preventDefault();
    finish(event.key !== "Escape");
  }
  return html`<input class="field session-field" data-testid="session-name" dir="auto" aria-label="Name of the conversation" value=${name}
    maxlength=${LONGEST_NAME} autocomplete="off" onKeyDown=${onKeyDown} onBlur=${() => finish(true)}
    ref=${(/** @type {HTMLInputElement | null} */ field) => field && !field.dataset.begun && begin(field)}
    onInput=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) => setName(event.currentTarget.value)} />`;
}

/** @param {HTMLInputElement} field */
function begin(field) {
  field.dataset.begun = "true";
  field.focus();
  field.select();
}
