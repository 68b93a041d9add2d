import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

/** @import { State, Store } from "../types.js" */

/**
 * What was just removed, and the way back. Takes the keyboard, as the button that removed it is gone.
 *
 * @param {{undo: State["undo"], testid: string, store: Store}} props
 */
export function Undo({ undo, testid, store }) {
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => button.current?.focus(), [undo]);
  if (!undo) return null;
  return html`<p class="undo"><span dir="auto">${undo.text}</span>
    <button type="button" class="button" data-testid=${testid} ref=${button} onClick=${() => store.send(undo.command)}>Undo</button></p>`;
}
