/** The model doctor: measures this computer on demand, and tells what that means for the choice of a model. */

import { html } from "htm/preact";
import { PlayIcon } from "./icons.js";
import { ProblemCard } from "./problem-card.js";
import { secondOf } from "./when.js";

/** @import { Doctor, Store } from "../types.js" */

/** @param {{doctor: Doctor, store: Store}} props */
export function ModelDoctor({ doctor: { running, problem, result, seconds }, store }) {
  return html`<section class="doctor" aria-labelledby="doctor-title" data-testid="doctor" data-state=${running ? "running" : "idle"}>
    <h3 class="settings-heading" id="doctor-title">How fast is this computer?</h3>
    ${result && html`<${Result} result=${result} />`}
    ${problem && html`<${ProblemCard} problem=${problem} />`}
    ${
      running
        ? html`<${Running} running=${running} store=${store} />`
        : html`<p class="item-about">Measures with the model that is in use, in at most ${seconds} seconds, and predicts from that
              how fast the others would be. Nothing is downloaded.</p>
            <div class="item-buttons"><button type="button" class="button" data-testid="doctor-start"
              onClick=${() => store.send({ type: "measure" })}><${PlayIcon} />${result ? "Measure again" : "Measure"}</button></div>`
    }
  </section>`;
}

/** @param {{running: NonNullable<Doctor["running"]>, store: Store}} props */
function Running({ running: { text, progress }, store }) {
  return html`<div class="model-progress" role="status"><span class="item-about" data-testid="doctor-progress">${text}</span>
      <progress value=${progress} max="1" aria-label="Measuring this computer" /></div>
    <div class="item-buttons"><button type="button" class="button" data-testid="doctor-stop"
      onClick=${() => store.send({ type: "stop-measuring" })}>Stop</button></div>`;
}

/** @param {{result: NonNullable<Doctor["result"]>}} props */
function Result({ result: { at, lines, advice } }) {
  return html`<div class="doctor-result" data-testid="doctor-result">
    ${advice.map((line) => html`<p class="doctor-advice" key=${line} data-testid="doctor-advice">${line}</p>`)}
    <dl class="model-facts doctor-facts">
      ${lines.map(({ label, text }) => html`<div key=${label} data-testid="doctor-line"><dt>${label}</dt><dd>${text}</dd></div>`)}
    </dl>
    <p class="item-about">Measured on ${secondOf(at)}.</p>
  </div>`;
}
