/** The documents that Amplifier keeps, by collection: how far they are, moving and deleting them, asking them. */

import { html } from "htm/preact";
import { useId, useState } from "preact/hooks";
import { useBorrowedFocus } from "./borrowed-focus.js";
import { ClipIcon, EditIcon, FolderIcon, TrashIcon } from "./icons.js";
import { focusComposer, isPlainEnter } from "./keys.js";
import { dayOf } from "./when.js";

/** @import { LibraryDocument, Store } from "../types.js" */

/** @typedef {Event & {currentTarget: HTMLInputElement}} InputEvent */

/** @param {import("./settings-dialog.js").SectionProps} props */
export function DocumentsSection({ settings, store }) {
  const { documents = [] } = settings;
  if (documents.length === 0) {
    return html`<p class="settings-empty">No documents yet. Attach a file to a message with the paper clip, or drop it on the
      panel: it is read and kept on this computer, and listed here.</p>`;
  }
  const collections = [...Map.groupBy(documents, ({ collection }) => collection)].sort(([a], [b]) =>
    a.localeCompare(b),
  );
  const names = collections.map(([name]) => name);
  return html`<p class="settings-intro">Read and kept on this computer, so that you can ask them again.</p>
    ${
      collections.length > 1 &&
      html`<div class="item-buttons"><button type="button" class="button" data-testid="ask-all"
        onClick=${(/** @type {Event} */ event) => ask(event, null, store)}><${ClipIcon} />Ask all documents</button></div>`
    }
    ${collections.map(
      ([name, members]) =>
        html`<${Collection} key=${name} name=${name} documents=${members} names=${names} store=${store} />`,
    )}`;
}

/**
 * Attaches a collection, or all, and goes back to the composer.
 *
 * @param {Event} event
 * @param {string | null} collection
 * @param {Store} store
 */
function ask(event, collection, store) {
  store.send({ type: "ask-documents", collection });
  // At once, not with the next frame: closing gives the keyboard back to the button that opened the settings.
  if (event.currentTarget instanceof Element) event.currentTarget.closest("dialog")?.close();
  focusComposer();
}

/** @param {{name: string, documents: LibraryDocument[], names: string[], store: Store}} props */
function Collection({ name, documents, names, store }) {
  const [renaming, setRenaming] = useState(false);
  const others = names.filter((other) => other !== name);

  /** @param {string} to */
  function rename(to) {
    setRenaming(false);
    store.send({ type: "rename-collection", from: name, to });
  }
  return html`<section class="collection" data-testid="collection" aria-label=${name}>
    <div class="collection-head">
      <h3 class="settings-heading" dir="auto">${name} <span class="collection-size">${number(documents.length)}<span class="visually-hidden">
        ${documents.length === 1 ? "document" : "documents"}</span></span></h3>
      <div class="item-buttons">
        <button type="button" class="button" data-testid="ask-collection" aria-label=${`Ask this collection: ${name}`}
          onClick=${(/** @type {Event} */ event) => ask(event, name, store)}><${ClipIcon} />Ask this collection</button>
        <button type="button" class="icon-button small" data-testid="collection-rename" title="Rename" aria-expanded=${renaming}
          aria-label=${`Rename ${name}`} onClick=${() => setRenaming(!renaming)}><${EditIcon} /></button>
      </div>
    </div>
    ${
      renaming &&
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
  const [asking, setAsking] = useState(/** @type {"" | "move" | "delete"} */ (""));
  const { id, name, collection, words, pages, chunks, embedded, added } = document;
  const about = [pages && counted(pages, "page"), counted(words, "word"), dayOf(added)];
  const close = () => setAsking("");

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
        aria-label=${`Move ${name} to another collection`} aria-expanded=${asking === "move"}
        onClick=${() => setAsking(asking === "move" ? "" : "move")}><${FolderIcon} /></button>
      <button type="button" class="icon-button small" data-testid="document-delete" title="Delete" aria-label=${`Delete ${name}`}
        aria-expanded=${asking === "delete"} onClick=${() => setAsking(asking === "delete" ? "" : "delete")}><${TrashIcon} /></button>
    </div>
    ${
      embedded < chunks &&
      html`<div class="embedding" data-testid="document-progress">
        <span class="item-about">Embedded ${number(embedded)} of ${number(chunks)}</span>
        <progress value=${embedded} max=${chunks} aria-label=${`Embedding ${name}`} /></div>`
    }
    ${
      asking === "move" &&
      html`<${NameForm} label="Collection to move it to" verb="Move" value=${collection} known=${others} hint=""
        onSave=${move} onCancel=${close} />`
    }
    ${
      asking === "delete" &&
      html`<${AskDelete} name=${name} onDelete=${() => store.send({ type: "delete-document", id })} onKeep=${close} />`
    }
  </li>`;
}

/**
 * A deleted document is gone with its index, so this asks where elsewhere there would be an undo.
 *
 * @param {{name: string, onDelete: () => void, onKeep: () => void}} props
 */
function AskDelete({ name, onDelete, onKeep }) {
  const { box, onKeyDown, finish } = useBorrowedFocus(onKeep, (ask) => ask.querySelector("button"));
  return html`<div class="inline-ask" role="group" aria-label=${`Delete ${name}?`} ref=${box} onKeyDown=${onKeyDown}>
    <p>Delete it for good? To ask it again, you would have to attach the file anew.</p>
    <div class="item-buttons">
      <button type="button" class="button" data-testid="document-keep" onClick=${() => finish(onKeep)}>Keep</button>
      <button type="button" class="button danger" data-testid="document-delete-sure" aria-label=${`Delete ${name} for good`}
        onClick=${onDelete}>Delete</button>
    </div>
  </div>`;
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
      <input class="field" data-testid="name-field" dir="auto" list=${list} value=${name} maxlength="80" autocomplete="off"
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

const number = (/** @type {number} */ n) => n.toLocaleString("en");
const counted = (/** @type {number} */ n, /** @type {string} */ thing) => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;
