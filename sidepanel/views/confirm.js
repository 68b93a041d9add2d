import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { useBorrowedFocus } from "./borrowed-focus.js";

/**
 * @typedef {object} ConfirmProps
 * @property {string} testid of the button; of the one that confirms with "-confirm", of the word's field with "-word"
 * @property {string} label
 * @property {string} question
 * @property {string} verb
 * @property {string} [word] must be typed first, for what cannot be undone
 * @property {() => void} onConfirm
 */

/** A button that asks once more. @param {ConfirmProps} props */
export function Confirm(props) {
  const [isAsking, setAsking] = useState(false);
  const { testid, label } = props;
  if (isAsking) return html`<${Question} ...${props} close=${() => setAsking(false)} />`;
  return html`<div class="item-buttons"><button type="button" class="button" data-testid=${testid}
    onClick=${() => setAsking(true)}>${label}</button></div>`;
}

/** @param {ConfirmProps & {close: () => void}} props */
function Question({ testid, question, verb, word, onConfirm, close }) {
  const [typed, setTyped] = useState("");
  const { box, onKeyDown, finish } = useBorrowedFocus(close, (form) => form.querySelector("input, button"));
  function confirm() {
    close();
    onConfirm();
  }
  const isSure = !word || typed.trim().toLowerCase() === word;
  return html`<div class="inline-ask" role="group" aria-label=${question} ref=${box} onKeyDown=${onKeyDown}>
    <p>${question}</p>
    ${
      word &&
      html`<label class="label">Type “${word}” to go on
        <input class="field" data-testid=${`${testid}-word`} value=${typed} autocomplete="off" spellcheck="false"
          onInput=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) => setTyped(event.currentTarget.value)} /></label>`
    }
    <div class="item-buttons">
      <button type="button" class="button" onClick=${() => finish(close)}>Cancel</button>
      <button type="button" class="button primary" data-testid=${`${testid}-confirm`} disabled=${!isSure}
        onClick=${() => finish(confirm)}>${verb}</button>
    </div>
  </div>`;
}
