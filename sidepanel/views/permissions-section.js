import { html } from "htm/preact";
import { BrowserPermissions } from "./browser-permissions.js";
import { dayOf } from "./when.js";

/** @import { Grant, Store } from "../types.js" */

/** @param {import("./settings-dialog.js").SectionProps} props */
export function PermissionsSection({ settings, state, store }) {
  return html`<${ToolGrants} grants=${settings.grants} store=${store} />
    <${BrowserPermissions} permissions=${state.permissions} store=${store} />`;
}

/** @param {{grants: Grant[], store: Store}} props */
function ToolGrants({ grants, store }) {
  if (grants.length === 0) {
    return html`<p class="settings-empty">Amplifier asks before a tool does more than look at the page you are on.
      What you allow for this session or always will be listed here, to take back at any time.</p>`;
  }
  return html`<p class="settings-intro">These run without asking. Take one back and Amplifier asks again.</p>
    <ul class="items" aria-label="Permissions">
      ${grants.map(
        ({ id, title, detail, created }) => html`<li key=${id} class="item item-row" data-testid="grant" data-id=${id}>
          <div class="item-text"><p class="item-title" dir="auto">${title}</p>
            <p class="item-about" dir="auto">${[detail, dayOf(created) && `since ${dayOf(created)}`].filter(Boolean).join(" · ")}</p></div>
          <button type="button" class="button" data-testid="revoke" aria-label=${`Revoke: ${title}`}
            onClick=${() => store.send({ type: "revoke", id })}>Revoke</button>
        </li>`,
      )}
    </ul>`;
}
