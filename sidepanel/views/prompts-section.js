/** Prompts that one keeps for later. */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { LONGEST_PROMPT, LONGEST_PROMPT_TITLE } from "../limits.js";
import { useBorrowedFocus } from "./borrowed-focus.js";
import { EditIcon, TrashIcon } from "./icons.js";
import { Undo } from "./undo.js";

/** @import { SavedPrompt, Store } from "../types.js" */

/** @typedef {Event & {currentTarget: HTMLInputElement | HTMLTextAreaElement}} InputEvent */

const NEW = "new";

/** @param {import("./settings-dialog.js").SectionProps} props */
export function PromptsSection({ settings, state, store }) {
  const [wanted, setEditing] = useState(/** @type {string | null} */ (null)); // id, or NEW
  const { preferences } = settings;
  if (!preferences) return null;
  const { saved_prompts: prompts, unsynced } = preferences;
  const editing = wanted === NEW || prompts.some(({ id }) => id === wanted) ? wanted : null; // another window may have deleted it
  const undo = state.undo?.command.type === "save-prompt" ? state.undo : undefined;
  const form = (/** @type {SavedPrompt | undefined} */ prompt) =>
    html`<${PromptForm} key=${prompt?.id ?? NEW} prompt=${prompt} prompts=${prompts} close=${() => setEditing(null)} store=${store} />`;
  return html`<p class="settings-intro">What you ask often. In a message, “/” offers these beside the tools and puts the text into the message.</p>
    ${
      editing === NEW
        ? form(undefined)
        : !editing &&
          html`<div class="new-module"><button type="button" class="button" data-testid="prompt-new" onClick=${() => setEditing(NEW)}>New prompt</button></div>`
    }
    <${Undo} undo=${undo} testid="prompt-undo" store=${store} />
    ${unsynced.includes("saved_prompts") && html`<p class="settings-intro" role="status">There are too many to be synchronized: they stay on this computer.</p>`}
    ${
      prompts.length === 0
        ? editing !== NEW && html`<p class="settings-empty">No prompts yet.</p>`
        : html`<ul class="items" aria-label="Saved prompts">
          ${prompts.map((prompt) =>
            prompt.id === editing
              ? html`<li key=${prompt.id} class="item">${form(prompt)}</li>`
              : html`<${PromptItem} key=${prompt.id} prompt=${prompt} edit=${() => setEditing(prompt.id)} store=${store} />`,
          )}
        </ul>`
    }`;
}

/** @param {{prompt: SavedPrompt, edit: () => void, store: Store}} props */
function PromptItem({ prompt, edit, store }) {
  const { id, title, text } = prompt;
  return html`<li class="item item-row" data-testid="prompt-item" data-id=${id}>
    <div class="item-text"><p class="item-title" dir="auto">${title}</p><p class="item-about prompt-text" dir="auto">${text}</p></div>
    <button type="button" class="icon-button small" data-testid="prompt-edit" title="Edit" aria-label=${`Edit: ${title}`}
      onClick=${edit}><${EditIcon} /></button>
    <button type="button" class="icon-button small" data-testid="prompt-delete" title="Delete" aria-label=${`Delete: ${title}`}
      onClick=${() => store.send({ type: "delete-prompt", id })}><${TrashIcon} /></button>
  </li>`;
}

/**
 * Closes once Python has taken it: what it refuses stays to be mended.
 *
 * @param {{prompt: SavedPrompt | undefined, prompts: SavedPrompt[], close: () => void, store: Store}} props
 */
function PromptForm({ prompt, prompts, close, store }) {
  const [title, setTitle] = useState(prompt?.title ?? "");
  const [text, setText] = useState(prompt?.text ?? "");
  const { box, onKeyDown, finish } = useBorrowedFocus(close, (form) => form.querySelector("input"));
  const wanted = { title: title.trim(), text: text.trim() };
  const isKept = prompts.some((each) => each.title === wanted.title && each.text === wanted.text);
  const [isSent, setSent] = useState(false);
  useEffect(() => {
    if (isSent && isKept) finish(close);
  }, [isSent, isKept]);

  function save() {
    setSent(true);
    store.send({ type: "save-prompt", id: prompt?.id ?? null, ...wanted });
  }
  return html`<div class="inline-ask prompt-form" ref=${box} onKeyDown=${onKeyDown}>
    <label class="label">Title
      <input class="field" data-testid="prompt-title" dir="auto" value=${title} maxlength=${LONGEST_PROMPT_TITLE} autocomplete="off"
        onInput=${(/** @type {InputEvent} */ event) => setTitle(event.currentTarget.value)} /></label>
    <label class="label">Text
      <textarea class="field" data-testid="prompt-text" rows="3" dir="auto" value=${text} maxlength=${LONGEST_PROMPT}
        onInput=${(/** @type {InputEvent} */ event) => setText(event.currentTarget.value)}></textarea></label>
    <div class="item-buttons">
      <button type="button" class="button" onClick=${() => finish(close)}>Cancel</button>
      <button type="button" class="button primary" data-testid="prompt-save" disabled=${!wanted.title || !wanted.text}
        onClick=${save}>Save</button>
    </div>
  </div>`;
}
