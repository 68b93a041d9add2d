import { html } from "htm/preact";
import { useId, useState } from "preact/hooks";

/** @typedef {Event & {currentTarget: HTMLInputElement}} InputEvent */

/**
 * A number, or nothing for what is automatic. What there is not is passed on all the same: Python says what is wrong with it.
 *
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.testid
 * @param {number | null} props.value
 * @param {string} props.min
 * @param {string} props.max
 * @param {string} props.step
 * @param {string} props.hint
 * @param {(value: number | null) => void} props.onChange
 */
export function NumberField({ label, testid, value, min, max, step, hint, onChange }) {
  const about = useId();
  const [typed, setTyped] = useState(/** @type {string | null} */ (null)); // news of other settings must not take it away

  /** @param {InputEvent} event */
  function change({ currentTarget: field }) {
    setTyped(null);
    if (field.validity.badInput) field.value = String(value ?? "");
    else onChange(field.value === "" ? null : Number(field.value));
  }
  return html`<div><label class="label">${label}
      <input class="field" type="number" data-testid=${testid} min=${min} max=${max} step=${step} placeholder="Automatic"
        value=${typed ?? value ?? ""} aria-describedby=${about} onChange=${change} onBlur=${() => setTyped(null)}
        onInput=${(/** @type {InputEvent} */ event) => setTyped(event.currentTarget.value)} /></label>
    <p class="item-about" id=${about}>${hint}</p></div>`;
}
