import { html } from "htm/preact";
import { AlertIcon, CheckIcon, ClockIcon, RetryIcon, TrashIcon } from "./icons.js";

/** @import { Store, UserModule } from "../types.js" */

const Spinner = () => html`<span class="spinner" aria-hidden="true" />`;

/** @type {Record<UserModule["state"], {icon: () => unknown, words: string}>} */
const STATES = {
  valid: { icon: CheckIcon, words: "Works" },
  invalid: { icon: AlertIcon, words: "Has problems" },
  failed: { icon: AlertIcon, words: "Failed when it ran" },
  unchecked: { icon: ClockIcon, words: "Not checked yet" },
  checking: { icon: Spinner, words: "Being checked" },
};

/** @param {{module: UserModule}} props */
export function ModuleState({ module }) {
  const { icon, words } = STATES[module.state];
  return html`<span class="module-state" data-testid="module-state" data-state=${module.state}><${icon} />${words}</span>`;
}

/**
 * The switch and the buttons of a saved module.
 *
 * @param {{module: UserModule, store: Store, children?: unknown}} props
 */
export function ModuleControls({ module, store, children }) {
  const { id, name, enabled, state } = module;
  return html`<label class="switch-line">
      <input type="checkbox" role="switch" class="switch" data-testid="module-enable" checked=${enabled}
        disabled=${state === "invalid" && !enabled} onChange=${(
          /** @type {Event & {currentTarget: HTMLInputElement}} */ event,
        ) => store.send({ type: "enable-module", id, enabled: event.currentTarget.checked })} />
      <span>Use in new sessions<span class="visually-hidden">: ${name}</span></span>
    </label>
    <div class="item-buttons">
      ${children}
      <button type="button" class="button" data-testid="module-reload" aria-label=${`Reload ${name}`} title="Check it and start it anew"
        onClick=${() => store.send({ type: "reload-module", id })}><${RetryIcon} />Reload</button>
      <button type="button" class="button" data-testid="module-remove" aria-label=${`Remove ${name}`}
        onClick=${() => store.send({ type: "remove-module", id })}><${TrashIcon} />Remove</button>
    </div>`;
}
