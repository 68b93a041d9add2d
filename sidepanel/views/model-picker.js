/** Which model answers: those on this computer, and the way to more. */

import { html } from "htm/preact";

/** @import { Engine, Store } from "../types.js" */

const MORE = "more\u2026"; // no model has such an id

/** @param {Store} store */
export function openModels(store) {
  store.dispatch({ type: "settings-section", section: "models" });
  store.send({ type: "show-settings" });
  store.dispatch({ type: "settings-open" });
}

/** @param {{engine: Engine, store: Store}} props */
export function ModelPicker({ engine, store }) {
  const value = engine.model?.id ?? "";

  /** @param {Event & {currentTarget: HTMLSelectElement}} event */
  function choose({ currentTarget }) {
    if (currentTarget.value === MORE) {
      currentTarget.value = value;
      openModels(store);
      return;
    }
    store.send({ type: "choose-model", model: currentTarget.value });
  }
  return html`<select class="picker" data-testid="model-picker" aria-label="Model" value=${value} onChange=${choose}>
    ${!value && html`<option value="">Model</option>`}
    ${engine.models.map((model) => html`<option key=${model.id} value=${model.id}>${model.name}</option>`)}
    <hr />
    <option value=${MORE}>More models…</option>
  </select>`;
}
