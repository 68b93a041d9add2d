import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { TrashIcon } from "./icons.js";
import { isPlainEnter } from "./keys.js";
import { Undo } from "./undo.js";
import { dayOf } from "./when.js";

/** @import { Store, UserNote } from "../types.js" */

/** @param {import("./settings-dialog.js").SectionProps} props */
export function NotesSection({ settings, state, store }) {
  const { undo } = state;
  return html`<p class="settings-intro">What Amplifier remembers from one session to the next. It stays on this computer.</p>
    <${NewNote} store=${store} />
    <${Undo} undo=${undo?.command.type === "add-note" ? undo : null} testid="note-undo" store=${store} />
    ${
      settings.notes.length === 0
        ? html`<p class="settings-empty">No notes yet. Say “remember that …” in a conversation, or write one here.</p>`
        : html`<ul class="items" aria-label="Notes">
          ${settings.notes.map((note) => html`<${NoteItem} key=${note.id} note=${note} store=${store} />`)}
        </ul>`
    }`;
}

/** @param {{note: UserNote, store: Store}} props */
function NoteItem({ note, store }) {
  const { id, text, created } = note;
  return html`<li class="item item-row" data-testid="note-item" data-id=${id}>
    <div class="item-text"><p class="note-text" dir="auto">${text}</p><p class="item-about">${dayOf(created)}</p></div>
    <button type="button" class="icon-button small" data-testid="note-delete" title="Delete" aria-label=${`Delete: ${text}`}
      onClick=${() => store.send({ type: "delete-note", id })}><${TrashIcon} /></button>
  </li>`;
}

/** @param {{store: Store}} props */
function NewNote({ store }) {
  const [text, setText] = useState("");

  function add() {
    if (!text.trim()) return;
    store.send({ type: "add-note", text: text.trim() });
    setText("");
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (!isPlainEnter(event)) return;
    event.preventDefault();
    add();
  }
  return html`<div class="new-note">
    <textarea class="field" data-testid="note-text" rows="1" dir="auto" aria-label="New note" placeholder="Something to remember"
      value=${text} onKeyDown=${onKeyDown}
      onInput=${(/** @type {Event & {currentTarget: HTMLTextAreaElement}} */ event) => setText(event.currentTarget.value)}></textarea>
    <button type="button" class="button" data-testid="note-add" disabled=${!text.trim()} onClick=${add}>Add</button>
  </div>`;
}
