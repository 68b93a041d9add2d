import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { EngineStatus, isLoading } from "./engine-status.js";
import { Logo, NewIcon, SlidersIcon } from "./icons.js";
import { focusComposer } from "./keys.js";
import { memo } from "./memo.js";

/** @import { Engine, State, Store } from "../types.js" */

/**
 * @typedef {object} HeaderProps
 * @property {Engine} engine
 * @property {State["python"]} python
 * @property {boolean} empty
 * @property {Store} store
 */

export const Header = memo((/** @type {HeaderProps} */ { engine, python, empty, store }) => {
  function startNewSession() {
    store.send({ type: "new-session" });
    focusComposer();
  }
  function openSettings() {
    store.send({ type: "show-settings" });
    store.dispatch({ type: "settings-open" });
  }
  return html`<header class="header">
    <div class="header-row">
      <${Logo} />
      <h1 class="name">Amplifier</h1>
      <${EngineStatus} engine=${engine} python=${python} />
      <span class="spacer" />
      ${engine.models.length > 1 && html`<${ModelPicker} engine=${engine} store=${store} />`}
      <button type="button" class="icon-button" data-testid="settings" title="Settings" aria-label="Settings" aria-haspopup="dialog"
        onClick=${openSettings}><${SlidersIcon} /></button>
      <button type="button" class="icon-button" data-testid="new-session" title="New session" aria-label="New session"
        disabled=${empty} onClick=${startNewSession}><${NewIcon} /></button>
    </div>
    <${LoadProgress} engine=${engine} python=${python} />
  </header>`;
});

/** @param {{engine: Engine, store: Store}} props */
function ModelPicker({ engine, store }) {
  const current = engine.model?.id ?? "";
  const [chosen, setChosen] = useState("");
  useEffect(() => setChosen(""), [current]);

  /** @param {Event & {currentTarget: HTMLSelectElement}} event */
  function choose(event) {
    setChosen(event.currentTarget.value);
    store.send({ type: "choose-model", model: event.currentTarget.value });
  }
  const value = chosen || current;
  return html`<select class="picker" data-testid="model-picker" aria-label="Model" value=${value} onChange=${choose}>
    ${!value && html`<option value="">Model</option>`}
    ${engine.models.map((model) => html`<option key=${model.id} value=${model.id}>${model.name}</option>`)}
  </select>`;
}

/**
 * What is being loaded and how far; only a moving line while nothing is known yet.
 *
 * @param {{engine: Engine, python: State["python"]}} props
 */
function LoadProgress({ engine, python }) {
  const loading = isLoading(engine);
  const starting = python.state === "starting" && engine.state !== "unavailable";
  if (!loading && !starting) return null;
  const value = loading ? engine.progress : null;
  const label = loading ? "Loading the model" : "Starting";
  return html`<div class="load" data-testid="progress">
    ${loading && engine.text && html`<span class="load-text">${engine.text}</span>`}
    ${value === null ? html`<progress key="any" aria-label=${label} />` : html`<progress key="part" value=${value} max="1" aria-label=${label} />`}
  </div>`;
}
