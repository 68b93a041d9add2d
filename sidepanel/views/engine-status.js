import { html } from "htm/preact";

/** @import { Engine, State } from "../types.js" */

/** @type {Record<Engine["state"], string>} */
const WORDS = {
  absent: "Starting",
  downloading: "Downloading",
  loading: "Loading",
  ready: "Ready",
  generating: "Working",
  asleep: "Asleep",
  waiting: "Waiting",
  lost: "Restarting",
  unavailable: "Unavailable",
};

/** States that last, of which one wants to know where. @type {Engine["state"][]} */
const PLACED = ["ready", "generating"];
const NO_GPU = "runs on the processor, more slowly than on a graphics card";

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
  const place =
    engine.engine === "wllama" && PLACED.includes(engine.state) && !failed && !starting ? " on the CPU" : "";
  const reason = engine.state === "asleep" && engine.why === "memory" ? " to free memory" : "";
  const about = reason ? `Asleep${reason} · wakes when you ask` : engine.text || (place && NO_GPU);
  const look = failed ? "unavailable" : starting ? "absent" : engine.state;
  return html`<span class="status" data-testid="engine-status" data-state=${engine.state} data-look=${look} data-model=${engine.model?.id}
    title=${[engine.model?.name, about].filter(Boolean).join(": ")}>
    <span class="status-dot" aria-hidden="true" /><span class="status-word">${word}${percent}${place}<span class="status-why">${reason}</span></span>
  </span>`;
}

/** @param {Engine} engine */
export function isLoading(engine) {
  return engine.state === "downloading" || engine.state === "loading" || engine.state === "lost";
}
