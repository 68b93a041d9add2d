/** A collection of documents: how far they are, moving and deleting them, exporting and asking them. */

import { html } from "htm/preact";
import { useId, useState } from "preact/hooks";
import { counted, number } from "../counted.js";
import { LONGEST_NAME } from "../limits.js";
import { useBorrowedFocus } from "./borrowed-focus.js";
import { ClipIcon, DownloadIcon, EditIcon, FolderIcon, TrashIcon } from "./icons.js";
import { focusComposer, isPlainEnter } from "./keys.js";
import { dayOf } from "./when.js";

/** @import { LibraryDocument, Store } from "../types.js" */

/** @typedef {Event & {currentTarget: HTMLInputElement}} InputEvent */

/**
 * Attaches a collection, or all, and goes back to the composer.
 *
 * @param {Event} event
 * @param {string | null} collection
 * @param {Store} store
 */
export function ask(event, collection, store) {
  store.send({ type: "ask-documents", collection });
  // At once, not with the next frame: closing gives the keyboard back to the button that opened the settings.
  if (event.currentTarget instanceof Element) event.currentTarget.closest("dialog")?.close();
  focusComposer();
}

/**
 * @param {object} props
 * @param {string} props.name
 * @param {LibraryDocument[]} props.documents those that are shown
 * @param {number} props.size how many there are; what would change those that are not in sight is offered only if all are
 * @param {string[]} props.names of all collections
 * @param {Store} props.store
 */
export function Collection({ name, documents, size, names, store }) {
  const [renaming, setRenaming] = useState(false);
  const isWhole = documents.length === size;
  const others = names.filter((other) => other !== name);

  /** @param {string} to */
  function rename(to) {
    setRenaming(false);
    store.send({ type: "rename-collection", from: name, to });
  }
  return html`<section class="collection" data-testid="collection" aria-label=${name}>
    <div class="collection-head">
      <h4 class="settings-heading" dir="auto">${name} <span class="collection-size">${isWhole ? number(size) : `${number(documents.length)} of ${number(size)}`}<span class="visually-hidden">
        ${size === 1 ? "document" : "documents"}</span></span></h4>
      <div class="item-buttons">
        <button type="button" class="button" data-testid="ask-collection" title="Ask this collection"
          aria-label=${`Ask this collection: ${name}`} onClick=${(/** @type {Event} */ event) => ask(event, name, store)}>
          <${ClipIcon} />Ask</button>
        ${
          isWhole &&
          html`<button type="button" class="icon-button small" data-testid="collection-rename" title="Rename" aria-expanded=${renaming}
          aria-label=${`Rename ${name}`} onClick=${() => setRenaming(!renaming)}><${EditIcon} /></button>
        <button type="button" class="icon-button small" data-testid="collection-export" title="Export to a file"
          aria-label=${`Export ${name} to a file`}
          onClick=${() => store.send({ type: "export-collection", collection: name })}><${DownloadIcon} /></button>
        <button type="button" class="icon-button small" data-testid="collection-delete" title="Delete with its documents"
          aria-label=${`Delete ${name} with its documents`}
          onClick=${() => store.send({ type: "delete-collection", collection: name })}><${TrashIcon} /></button>`
        }
      </div>
    </div>
    ${
      renaming &&
      isWhole &&
      html`<${NameForm} label="New name of the collection" verb="Rename" value=${name} known=${others} hint="There is one of this name: both become one."
        onSave=${rename} onCancel=${() => setRenaming(false)} />`
    }
    <ul class="items" aria-label=${`Documents in ${name}`}>
      ${documents.map((document) => html`<${DocumentItem} key=${document.id} document=${document} others=${others} store=${store} />`)}
    </ul>
  </section>`;
}

/** @param {{document: LibraryDocument, others: string[], store: Store}} props */
function DocumentItem({ document, others, store }) {
  const [moving, setMoving] = useState(false);
  const { id, name, collection, words, pages, chunks, embedded, added } = document;
  const about = [pages && counted(pages, "page"), counted(words, "word"), dayOf(added)];
  const close = () => setMoving(false);

  /** @param {string} to */
  function move(to) {
    close();
    store.send({ type: "move-document", id, collection: to });
  }
  return html`<li class="item" data-testid="document" data-id=${id}>
    <div class="item-row">
      <div class="item-text"><p class="item-title" dir="auto">${name}</p>
        <p class="item-about">${about.filter(Boolean).join(" · ")}</p></div>
      <button type="button" class="icon-button small" data-testid="document-move" title="Move to another collection"
        aria-label=${`Move ${name} to another collection`} aria-expanded=${moving}
        onClick=${() => setMoving(!moving)}><${FolderIcon} /></button>
      <button type="button" class="icon-button small" data-testid="document-delete" title="Delete" aria-label=${`Delete ${name}`}
        onClick=${() => store.send({ type: "delete-document", id })}><${TrashIcon} /></button>
    </div>
    ${
      embedded < chunks &&
      html`<div class="embedding" data-testid="document-progress">
        <span class="item-about">Embedded ${number(embedded)} of ${number(chunks)}</span>
        <progress value=${embedded} max=${chunks} aria-label=${`Embedding ${name}`} /></div>`
    }
    ${
      moving &&
      html`<${NameForm} label="Collection to move it to" verb="Move" value=${collection} known=${others} hint=""
        onSave=${move} onCancel=${close} />`
    }
  </li>`;
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.verb
 * @param {string} props.value
 * @param {string[]} props.known names to choose from
 * @param {string} props.hint what choosing a known name does
 * @param {(name: string) => void} props.onSave
 * @param {() => void} props.onCancel
 */
function NameForm({ label, verb, value, known, hint, onSave, onCancel }) {
  const [name, setName] = useState(value);
  const list = useId();
  const { box, onKeyDown, finish } = useBorrowedFocus(onCancel, (form) => form.querySelector("input"));
  const wanted = name.trim();
  const valid = wanted !== "" && wanted !== value;
  const save = () => finish(() => onSave(wanted));

  /** @param {KeyboardEvent} event */
  function onEnter(event) {
    if (!isPlainEnter(event)) return;
    event.preventDefault();
    if (valid) save();
  }
  return html`<div class="inline-ask" ref=${box} onKeyDown=${onKeyDown}>
    <label class="label">${label}
      <input class="field" data-testid="name-field" dir="auto" list=${list} value=${name} maxlength=${LONGEST_NAME} autocomplete="off"
        onFocus=${(/** @type {InputEvent} */ event) => event.currentTarget.select()} onKeyDown=${onEnter}
        onInput=${(/** @type {InputEvent} */ event) => setName(event.currentTarget.value)} /></label>
    <datalist id=${list}>${known.map((other) => html`<option key=${other} value=${other} />`)}</datalist>
    ${hint && known.includes(wanted) && html`<p class="item-about" role="status">${hint}</p>`}
    <div class="item-buttons">
      <button type="button" class="button" onClick=${() => finish(onCancel)}>Cancel</button>
      <button type="button" class="button primary" data-testid="name-save" disabled=${!valid} onClick=${save}>${verb}</button>
    </div>
  </div>`;
}
