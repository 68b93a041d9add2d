import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { AlertIcon, CloseIcon, InfoIcon } from "./icons.js";

/** @import { Notice, Store } from "../types.js" */

/** Mere information goes by itself; warnings and errors stay until the user has seen them. */
const INFO_MS = 8000;

/** @param {{notices: Notice[], store: Store}} props */
export function Notices({ notices, store }) {
  return html`<div class="notices" role="status" aria-live="polite">
    ${notices.map((notice) => html`<${NoticeLine} key=${notice.id} notice=${notice} store=${store} />`)}
  </div>`;
}

/** @param {{notice: Notice, store: Store}} props */
function NoticeLine({ notice, store }) {
  const [held, setHeld] = useState(false);
  const dismiss = () => store.dispatch({ type: "dismiss", id: notice.id });
  useEffect(() => {
    if (held || notice.level !== "info") return;
    const timer = setTimeout(dismiss, INFO_MS);
    return () => clearTimeout(timer);
  }, [held]);
  const { action } = notice;
  function act() {
    if (action) store.send(action.command);
    dismiss();
  }
  const hold = () => setHeld(true);
  const release = () => setHeld(false);
  return html`<div class="notice" data-testid="notice" data-level=${notice.level} onMouseEnter=${hold} onMouseLeave=${release}
    onFocusIn=${hold} onFocusOut=${release}>
    <${notice.level === "info" ? InfoIcon : AlertIcon} />
    <div class="notice-body"><span class="notice-text" dir="auto">${notice.text}</span>
    ${action && html`<button type="button" class="button" data-testid="notice-action" onClick=${act}>${action.label}</button>`}</div>
    <button type="button" class="icon-button small" title="Dismiss" aria-label="Dismiss" onClick=${dismiss}><${CloseIcon} /></button>
  </div>`;
}
