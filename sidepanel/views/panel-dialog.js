/** A dialog over the whole panel: takes the keyboard and gives it back, and says what the transcript behind it asks. */

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Announcer } from "./announcer.js";
import { AlertIcon, CloseIcon } from "./icons.js";
import { focusComposer } from "./keys.js";
import { Notices } from "./notices.js";

/** @import { State, Store } from "../types.js" */

/**
 * @param {object} props
 * @param {string} props.name beginning of the ids within it
 * @param {string} props.testid
 * @param {string} props.title
 * @param {boolean} props.isOpen
 * @param {() => void} props.close does nothing when it is closed already
 * @param {string} props.first id of what gets the keyboard
 * @param {string} props.rest id of what gets it when what had it is gone: revoked, deleted, closed
 * @param {State} props.state
 * @param {Store} props.store
 * @param {import("preact").ComponentChildren} [props.children]
 */
export function PanelDialog({ name, testid, title, isOpen, close, first, rest, state, store, children }) {
  const { approvals, announcement, notices } = state;
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    if (isOpen) {
      dialog.current?.showModal();
      document.getElementById(first)?.focus();
    } else dialog.current?.close();
  }, [isOpen]);
  useEffect(() => {
    if (isOpen && document.activeElement === document.body) document.getElementById(rest)?.focus();
  });

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    close();
  }
  // Live regions outside a modal dialog are silent, so it has its own.
  return html`<dialog class="settings" data-testid=${testid} aria-labelledby=${`${name}-title`} ref=${dialog}
    onKeyDown=${onKeyDown} onClose=${close}>
    ${
      isOpen &&
      html`<div class="settings-head">
        <h2 class="settings-title" id=${`${name}-title`}>${title}</h2>
        <button type="button" class="icon-button" data-testid=${`${name}-close`} title="Close (Escape)" aria-label="Close"
          onClick=${close}><${CloseIcon} /></button>
      </div>
      ${
        approvals[0] &&
        html`<p class="settings-asks" role="status"><${AlertIcon} /><span>Amplifier asks: ${approvals[0].question}</span>
          <button type="button" class="button" data-testid=${`${name}-approval`} onClick=${close}>Show</button></p>`
      }
      ${children}
      <${Notices} notices=${notices} store=${store} />`
    }
    <${Announcer} announcement=${announcement} testid=${`${name}-announcer`} />
  </dialog>`;
}

/** Goes on in the composer. The dialog closes at once: with the next frame it would take the keyboard back to its button. */
export function leaveDialog() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  focusComposer();
}
