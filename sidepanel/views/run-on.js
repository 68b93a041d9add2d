/** Whether models run on the graphics card or on the processor. */

import { html } from "htm/preact";

/** @import { Preferences, Store } from "../types.js" */

/** @type {{place: Preferences["run_on"], name: string, about: string}[]} */
const PLACES = [
  {
    place: "auto",
    name: "Automatic",
    about: "The graphics card where there is one that can be used, else the processor.",
  },
  { place: "gpu", name: "Graphics card", about: "Nothing else: where it cannot be used, no model runs." },
  {
    place: "cpu",
    name: "Processor (CPU)",
    about: "Slower, and only models that have weights for it; leaves the graphics card to other programs.",
  },
];

/** @param {{preferences: Preferences | undefined, store: Store}} props */
export function RunOn({ preferences, store }) {
  if (!preferences) return null;
  const chosen = PLACES.find(({ place }) => place === preferences.run_on);

  /** @param {Event & {currentTarget: HTMLSelectElement}} event */
  function choose({ currentTarget }) {
    const place = PLACES[currentTarget.selectedIndex]?.place;
    if (place) store.send({ type: "set-preference", name: "run_on", value: place });
  }
  return html`<label class="label">Run on
      <select class="field" data-testid="run-on" value=${preferences.run_on} onChange=${choose} aria-describedby="run-on-about">
        ${PLACES.map(
          ({ place, name }) =>
            html`<option key=${place} value=${place} selected=${place === preferences.run_on}>${name}</option>`,
        )}
      </select></label>
    <p class="item-about" id="run-on-about">${chosen?.about} A running answer is not interrupted.</p>`;
}
