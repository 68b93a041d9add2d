/** One model: what it is, whether it fits, how far its download is, and what can be done with it. */

import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { bytes } from "../bytes.js";
import { number } from "../counted.js";
import { useBorrowedFocus } from "./borrowed-focus.js";
import { CheckIcon, DownloadIcon, PlayIcon, TrashIcon } from "./icons.js";
import { ProblemCard } from "./problem-card.js";

/** @import { Command, ModelItem as Model, Store } from "../types.js" */

const FITS = { yes: "Fits", tight: "Tight", unknown: "May fit", no: "Does not fit" };
const RUNNING = ["queued", "checking", "downloading", "waiting", "verifying"];
/** A share of the download that is worth a question before it is thrown away. */
const WORTH_ASKING = 0.05;

/** @typedef {{type: "delete-model" | "cancel-download", question: string, verb: string}} Asked */

/** @param {{model: Model, store: Store}} props */
export function ModelItem({ model, store }) {
  const [asked, setAsked] = useState(/** @type {Asked | null} */ (null));
  const { id, name, state, detail, progress, problem, fits } = model;
  const isRunning = RUNNING.includes(state);
  return html`<li class="item model" data-testid="model" data-id=${id} data-state=${state} data-fits=${fits}>
    <div class="model-head">
      <p class="item-title">${name}</p>
      <${Badges} model=${model} />
    </div>
    <p class="item-about">${model.good_for}</p>
    ${model.reason && html`<p class="model-reason" data-testid="model-reason">${model.reason}</p>`}
    ${!model.is_bundled && fits !== "yes" && html`<p class="item-about" data-testid="model-why">${model.why}</p>`}
    <${Facts} model=${model} />
    ${
      (isRunning || state === "paused" || state === "partial") &&
      html`<div class="model-progress" data-testid="model-progress"><span class="item-about">${detail}</span>
        ${
          progress === null && isRunning
            ? html`<progress key="any" aria-label=${`Downloading ${name}`} />`
            : html`<progress key="part" value=${progress ?? 0} max="1" aria-label=${`${name}: ${detail}`} />`
        }</div>`
    }
    ${
      problem &&
      html`<${ProblemCard} problem=${problem} label=${problem.action?.label}
        onAction=${() => problem.action && store.send(problem.action.command)} />`
    }
    ${
      asked
        ? html`<${Confirm} asked=${asked} name=${name} close=${() => setAsked(null)} onYes=${() => {
            setAsked(null);
            store.send({ type: asked.type, model: id });
          }} />`
        : html`<${Buttons} model=${model} ask=${setAsked} store=${store} />`
    }
  </li>`;
}

/** @param {{model: Model}} props */
function Badges({ model }) {
  return html`<span class="badges">
    ${model.is_loaded && html`<span class="kind now" data-testid="model-loaded">In use</span>`}
    ${model.is_recommended && html`<span class="kind now" data-testid="model-suggested">Suggested</span>`}
    ${model.is_bundled && html`<span class="kind">Comes with Amplifier</span>`}
    ${model.is_built_in && html`<span class="kind">Comes with Chrome</span>`}
    ${model.is_vision && html`<span class="kind">Pictures</span>`}
    ${
      !model.is_bundled &&
      html`<span class="kind fits" data-fits=${model.fits} data-testid="model-fits" title=${model.why}>${FITS[model.fits]}</span>`
    }
  </span>`;
}

/** @param {{model: Model}} props */
function Facts({ model }) {
  const { publisher, size_bytes, is_size_estimated, vram_bytes, context_window, licence } = model;
  const facts = [
    ["Publisher", publisher],
    [
      model.state === "complete" ? "Size" : "Download",
      size_bytes && `${is_size_estimated ? "about " : ""}${bytes(size_bytes)}`,
    ],
    ["Graphics memory", vram_bytes && bytes(vram_bytes)],
    ["Context", `${number(context_window)} tokens`],
    ["Writes", model.speed],
    ["Summary of a page", model.page],
    ["Licence", licence],
  ].filter(([, value]) => value);
  return html`<dl class="model-facts">
    ${facts.map(([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

/** @param {{model: Model, ask: (asked: Asked) => void, store: Store}} props */
function Buttons({ model, ask, store }) {
  const { id, name, state } = model;
  const send = (/** @type {any} */ type) => () => store.send(/** @type {Command} */ ({ type, model: id }));
  function cancel() {
    if ((model.progress ?? 0) < WORTH_ASKING) send("cancel-download")();
    else
      ask({ type: "cancel-download", question: "Cancel the download and delete what came so far?", verb: "Cancel it" });
  }
  const askDelete = () => ask({ type: "delete-model", question: question(model), verb: "Delete" });
  const removal = html`<button type="button" class="icon-button small" data-testid="model-delete" title="Delete"
    aria-label=${`Delete ${name}`} onClick=${askDelete}><${TrashIcon} /></button>`;
  const resume = (/** @type {string} */ label) =>
    html`<button type="button" class="button" data-testid="model-resume" aria-label=${`${label}: ${name}`}
      onClick=${send("resume-download")}><${PlayIcon} />${label}</button>`;
  const cancelling = html`<button type="button" class="button" data-testid="model-cancel" aria-label=${`Cancel the download of ${name}`}
    onClick=${cancel}>Cancel</button>`;
  if (state === "complete")
    return html`<div class="item-buttons model-buttons">
      ${
        !model.is_loaded &&
        html`<button type="button" class="button" data-testid="model-use" aria-label=${`Use ${name}`} onClick=${send("choose-model")}>
          <${PlayIcon} />Use</button>`
      }
      ${
        !model.is_bundled &&
        !model.is_built_in &&
        html`<button type="button" class="button" data-testid="model-check" aria-label=${`Check the files of ${name}`}
          onClick=${send("check-model")}><${CheckIcon} />Check</button>${removal}`
      }</div>`;
  if (RUNNING.includes(state) && model.is_built_in) return null;
  if (RUNNING.includes(state))
    return html`<div class="item-buttons model-buttons"><button type="button" class="button" data-testid="model-pause"
      aria-label=${`Pause the download of ${name}`} onClick=${send("pause-download")}>Pause</button>${cancelling}</div>`;
  if (state === "paused") return html`<div class="item-buttons model-buttons">${resume("Resume")}${cancelling}</div>`;
  if (state === "partial")
    return html`<div class="item-buttons model-buttons">${resume("Complete it")}${removal}</div>`;
  if (state === "error")
    return html`<div class="item-buttons model-buttons">${!model.problem?.action && resume("Try again")}${cancelling}</div>`;
  return html`<div class="item-buttons model-buttons"><button type="button"
    class=${model.is_recommended ? "button primary" : "button"} data-testid="model-download" aria-label=${`Download ${name}`}
    onClick=${send("download-model")}><${DownloadIcon} />Download</button>${model.is_custom && removal}</div>`;
}

/** @param {Model} model */
function question({ state, size_bytes, is_custom }) {
  if (state === "absent") return "Take it off the list?";
  const whole = `Delete the model from this computer? ${bytes(size_bytes)} have to be downloaded to have it again.`;
  return is_custom ? `${whole} It leaves the list, too.` : whole;
}

/** @param {{asked: Asked, name: string, close: () => void, onYes: () => void}} props */
function Confirm({ asked, name, close, onYes }) {
  const { box, onKeyDown, finish } = useBorrowedFocus(close, (form) => form.querySelector("button"));
  return html`<div class="inline-ask" role="group" aria-label=${`${name}: ${asked.question}`} data-testid="model-confirm" ref=${box}
    onKeyDown=${onKeyDown}>
    <p>${asked.question}</p>
    <div class="item-buttons">
      <button type="button" class="button" data-testid="model-keep" onClick=${() => finish(close)}>Keep it</button>
      <button type="button" class="button primary" data-testid="model-confirmed" onClick=${onYes}>${asked.verb}</button>
    </div>
  </div>`;
}
