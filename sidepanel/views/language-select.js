import { html } from "htm/preact";

/** @import { Preferences, Store } from "../types.js" */

/**
 * The language to be answered in, kept as soon as it is chosen.
 *
 * @param {{preferences: Preferences, store: Store}} props
 */
export function LanguageSelect({ preferences, store }) {
  const { language, languages } = preferences;
  return html`<label class="label">Answer in
    <select class="field" data-testid="answer-language" value=${language}
      onChange=${(/** @type {Event & {currentTarget: HTMLSelectElement}} */ { currentTarget }) =>
        store.send({ type: "set-preference", name: "language", value: currentTarget.value })}>
      <option value="" selected=${language === ""}>The page's language</option>
      ${languages.map(
        ({ name, native }) => html`<option key=${name} value=${name} selected=${name === language}>
          ${name === native ? name : `${name} · ${native}`}</option>`,
      )}
    </select></label>`;
}
