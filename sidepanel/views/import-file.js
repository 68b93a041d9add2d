import { html } from "htm/preact";

/** @import { Store } from "../types.js" */

/**
 * A button that has a file chosen and reads it as text; what cannot be read is told.
 *
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.accept
 * @param {string} props.testid
 * @param {number} props.largest in bytes
 * @param {string} props.what it is read for, as "a module"
 * @param {(text: string, name: string) => void} props.onText
 * @param {Store} props.store
 */
export function ImportFile({ label, accept, testid, largest, what, onText, store }) {
  /** @param {Event & {currentTarget: HTMLInputElement}} event */
  async function read(event) {
    const input = event.currentTarget;
    const file = input.files?.[0];
    if (!file) return;
    const large = file.size > largest;
    const text = large ? null : await file.text().catch(() => null);
    input.value = ""; // so that choosing the same file again is a change
    if (text !== null) onText(text, file.name);
    else
      store.dispatch({
        type: "notice",
        level: "error",
        text: large ? `${file.name} is too large for ${what}.` : `${file.name} could not be read.`,
      });
  }
  return html`<label class="button file">${label}
    <input type="file" class="visually-hidden" accept=${accept} data-testid=${testid} onChange=${read} /></label>`;
}
