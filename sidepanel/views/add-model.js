/** A model by the address of its repository. */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { isPlainEnter } from "./keys.js";
import { ProblemCard } from "./problem-card.js";

/** @import { Models, Store } from "../types.js" */

/** @param {{added: Models["added"], store: Store}} props */
export function AddModel({ added, store }) {
  const [address, setAddress] = useState("");
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    setWaiting(false);
    if (added?.model) setAddress("");
  }, [added]);
  const wanted = address.trim();

  function add() {
    if (!wanted || waiting) return;
    setWaiting(true);
    store.send({ type: "add-model", address: wanted });
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (!isPlainEnter(event)) return;
    event.preventDefault();
    add();
  }
  return html`<section class="add-model" aria-labelledby="add-model-title">
    <h3 class="settings-heading" id="add-model-title">Another model</h3>
    <div class="new-note">
      <label class="label field-label">Address of a model in MLC format on huggingface.co
        <input class="field" type="text" inputmode="url" data-testid="model-address" value=${address} maxlength="300" autocomplete="off"
          spellcheck="false" placeholder="huggingface.co/OWNER/NAME" onKeyDown=${onKeyDown}
          onInput=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) => setAddress(event.currentTarget.value)} /></label>
      <button type="button" class="button" data-testid="model-add" disabled=${!wanted || waiting} onClick=${add}>${waiting ? "Looking" : "Add"}</button>
    </div>
    ${added?.problem && html`<${ProblemCard} problem=${added.problem} />`}
    ${added?.model && html`<p class="item-about" data-testid="model-added">It is in the list, and can be downloaded.</p>`}
  </section>`;
}
