/** All models: what this computer can run, downloads, models by address, and what all of it takes of the disk. */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { number } from "../counted.js";
import { filterModels } from "../models-state.js";
import { AddModel } from "./add-model.js";
import { AlertIcon, InfoIcon, SearchIcon } from "./icons.js";
import { ModelDoctor } from "./model-doctor.js";
import { ModelItem } from "./model-item.js";
import { RunOn } from "./run-on.js";
import { Servers } from "./servers.js";
import { StorageLines } from "./storage-lines.js";

/** @import { Models, Store } from "../types.js" */

/** How many are shown at first. */
const FIRST = 12;

/** @type {["fitting" | "here" | "all", string][]} */
const FILTERS = [
  ["fitting", "May fit"],
  ["here", "Downloaded"],
  ["all", "All"],
];

/** @param {import("./settings-dialog.js").SectionProps} props */
export function ModelsSection({ state, settings, store }) {
  const { models } = state;
  useEffect(() => {
    store.send({ type: "show-models" });
    return () => store.send({ type: "hide-models" });
  }, []);
  if (!models)
    return html`<p class="settings-empty"><span class="spinner" aria-hidden="true" /> Looking at this computer</p>`;
  return html`<${Machine} models=${models} />
    <${RunOn} preferences=${settings.preferences} store=${store} />
    <${Offline} />
    ${models.note && html`<p class="models-note" data-testid="models-note"><${InfoIcon} /><span>${models.note}</span></p>`}
    <${ModelDoctor} doctor=${models.doctor} store=${store} />
    <${List} models=${models.models} store=${store} />
    <${AddModel} added=${models.added} store=${store} />
    <${Servers} models=${models} store=${store} />
    <${StorageLines} storage=${models.storage} />`;
}

/** @param {{models: Models}} props */
function Machine({ models: { adapter } }) {
  if (!adapter)
    return html`<p class="settings-intro" data-testid="adapter">Chrome found no graphics card that models can use
      (chrome://gpu says more), so only Amplifier’s own model runs, on the processor.</p>`;
  const memory =
    adapter.memory === null ? "" : `${adapter.memory}${adapter.memory >= 8 ? " GB or more" : " GB"} of memory`;
  const facts = [adapter.description, memory, adapter.f16 ? "" : "no 16-bit shaders"].filter(Boolean);
  return html`<p class="settings-intro" data-testid="adapter">Models run on this computer: ${facts.join(" · ")}. The first ones suit it
    best.</p>`;
}

/** Says so when there is no network. */
function Offline() {
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    for (const name of ["online", "offline"]) addEventListener(name, look);
    return () => {
      for (const name of ["online", "offline"]) removeEventListener(name, look);
    };
  }, []);
  return html`<div role="status">${
    !isOnline &&
    html`<p class="models-note" data-testid="models-offline"><${AlertIcon} /><span>No network. The models on this computer
      work; downloads go on when it is back.</span></p>`
  }</div>`;
}

/** @param {{models: Models["models"], store: Store}} props */
function List({ models, store }) {
  const [query, setQuery] = useState("");
  const [which, setWhich] = useState(/** @type {"all" | "fitting" | "here"} */ ("fitting"));
  const [isWhole, setWhole] = useState(false);
  const found = filterModels(models, query, which);
  const shown = isWhole || query ? found : found.slice(0, FIRST);

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== "Escape" || !query) return;
    event.preventDefault(); // it leaves the search, not the settings
    setQuery("");
  }

  /** @param {Event & {currentTarget: HTMLSelectElement}} event */
  const filter = ({ currentTarget: { selectedIndex } }) => setWhich(FILTERS[selectedIndex]?.[0] ?? "all");
  return html`<div class="library-search" role="search">
      <div class="search-field"><${SearchIcon} />
        <input type="search" class="field" data-testid="model-search" value=${query} placeholder="Search models" maxlength="100"
          aria-label="Search models" autocomplete="off" onKeyDown=${onKeyDown}
          onInput=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) => setQuery(event.currentTarget.value)} /></div>
      <select class="field search-scope" data-testid="model-filter" aria-label="Which models" onChange=${filter}>
        ${FILTERS.map(([name, label]) => html`<option key=${name} selected=${name === which}>${label}</option>`)}
      </select>
    </div>
    ${
      found.length === 0
        ? html`<p class="settings-empty" data-testid="no-model">${
            which === "here" && !query ? "No model is downloaded yet." : "No model is like that."
          } ${which !== "all" && "Look among all of them."}</p>`
        : html`<ul class="items models" aria-label="Models">
            ${shown.map((model) => html`<${ModelItem} key=${model.id} model=${model} store=${store} />`)}
          </ul>`
    }
    ${
      shown.length < found.length &&
      html`<button type="button" class="button models-more" data-testid="models-all" onClick=${() => setWhole(true)}>
        Show all ${number(found.length)}</button>`
    }`;
}
