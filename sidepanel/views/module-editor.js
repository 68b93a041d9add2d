import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { editedModule, savedModule } from "../settings-state.js";
import { AlertIcon, BackIcon } from "./icons.js";
import { ModuleControls, ModuleState } from "./module-controls.js";
import { goToLine, SourceEditor } from "./source-editor.js";
import { secondOf } from "./when.js";

/** @import { ModuleDraft, Settings, State, Store, UserModule } from "../types.js" */

/**
 * @param {object} props
 * @param {string} props.keyOfModule its id, or that of a draft never saved
 * @param {ModuleDraft} props.edited
 * @param {Settings} props.settings
 * @param {State} props.state
 * @param {Store} props.store
 */
export function ModuleEditor({ keyOfModule: key, edited, settings, state, store }) {
  const saved = savedModule(state, key);
  const { name, source } = edited;
  const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const nameBox = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => (saved ? goToLine(box.current, 1) : nameBox.current?.focus()), []);
  const changed = key in state.drafts;
  const saving = state.saving === key;
  const complete = Boolean(name.trim() && source.trim());
  // From the store: a key may come before the frame that shows the last letter.
  const latest = () => editedModule(store.getState(), key) ?? edited;

  /** @param {{name?: string, source?: string}} changes */
  function change(changes) {
    const { name, source } = latest();
    store.dispatch({ type: "module-draft", key, name, source, ...changes });
  }

  function save() {
    const { name, source } = latest();
    const { drafts, saving } = store.getState();
    if (name.trim() && source.trim() && key in drafts && saving !== key)
      store.send({ type: "save-module", id: saved?.id ?? null, name: name.trim(), source });
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    save();
  }
  const problems = saved?.problems ?? [];
  return html`<div class="module-editor" onKeyDown=${onKeyDown}>
    <div class="item-head">
      <button type="button" class="button" data-testid="module-back" onClick=${() => store.dispatch({ type: "module-close" })}>
        <${BackIcon} />All modules</button>
      ${saved && html`<${ModuleState} module=${saved} />`}
    </div>
    <label class="label">Name
      <input class="field" data-testid="module-name" ref=${nameBox} autocomplete="off" spellcheck=${false} value=${name}
        onInput=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) => change({ name: event.currentTarget.value })} /></label>
    <${SourceEditor} box=${box} source=${source} problems=${problems} onChange=${(/** @type {string} */ text) => change({ source: text })} />
    <div class="save-line">
      <button type="button" class="button primary" data-testid="module-save" disabled=${!complete || !changed || saving}
        onClick=${save}>${saving ? "Checking" : "Save and check"}</button>
      <span class="item-about">${saveWords(complete, changed, saving)}</span>
    </div>
    <${Problems} problems=${problems} stale=${changed} goTo=${(/** @type {number} */ line) => goToLine(box.current, line)} />
    ${
      saved &&
      html`<${Grants} module=${saved} settings=${settings} store=${store} />
      <${ModuleControls} module=${saved} store=${store} />
      <${ModuleLog} module=${saved} />`
    }
  </div>`;
}

/**
 * @param {boolean} complete
 * @param {boolean} changed
 * @param {boolean} saving
 */
function saveWords(complete, changed, saving) {
  if (saving) return "";
  if (!complete) return "Needs a name and a source.";
  return changed ? "Not saved. Your changes stay here until you do." : "Saved";
}

/** @param {{problems: UserModule["problems"], stale: boolean, goTo: (line: number) => void}} props */
function Problems({ problems, stale, goTo }) {
  if (problems.length === 0) return null;
  return html`<section aria-label="Problems">
    <h4 class="settings-heading">Problems${stale && " at the last check"}</h4>
    <ul class="problems">
      ${problems.map(({ line, message }, n) => {
        const words = html`<${AlertIcon} /><span>${line !== null && html`<strong>Line ${line}:</strong> `}${message}</span>`;
        return html`<li key=${n}>${
          line === null
            ? html`<p class="module-problem" data-testid="module-problem" data-line="">${words}</p>`
            : html`<button type="button" class="module-problem" data-testid="module-problem" data-line=${line}
              onClick=${() => goTo(line)}>${words}</button>`
        }</li>`;
      })}
    </ul>
  </section>`;
}

/** @param {{module: UserModule, settings: Settings, store: Store}} props */
function Grants({ module, settings, store }) {
  const { id, wants, granted } = module;
  const label = (/** @type {string} */ name) =>
    settings.capabilities.find((other) => other.name === name)?.label ?? name;
  if (wants.length === 0) return html`<p class="item-about">This module asks for nothing of yours.</p>`;
  return html`<fieldset class="grants">
    <legend class="settings-heading">This module may</legend>
    ${wants.map(
      (
        name,
      ) => html`<label key=${name} class="grant"><input type="checkbox" data-testid="module-grant" data-capability=${name}
        checked=${granted.includes(name)} onChange=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) =>
          store.send({ type: "grant-module", id, capability: name, granted: event.currentTarget.checked })} />
        <span dir="auto">${label(name)}</span></label>`,
    )}
  </fieldset>`;
}

/** @param {{module: UserModule}} props */
function ModuleLog({ module }) {
  const { log } = module;
  return html`<section aria-label="Log of this module">
    <h4 class="settings-heading">Its log</h4>
    ${
      log.length === 0
        ? html`<p class="item-about">What it prints, and how it fails, is listed here.</p>`
        : html`<ol class="module-log" data-testid="module-log" tabindex="0">
          ${log.map(
            (
              { time, level, text },
              n,
            ) => html`<li key=${n} data-level=${level}><span class="log-time">${secondOf(time)}</span>
              <span class="log-text" dir="auto">${level === "error" && html`<strong>Error: </strong>`}${text}</span></li>`,
          )}
        </ol>`
    }
  </section>`;
}
