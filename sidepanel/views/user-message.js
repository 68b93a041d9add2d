import { html } from "htm/preact";
import { SUMMARIZE_TEXT } from "../summary-line.js";
import { SentAttachments } from "./attachments.js";
import { CopyButton } from "./copy.js";
import { EditBox } from "./edit-box.js";
import { ClockIcon, EditIcon } from "./icons.js";

/** @import { Command, Message } from "../types.js" */

/** @param {import("./message.js").MessageProps} props */
export function UserMessage({ message, store, editing, waiting }) {
  const queued = message.state === "queued";
  // Stop also takes back the questions that waited behind the answer.
  const unsent = message.state === "stopped";
  const announce = (/** @type {string} */ text) => store.dispatch({ type: "announce", text });
  return html`<article class="message user" data-testid="message" data-role="user" data-state=${message.state}
    data-id=${message.id} aria-label="You">
    ${message.attachments && html`<${SentAttachments} attachments=${message.attachments} store=${store} />`}
    ${
      editing
        ? html`<${EditBox} message=${message} store=${store} />`
        : html`${message.text && html`<div class="bubble" data-testid="message-text" dir="auto">${message.text}</div>`}
          ${queued && html`<p class="queued" data-testid="queued"><${ClockIcon} />${waiting}</p>`}
          ${
            unsent &&
            html`<p class="queued">Not sent <button type="button" class="button" data-testid="send-again"
              onClick=${() => store.send(askAgain(message))}>Send</button></p>`
          }
          <div class="actions">
            ${message.text && html`<${CopyButton} text=${() => message.text} announce=${announce} />`}
            <button type="button" class="icon-button small" data-testid="edit" title="Edit and send again"
              aria-label="Edit and send again" onClick=${() => store.dispatch({ type: "edit-start", id: message.id })}>
              <${EditIcon} />
            </button>
          </div>`
    }
  </article>`;
}

/**
 * @param {Message} message
 * @returns {Command}
 */
function askAgain({ id, text }) {
  return text === SUMMARIZE_TEXT ? { type: "summarize", id } : { type: "edit", id, text };
}
