import { html } from "htm/preact";
import { LanguageSelect } from "./language-select.js";
import { NumberField } from "./number-field.js";
import { SystemPrompt } from "./system-prompt.js";

/** @import { Preferences, Store } from "../types.js" */

/** How pages are summarized, in which language, and how the model answers. */
export function AnswersSection(/** @type {import("./settings-dialog.js").SectionProps} */ { settings, store }) {
  const { preferences } = settings;
  if (!preferences) return null;
  return html`<p class="settings-intro">How Amplifier summarizes a page when you ask for no other way, and the language of its
      summaries and translations. Small models know little but English.</p>
    <fieldset class="choices">
      <legend class="label">Summaries</legend>
      ${preferences.styles.map(
        ({ id, name, detail }) => html`<label key=${id} class="choice">
          <input type="radio" name="summary-style" value=${id} checked=${id === preferences.summary_style} data-testid="default-style"
            onChange=${() => store.send({ type: "set-preference", name: "summary_style", value: id })} />
          <span>${name} <span class="summary-detail">${detail}</span></span></label>`,
      )}
    </fieldset>
    <${LanguageSelect} preferences=${preferences} store=${store} />
    <${Generation} preferences=${preferences} store=${store} />
    <${SystemPrompt} preferences=${preferences} store=${store} />`;
}

/** @param {{preferences: Preferences, store: Store}} props */
function Generation({ preferences, store }) {
  const { temperature, longest_answer } = preferences;
  return html`<h4 class="settings-heading">How it answers</h4>
    <div class="number-fields">
      <${NumberField} label="Temperature" testid="temperature" value=${temperature} min="0" max="1.5" step="0.1"
        hint="0 to 1.5: the higher, the more surprising. Automatic: 0."
        onChange=${(/** @type {number | null} */ value) => store.send({ type: "set-preference", name: "temperature", value })} />
      <${NumberField} label="Longest answer, in tokens" testid="longest-answer" value=${longest_answer} min="16" max="8192" step="1"
        hint="16 to 8,192. Automatic: a quarter of what the model takes."
        onChange=${(/** @type {number | null} */ value) => store.send({ type: "set-preference", name: "longest_answer", value })} />
    </div>
    <p class="item-about">A token is about three quarters of a word. Summaries keep to their own: the likeliest words, and a length for each kind.</p>`;
}
