import { html } from "htm/preact";

/** @import { Engine, State } from "../types.js" */

/** @type {Record<Engine["state"], string>} */
const WORDS = {
  absent: "Starting",
  downloading: "Downloading",
  loading: "Loading",
  ready: "Ready",
  generating: "Working",
  lost: "Restarting",
  unavailable: "Unavailable",
};

/**
 * The engine's state as a dot and a word.
 *
 * @param {{engine: Engine, python: State["python"]}} props
 */
export function EngineStatus({ engine, python }) {
  const failed = python.state === "failed";
  const starting = engine.state === "ready" && python.state === "starting";
  const word = failed ? "Failed" : starting ? "Starting" : WORDS[engine.state];
  const percent = engine.progress !== null && isLoading(engine) ? ` ${Math.floor(engine.progress * 100)}%` : "";
  const look = failed ? "unavailable" : starting ? "absent" : engine.state;
  return html`<span class="status" data-testid="engine-status" data-state=${engine.state} data-look=${look}
    title=${[engine.model?.name, engine.text].filter(Boolean).join(": ")}>
    <span class="status-dot" aria-hidden="true" /><span class="status-word">${word}${percent}</span>
  </span>`;
}

/** @param {Engine} engine */
export function isLoading(engine) {
  return engine.state === "downloading" || engine.state === "loading" || engine.state === "lost";
}
