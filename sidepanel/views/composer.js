import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { AttachButton, Tray } from "./attachments.js";
import { SendIcon, StopIcon } from "./icons.js";
import { focusComposer, isPlainEnter } from "./keys.js";
import { memo } from "./memo.js";
import { SummarizeButton } from "./summarize-button.js";
import { useToolSuggestions } from "./tool-suggestions.js";

/** @import { Attachment, Store, Tab, ToolInfo } from "../types.js" */

/**
 * @typedef {object} ComposerProps
 * @property {string} draft
 * @property {Attachment[]} attachments
 * @property {boolean} busy
 * @property {boolean} failed Python could not start: nothing can be sent
 * @property {Tab} tab
 * @property {boolean} offerSummary
 * @property {ToolInfo[]} tools
 * @property {Store} store
 */

/** Where one types; usable from the first moment, while model and Python still load. */
export const Composer = memo(
  (/** @type {ComposerProps} */ { draft, attachments, busy, failed, tab, offerSummary, tools, store }) => {
    const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
    useEffect(() => box.current?.focus(), []);
    const suggestions = useToolSuggestions(draft, tools, store);
    const blank = !draft.trim();

    function submit() {
      // From the store, not the prop: Enter may come before the frame that shows the last letter.
      const text = store.getState().draft.trim();
      if (!text) return;
      if (failed)
        store.dispatch({
          type: "notice",
          level: "warning",
          text: "Not sent: the assistant did not start. Your text is kept.",
        });
      else store.send({ type: "prompt", id: crypto.randomUUID(), text, ...sentAlong(store) });
    }

    /** @param {KeyboardEvent} event */
    function onKeyDown(event) {
      if (suggestions.onKeyDown(event)) return;
      if (isPlainEnter(event)) {
        event.preventDefault();
        submit();
      } else if (event.key === "ArrowUp" && !store.getState().draft) {
        editLast(event, store);
      }
    }

    return html`<div class="composer-area">
    ${offerSummary && html`<${SummarizeButton} tab=${tab} store=${store} />`}
    ${suggestions.list}
    ${attachments.length > 0 && html`<${Tray} attachments=${attachments} store=${store} />`}
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      submit();
      focusComposer();
    }}>
      <${AttachButton} store=${store} />
      <textarea ref=${box} id="composer" class="composer-text" data-testid="composer" aria-label="Message" rows="1" dir="auto"
        aria-describedby="composer-keys" placeholder="Ask anything" autocomplete="off" value=${draft} onKeyDown=${onKeyDown}
        ...${suggestions.attributes}
        onInput=${(/** @type {Event & {currentTarget: HTMLTextAreaElement}} */ event) =>
          store.dispatch({ type: "draft", text: event.currentTarget.value })}></textarea>
      <span class="visually-hidden" id="composer-keys">Enter sends, Shift+Enter breaks the line, Escape stops an answer.</span>
      ${
        busy &&
        html`<button type="button" key="stop" class="round-button" data-testid="stop" title="Stop (Escape)" aria-label="Stop"
          onClick=${() => {
            store.send({ type: "stop" });
            focusComposer();
          }}><${StopIcon} /></button>`
      }
      ${
        (!busy || !blank) &&
        html`<button type="submit" key="send" class="round-button primary" data-testid="send" disabled=${blank}
          title=${busy ? "Send after this answer" : "Send"} aria-label=${busy ? "Send after this answer" : "Send"}><${SendIcon} /></button>`
      }
    </form>
  </div>`;
  },
);

/**
 * The attachments that a message takes along: all but those of which nothing could be read.
 *
 * @param {Store} store
 * @returns {{attachments?: string[]}}
 */
function sentAlong(store) {
  const usable = store.getState().attachments.filter(({ state }) => state !== "error");
  return usable.length > 0 ? { attachments: usable.map(({ id }) => id) } : {};
}

/**
 * @param {KeyboardEvent} event
 * @param {Store} store
 */
function editLast(event, store) {
  const last = store.getState().messages.findLast((message) => message.role === "user");
  if (!last) return;
  event.preventDefault();
  store.dispatch({ type: "edit-start", id: last.id });
}
