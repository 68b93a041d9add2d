import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { focusComposer, isPlainEnter } from "./keys.js";

/** @import { Message, Store } from "../types.js" */

/**
 * A user's message being edited: Enter sends it again, Escape leaves it as it was.
 *
 * @param {{message: Message, store: Store}} props
 */
export function EditBox({ message, store }) {
  const [text, setText] = useState(message.text);
  const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => {
    box.current?.focus();
    box.current?.setSelectionRange(message.text.length, message.text.length);
  }, []);

  function cancel() {
    store.dispatch({ type: "edit-cancel" });
    focusComposer();
  }

  function save() {
    if (!text.trim()) return;
    store.send({ type: "edit", id: message.id, text: text.trim() });
    focusComposer();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key === "Escape") cancel();
    else if (isPlainEnter(event)) save();
    else return;
    event.preventDefault();
  }

  return html`<div class="edit">
    <textarea ref=${box} class="edit-text" data-testid="edit-box" aria-label="Edit your message" dir="auto" rows="1"
      aria-describedby="edit-note" value=${text} onKeyDown=${onKeyDown}
      onInput=${(/** @type {Event & {currentTarget: HTMLTextAreaElement}} */ event) => setText(event.currentTarget.value)}></textarea>
    <p class="edit-note" id="edit-note">Everything after this message is replaced.</p>
    <div class="edit-buttons">
      <button type="button" class="button" onClick=${cancel}>Cancel</button>
      <button type="button" class="button primary" data-testid="edit-save" disabled=${!text.trim()} onClick=${save}>Send</button>
    </div>
  </div>`;
}
