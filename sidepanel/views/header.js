import { html } from "htm/preact";
import { EngineStatus, isLoading } from "./engine-status.js";
import { GlobeIcon, HistoryIcon, Logo, NewIcon, SlidersIcon } from "./icons.js";
import { focusComposer } from "./keys.js";
import { memo } from "./memo.js";
import { ModelPicker } from "./model-picker.js";
import { SessionLine } from "./session-line.js";

/** @import { Engine, State, Store } from "../types.js" */

/**
 * @typedef {object} HeaderProps
 * @property {Engine} engine
 * @property {State["python"]} python
 * @property {State["session"]} session
 * @property {boolean} empty
 * @property {Store} store
 */

export const Header = memo((/** @type {HeaderProps} */ { engine, python, session, empty, store }) => {
  function startNewSession() {
    store.send({ type: "new-session" });
    focusComposer();
  }
  function openSettings() {
    store.send({ type: "show-settings" });
    store.dispatch({ type: "settings-open" });
  }
  function openSessions() {
    store.send({ type: "list-sessions" });
    store.dispatch({ type: "sessions-open" });
  }
  return html`<header class="header">
    <div class="header-row">
      <${Logo} />
      <h1 class="name">Amplifier</h1>
      <${EngineStatus} engine=${engine} python=${python} />
      <span class="spacer" />
      ${engine.models.length > 0 && html`<${ModelPicker} engine=${engine} store=${store} />`}
      <button type="button" class="icon-button" data-testid="sessions-button" title="Conversations" aria-label="Conversations"
        aria-haspopup="dialog" onClick=${openSessions}><${HistoryIcon} /></button>
      <button type="button" class="icon-button" data-testid="settings" title="Settings" aria-label="Settings" aria-haspopup="dialog"
        onClick=${openSettings}><${SlidersIcon} /></button>
      <button type="button" class="icon-button" data-testid="new-session" title="New session" aria-label="New session"
        disabled=${empty && session?.state !== "temporary"} onClick=${startNewSession}><${NewIcon} /></button>
    </div>
    ${
      engine.host &&
      html`<p class="session-line leaves" data-testid="leaves"><${GlobeIcon} /><span>Answered by <bdi>${engine.host}</bdi>: text leaves
        this browser</span></p>`
    }
    <${SessionLine} session=${session} empty=${empty} store=${store} />
    <${LoadProgress} engine=${engine} python=${python} />
  </header>`;
});

/**
 * What is being loaded and how far, or waited for; only a moving line while nothing is known yet.
 *
 * @param {{engine: Engine, python: State["python"]}} props
 */
function LoadProgress({ engine, python }) {
  const loading = isLoading(engine);
  const starting = python.state === "starting" && engine.state !== "unavailable";
  const waiting = engine.state === "waiting" && !starting;
  if (!loading && !starting && !waiting) return null;
  const value = loading ? engine.progress : null;
  const label = loading ? "Loading the model" : waiting ? "Waiting" : "Starting";
  return html`<div class="load" data-testid="progress">
    ${(loading || waiting) && engine.text && html`<span class="load-text">${engine.text}</span>`}
    ${value === null ? html`<progress key="any" aria-label=${label} />` : html`<progress key="part" value=${value} max="1" aria-label=${label} />`}
  </div>`;
}
