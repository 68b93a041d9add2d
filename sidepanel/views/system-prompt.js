import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { LONGEST_SYSTEM_PROMPT } from "../limits.js";

/** @import { Preferences, Store } from "../types.js" */

/** @typedef {Event & {currentTarget: HTMLTextAreaElement}} InputEvent */

/**
 * What the model is told before each conversation. Kept when one leaves it, also by closing the settings.
 *
 * @param {{preferences: Preferences, store: Store}} props
 */
export function SystemPrompt({ preferences, store }) {
  const { system_prompt, default_system_prompt } = preferences;
  const saved = system_prompt || default_system_prompt;
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const latest = useRef({ draft, saved });
  latest.current = { draft, saved };

  function save() {
    const { draft: text, saved: before } = latest.current;
    latest.current.draft = null;
    setDraft(null);
    if (text !== null && text.trim() !== before)
      store.send({ type: "set-preference", name: "system_prompt", value: text.trim() });
  }
  useEffect(() => save, []);

  function restore() {
    setDraft(null);
    latest.current.draft = null;
    if (system_prompt) store.send({ type: "set-preference", name: "system_prompt", value: "" });
  }
  return html`<h4 class="settings-heading">System prompt</h4>
    <textarea class="field" data-testid="system-prompt" rows="2" dir="auto" aria-label="System prompt"
      aria-describedby="system-prompt-about" maxlength=${LONGEST_SYSTEM_PROMPT} value=${draft ?? saved}
      onInput=${(/** @type {InputEvent} */ event) => setDraft(event.currentTarget.value)} onBlur=${save}></textarea>
    <p class="item-about" id="system-prompt-about">What the model is told before each conversation. A change counts for new conversations;
      parts of long pages are summarized without it. A long one leaves less room for pages.</p>
    <div class="item-buttons after-field">
      <button type="button" class="button" data-testid="system-prompt-restore" disabled=${!system_prompt && draft === null}
        onClick=${restore}>Restore Amplifier’s own</button>
    </div>`;
}
