import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { AttachButton, Tray } from "./attachments.js";
import { ExplainPermission } from "./explain-permission.js";
import { SendIcon, StopIcon } from "./icons.js";
import { ImageButton } from "./images.js";
import { focusComposer, isPlainEnter } from "./keys.js";
import { memo } from "./memo.js";
import { useMentions } from "./mentions.js";
import { SummarizeButton } from "./summarize-button.js";
import { useToolSuggestions } from "./tool-suggestions.js";

/** @import { Attachment, LibraryDocument, Preferences, State, Store, Tab, ToolInfo } from "../types.js" */

/**
 * @typedef {object} ComposerProps
 * @property {string} draft
 * @property {Attachment[]} attachments
 * @property {boolean} busy
 * @property {boolean} failed Python could not start: nothing can be sent
 * @property {string} blind why the model takes no images; "" if it does
 * @property {Tab} tab
 * @property {boolean} offerSummary
 * @property {Preferences | undefined} preferences
 * @property {ToolInfo[]} tools
 * @property {LibraryDocument[]} documents
 * @property {State["tabs"]} tabs
 * @property {State["permissions"]} permissions
 * @property {State["explaining"]} explaining
 * @property {Store} store
 */

/** @type {import("../types.js").SavedPrompt[]} */
const NO_PROMPTS = [];

/** Where one types; usable from the first moment, while model and Python still load. */
export const Composer = memo((/** @type {ComposerProps} */ props) => {
  const {
    draft,
    attachments,
    busy,
    failed,
    blind,
    tab,
    offerSummary,
    preferences,
    tools,
    documents,
    tabs,
    permissions,
    explaining,
    store,
  } = props;
  const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => box.current?.focus(), []);
  const toolSuggestions = useToolSuggestions(draft, tools, preferences?.saved_prompts ?? NO_PROMPTS, store);
  const mentionable = { tabs, permissions, documents, attachments, blind };
  const mentions = useMentions({ box, draft, mentionable, explaining, store });
  const suggestions = mentions.isOpen ? mentions : toolSuggestions;
  const blank = !draft.trim() && !isImagesAlone(attachments);

  function submit() {
    // From the store, not the prop: Enter may come before the frame that shows the last letter.
    const text = store.getState().draft.trim();
    if (!text && !isImagesAlone(store.getState().attachments)) return;
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
    if (mentions.onKeyDown(event) || toolSuggestions.onKeyDown(event)) return;
    if (isPlainEnter(event)) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && !store.getState().draft) {
      editLast(event, store);
    }
  }

  return html`<div class="composer-area">
    ${offerSummary && html`<${SummarizeButton} tab=${tab} preferences=${preferences} store=${store} />`}
    ${suggestions.list}
    ${explaining && html`<${ExplainPermission} key=${explaining} what=${explaining} store=${store} />`}
    ${attachments.length > 0 && html`<${Tray} attachments=${attachments} store=${store} />`}
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      submit();
      focusComposer();
    }}>
      <${AttachButton} store=${store} />
      <${ImageButton} blind=${blind} store=${store} />
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
});

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
 * Whether there are images and nothing else but the tab that is followed: they may be sent without a word.
 *
 * @param {Attachment[]} attachments
 */
function isImagesAlone(attachments) {
  const usable = attachments.filter(({ state, follows }) => state !== "error" && !follows);
  return usable.length > 0 && usable.every(({ kind }) => kind === "image");
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
