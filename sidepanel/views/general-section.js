/** How the panel looks, how long the model stays, what Chrome synchronizes, and everything as it came. */

import { html } from "htm/preact";
import { Confirm } from "./confirm.js";

/** @import { Preferences, Store, Theme } from "../types.js" */

/** @type {{id: Theme, name: string}[]} */
const THEMES = [
  { id: "system", name: "As the system has it" },
  { id: "light", name: "Light" },
  { id: "dark", name: "Dark" },
];

/** @type {{minutes: number | null, name: string}[]} */
const TIMES = [
  { minutes: 5, name: "5 minutes" },
  { minutes: 15, name: "15 minutes" },
  { minutes: 60, name: "1 hour" },
  { minutes: null, name: "Always" },
];

/** @param {import("./settings-dialog.js").SectionProps} props */
export function GeneralSection({ settings, store }) {
  const { preferences } = settings;
  if (!preferences) return null;
  return html`<fieldset class="choices">
      <legend class="label">Theme</legend>
      ${THEMES.map(
        ({ id, name }) => html`<label key=${id} class="choice">
          <input type="radio" name="theme" value=${id} checked=${id === preferences.theme} data-testid="theme"
            onChange=${() => store.send({ type: "set-preference", name: "theme", value: id })} /><span>${name}</span></label>`,
      )}
    </fieldset>
    <${Keeping} minutes=${preferences.keep_minutes} store=${store} />
    <${Synchronizing} preferences=${preferences} store=${store} />
    <h3 class="settings-heading">Reset</h3>
    <p class="settings-intro">Answers, theme, memory and permissions of tools as they came. Conversations, documents, models, notes,
      prompts and modules stay.</p>
    <${Confirm} testid="reset-settings" label="Reset all settings…" question="Reset all settings?" verb="Reset"
      onConfirm=${() => store.send({ type: "reset-settings" })} />`;
}

/** @param {{minutes: number | null, store: Store}} props */
function Keeping({ minutes, store }) {
  /** @param {Event & {currentTarget: HTMLSelectElement}} event */
  function choose({ currentTarget }) {
    const value = TIMES[currentTarget.selectedIndex]?.minutes;
    if (value !== undefined) store.send({ type: "set-preference", name: "keep_minutes", value });
  }
  return html`<label class="label">Keep an unused model in memory for
      <select class="field" data-testid="keep-minutes" value=${String(minutes)} onChange=${choose}>
        ${TIMES.map(
          ({ minutes: each, name }) =>
            html`<option key=${name} value=${String(each)} selected=${each === minutes}>${name}</option>`,
        )}
      </select></label>
    <p class="item-about">After that it gives its memory back, and five minutes after you close the last panel unless it is kept always;
      sooner when this computer is short of memory. It is loaded again when you ask or open a panel.</p>`;
}

/** @param {{preferences: Preferences, store: Store}} props */
function Synchronizing({ preferences, store }) {
  const { synchronize } = preferences;
  return html`<h3 class="settings-heading">Other computers</h3>
    <label class="choice"><input type="checkbox" data-testid="synchronize" checked=${synchronize} aria-describedby="synchronize-about"
        onChange=${() => store.send({ type: "set-preference", name: "synchronize", value: !synchronize })} />
      <span>Synchronize through Chrome</span></label>
    <p class="item-about" id="synchronize-about">Summaries, language, theme, temperature and saved prompts go along with your Google account, if
      Chrome’s synchronization is on there. All other settings stay on this computer.</p>`;
}
